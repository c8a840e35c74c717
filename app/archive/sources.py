"""Where recordings lie: folders of this machine, or an object store by its address (s3://, gs://, file://).

Addresses are read through Apache Arrow, which comes with the extra [fleet]. The only file that knows it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from urllib.parse import quote, unquote

from app.archive.recordings import File
from checkpoints.errors import ArchiveError

_VIDEOS = "mp4 m4v mov mkv webm avi ts m2ts mts mpg mpeg flv wmv asf 3gp h264 h265 hevc dav gif"
SUFFIXES = frozenset(f".{name}" for name in _VIDEOS.split())
_CHUNK_BYTES = 8 << 20  # an object store answers each read anew


@dataclass(frozen=True, slots=True)
class Listed:
    """files   the recordings that are there, each once, by name
    unread  folders and files that could not be looked at, and why: what lies there is not known
    """

    files: tuple[File, ...]
    unread: dict[str, str] = field(default_factory=dict)


def is_address(place: str) -> bool:
    return "://" in place


def absolute(place: str) -> str:
    """How the names of the recordings at this place begin."""
    if not is_address(place):
        return str(Path(place).absolute())
    scheme, _, rest = place.partition("?")[0].partition("://")
    return f"{scheme}://{quote(unquote(rest))}"


def find(places: Sequence[str]) -> Listed:
    """The recordings that are meant; ArchiveError for places that hold none."""
    found: dict[str, File] = {}
    unread: dict[str, str] = {}
    problems = []
    for place in places:
        before = len(unread)
        try:
            files = list(_at_address(place) if is_address(place) else _in_folder(Path(place), unread))
        except (OSError, ValueError) as error:
            problems.append(f"{_shown(place)}: {_why(error)}")
            continue
        if not files:
            problems.append(f"{_shown(place)}: no recordings there ({' '.join(sorted(SUFFIXES))})")
            problems += [f"{one}: {why}" for one, why in list(unread.items())[before:]]
        found.update({file.place: file for file in files})
    if problems:
        raise ArchiveError(
            "These recordings cannot be found.", saw="\n".join(problems), fix="name video files, or folders of them"
        )
    return Listed(tuple(found[place] for place in sorted(found)), unread)


@contextmanager
def opened(place: str) -> Iterator[BinaryIO | None]:
    """The bytes of a recording at an address; None for a file of this machine, which FFmpeg opens by its name."""
    if not is_address(place):
        yield None
        return
    with _stream(place) as content:
        yield content


def sha256_of(place: str) -> str:
    digest = hashlib.sha256()
    with _stream(place) if is_address(place) else Path(place).open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _is_video(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _in_folder(path: Path, unread: dict[str, str]) -> Iterator[File]:
    """Links to files are followed; those to folders are not, but for the place itself."""
    path = path.absolute()
    if not path.is_dir():
        yield _file(path, path.parent)
        return

    def note(error: OSError) -> None:
        unread[str(error.filename)] = _why(error)

    for folder, _, names in os.walk(path, onerror=note):
        for one in (Path(folder) / name for name in names if _is_video(name)):
            try:
                yield _file(one, path)
            except OSError as error:  # a link to nowhere, or it has just gone away
                note(error)


def _file(path: Path, asked_for: Path) -> File:
    said = path.stat()
    within = f"{asked_for.name}/{path.relative_to(asked_for).as_posix()}"
    return File(str(path), within, said.st_size, said.st_mtime_ns)


def _at_address(address: str) -> Iterator[File]:
    from pyarrow import fs

    scheme, _, rest = address.partition("://")
    if "@" in rest.partition("/")[0]:
        raise ValueError("an address must not hold a key; put it into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    system, path = fs.FileSystem.from_uri(absolute(address) + _query(address))
    about = system.get_file_info(path)
    if about.type == fs.FileType.NotFound:
        raise ValueError("there is nothing at this address")
    single = about.type == fs.FileType.File
    asked_for = PurePosixPath(path).parent if single else PurePosixPath(path)
    for one in [about] if single else system.get_file_info(fs.FileSelector(path, recursive=True)):
        if one.type == fs.FileType.File and (single or _is_video(one.base_name)):
            within = f"{asked_for.name}/{PurePosixPath(one.path).relative_to(asked_for)}"
            yield File(f"{scheme}://{quote(one.path)}{_query(address)}", within, one.size, one.mtime_ns or 0)


@contextmanager
def _stream(address: str) -> Iterator[BinaryIO]:
    from pyarrow import fs

    system, path = fs.FileSystem.from_uri(address)
    with system.open_input_file(path) as content:
        yield cast(BinaryIO, io.BufferedReader(content, _CHUNK_BYTES))


def _query(address: str) -> str:
    """What says how the store is reached, such as its region."""
    _, mark, query = address.partition("?")
    return mark + query


def _shown(place: str) -> str:
    """Without a key or password that may stand in an address."""
    return place.partition("?")[0].rpartition("@")[2] if is_address(place) else place


def _why(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or error)
