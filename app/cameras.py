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
# Query values are shown only for keys that tell streams of one camera apart.
_HARMLESS = frozenset({"channel", "subtype", "stream", "profile", "resolution", "fps"})
_SECRET_KEY = re.compile(
    r"(?<![\w.-])[\w.-]*(?:user|login|pass|pwd|pw|token|key|auth|secret|sig|credential)[\w.-]*\s*=", re.IGNORECASE
)
_GST_SECRET = re.compile(_SECRET_KEY.pattern + r"""\s*("[^"]*"|'[^']*'|\S+)""", re.IGNORECASE)


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

    When in doubt it hides: all up to the last @ (a password may hold @ and /), all of a path from the first
    thing that looks like `password=`, and every query value that is not known to be harmless.
    """
    if len(source) > LONGEST:
        return "…"
    if source.startswith("gst:"):
        hidden = _GST_SECRET.sub(lambda found: found[0].split("=")[0] + "=…", source)
        return re.sub(r"://\S*@", "://…@", hidden)
    address = _ADDRESS.fullmatch(source)
    if address is None:
        return source
    rest = address["rest"]
    if "@" in rest:
        rest = "…@" + rest.rpartition("@")[2]
    place, mark, query = rest.partition("?")
    secret = _SECRET_KEY.search(place)
    if secret:
        return f"{address['scheme']}://{place[: secret.start()]}…"
    return f"{address['scheme']}://{place}{mark}{'&'.join(_shown_part(part) for part in query.split('&'))}"


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


def _shown_part(part: str) -> str:
    key, equals, _ = part.partition("=")
    if not equals:
        return "…" if part else ""
    return part if key.lower() in _HARMLESS else f"{key}=…"


def _host(source: str) -> str:
    rest = source.partition("://")[2].rpartition("@")[2]
    return re.split(r"[/?#]", rest, maxsplit=1)[0]


def _name(source: str) -> str:
    match kind(source):
        case "address":
            return re.sub(r":\d*$", "", _host(source))
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
