"""What may stand after --source: what kind it is, what it is called, and how it may be shown.

An address may carry a password. Nothing but `CameraConfig.source` keeps it: names and `shown` never do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from pipeline.config import CameraConfig

Kind = Literal["camera", "address", "gst", "file", "demo"]

LONGEST_NAME_BYTES = 48  # as much as a frame's record has room for
SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt")

LONGEST = 8192  # characters; looking for secrets in much longer texts takes seconds
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[\w.-]+)(?::\d*)?")
_LOGIN = re.compile(r"[^/?#]*@")
# Query values are shown only for keys that tell streams of one camera apart.
_HARMLESS = re.compile(r"(?:channel|subtype|stream|profile|resolution|fps)=[\w.-]*", re.IGNORECASE)
_SECRET_KEY = re.compile(
    r"(?<![\w.-])[\w.-]*(?:user|login|pass|pwd|pw|token|key|auth|secret|sig|credential)[\w.-]*\s*=", re.IGNORECASE
)
_QUOTED = r"""(?:"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$))"""
_IN_PIPELINE = re.compile(
    rf"(?P<key>{_SECRET_KEY.pattern})\s*(?:{_QUOTED}|\\.|\S)+|(?P<quoted>{_QUOTED})|://(?P<rest>\S*)",
    re.IGNORECASE | re.DOTALL,
)


def kind(source: str) -> Kind:
    """Tell a source's kind from its text alone; ValueError says what a source may be."""
    if len(source) > LONGEST:
        raise ValueError(f"has {len(source)} characters; an address has at most {LONGEST}")
    if source == "demo":
        return "demo"
    if re.fullmatch(r"-?\d+", source):
        if int(source) < 0:
            raise ValueError("is not a camera; cameras are numbered 0, 1, 2 …")
        return "camera"
    if re.fullmatch(r"/dev/video\d+", source):
        return "camera"
    if source.startswith("gst:"):
        if not source[4:].strip():
            raise ValueError("has no pipeline after gst:")
        return "gst"
    address = _ADDRESS.fullmatch(source)
    if address is None:
        return "file"
    if address["scheme"].lower() not in SCHEMES:
        raise ValueError(f"is not an address that can be watched; valid are {', '.join(s + '://' for s in SCHEMES)}")
    if not _host(source):
        raise ValueError("is an address without a host")
    return "address"


def source(text: str) -> str:
    """The text of the setting VIDEO_SOURCE: kept as it is once it names something that can be watched."""
    kind(text)
    return text


def live(source: str) -> bool:
    """Whether frames come at their own pace, so that those nobody is ready for are lost."""
    return kind(source) in ("camera", "address", "gst")


def shown(source: str) -> str:
    """The source without anything that could be a credential.

    When in doubt it hides: the login before the host, all of a path from the first thing that looks like `password=`,
    every query value that is not known to be harmless, and everything if an @ stands where it may belong to a password
    as well as to a path.
    """
    if len(source) > LONGEST:
        return "…"
    if source.startswith("gst:"):
        return _shown_pipeline(source)
    before, mark, rest = source.partition("://")
    return f"{before}://{_shown_rest(rest)}" if mark else source


def name(text: str) -> str:
    """What a camera may be called."""
    if not text.isprintable() or "/" in text or not 0 < len(text.encode()) <= LONGEST_NAME_BYTES:
        raise ValueError(f"is not a name; use up to {LONGEST_NAME_BYTES} letters and signs other than /")
    return text


def pixel_format(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{4}", text):
        raise ValueError("is not a pixel format; those have four letters or digits, such as MJPG and YUYV")
    return text.upper()


def cameras(sources: Sequence[str], names: Sequence[str] = ()) -> tuple[CameraConfig, ...]:
    """One camera for each source, with names that differ. names: of the first ones; "" where a source has none."""
    taken: set[str] = set()
    found = []
    for source, given in zip_longest(sources, names[: len(sources)], fillvalue=""):
        name = _free_name(given or _name(source), taken)
        taken.add(name)
        found.append(CameraConfig(name=name, source=source, shown=shown(source), live=live(source)))
    return tuple(found)


def _shown_pipeline(source: str) -> str:
    hidden = _IN_PIPELINE.sub(_shown_token, source)
    before, mark, rest = hidden.partition("://")
    return f"{before}://…" if "@" in re.sub(r"(^|://)…@", "", rest) else before + mark + rest


def _shown_token(found: re.Match[str]) -> str:
    if found["key"]:
        return f"{found['key']}…"
    if found["rest"] is not None:
        return f"://{_shown_rest(found['rest'])}"
    before, mark, rest = found["quoted"].partition("://")
    secret = _SECRET_KEY.search(before)
    if secret:
        return f"{before[: secret.start()]}…"
    return before + mark + (_shown_rest(rest) if mark else "")


def _shown_rest(rest: str) -> str:
    login, others = _parted(rest)
    if others is None:
        return "…"
    place, mark, query = others.partition("?")
    at = "…@" if login else ""
    secret = _SECRET_KEY.search(place)
    if secret:
        return f"{at}{place[: secret.start()]}…"
    return f"{at}{place}{mark}{'&'.join(_shown_part(part) for part in query.split('&'))}"


def _shown_part(part: str) -> str:
    if not part or _HARMLESS.fullmatch(part):
        return part
    key, _, value = part.partition("=")
    return f"{key}=…" if value.strip("=") else "…"  # the = of base 64 makes no key


def _parted(rest: str) -> tuple[str, str | None]:
    """The login and what is behind it; None where nobody can tell which @ ends the login."""
    found = _LOGIN.match(rest)
    login = found[0] if found else ""
    others = rest[len(login) :]
    return login, None if "@" in others else others


def _host(source: str) -> str:
    """With its port, as FFmpeg takes it: what stands before the first sign that begins a path."""
    rest = source.partition("://")[2]
    return re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]


def _name_of_address(source: str) -> str:
    """The host, if it is certain that it is one."""
    host = _HOST.fullmatch(_host(source))
    return host["host"] if host and _parted(source.partition("://")[2])[1] is not None else "camera"


def _name(source: str) -> str:
    match kind(source):
        case "address":
            return _name_of_address(source)
        case "gst":
            return "gst"
        case "file":
            return Path(source).stem or source
        case "camera":
            return source.rpartition("/")[2]
        case _:
            return source


def _free_name(name: str, taken: set[str]) -> str:
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}-{count}"
    return free
