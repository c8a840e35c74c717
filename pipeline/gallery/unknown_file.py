"""The file of unknown faces: JSON, one face on a line, or that faces are gone, or that two clusters are one.

Lines are only appended; what people erase is erased by writing the file anew (`pipeline.lines`), so nothing of it
is left. Cut-outs lie beside it, ID.jpg each, written before the line and erased after it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints import json_text
from checkpoints.errors import GalleryError, SealBroken
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.cutouts import about_cutout, reseal_file
from pipeline.gallery.gallery import Cutout
from pipeline.gallery.intake import is_id
from pipeline.lines import Lines, WholeLines, rewrite


@dataclass(frozen=True, slots=True)
class Face:
    """One shot of somebody unknown.

    id         a UUID; the name of its cut-out's file
    cluster    who it seems to be
    sighting   which sighting it is of
    time       UTC, ISO 8601
    embedding  (D,) float32 of unit length, in `space`
    landmarks  (5, 2) float32 in pixels of the cut-out; None: there is none
    """

    id: str
    cluster: str
    sighting: str
    time: str
    quality: float
    space: str
    embedding: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None


Faces = dict[str, Face]
_ABOUT = "unknown faces"


class UnknownFile:
    """The faces as the file has them; `refresh` follows what other processes did to it."""

    def __init__(self, folder: Path, seal: Seal = UNSEALED) -> None:
        self._folder = folder
        self._seal = seal
        self._path = folder / "faces.jsonl"
        self._lines: Lines | None = None
        self._seen: tuple[int, int, int] | None = None
        self._said = 0
        self.faces: Faces = {}

    @property
    def dead_lines(self) -> int:
        """Lines that say nothing any more."""
        return self._said - len(self.faces)

    @property
    def there(self) -> bool:
        return self._path.exists()

    def refresh(self) -> bool:
        """True when somebody else has changed the file."""
        with _told(self._path):
            found = self._identity()
            if found == self._seen:
                return False
            self.faces = self._replayed(WholeLines(self._path)) if found else {}
            self._said = sum(1 for _ in WholeLines(self._path)) if found else 0
            self._seen = found
        return True

    def append(self, faces: Collection[Face], cutouts: dict[str, Cutout]) -> None:
        with _told(self._path):
            self._cutouts.mkdir(parents=True, exist_ok=True)
            for one, cutout in cutouts.items():
                self._cutout(one).write_bytes(self._seal.seal(cutout.jpeg, about_cutout(one)))
            self._say(*(_line(face) for face in faces))
        self.faces |= {face.id: face for face in faces}

    def drop(self, ids: Collection[str]) -> None:
        """Not kept any longer; the file holds the embedding until it is written anew."""
        if not ids:
            return
        with _told(self._path):
            self._say({"gone": list(ids)})
            self._unlink(ids)
        for one in ids:
            self.faces.pop(one, None)

    def merge(self, cluster: str, into: str) -> None:
        with _told(self._path):
            self._say({"merge": [cluster, into]})
        self.faces = _merged(self.faces, cluster, into)

    def erase(self, unwanted: Callable[[Face], bool]) -> list[Face]:
        """Write the file anew without these faces, and return them."""
        erased: list[Face] = []

        def chosen(lines: Iterable[bytes]) -> Iterator[bytes]:
            erased.clear()
            for face in self._replayed(lines).values():
                if unwanted(face):
                    erased.append(face)
                else:
                    yield self._packed(_line(face))

        if self.there:
            with _told(self._path):
                rewrite(self._path, chosen)
                self._unlink(face.id for face in erased)
            self.refresh()
        return erased

    def sweep(self) -> None:
        """Cut-outs that a crash has left without a face."""
        if self._cutouts.is_dir():
            with _told(self._cutouts):
                self._unlink({path.stem for path in self._cutouts.glob("*.jpg")} - self.faces.keys())

    def cutout(self, face: Face) -> Cutout | None:
        try:
            held = self._cutout(face.id).read_bytes()
        except OSError:
            return None  # of a picture that was erased meanwhile, nothing is left to show
        return None if face.landmarks is None else Cutout(self._seal.open(held, about_cutout(face.id)), face.landmarks)

    def reseal(self) -> int:
        """Put all under the first key; return how many faces and cut-outs were not."""
        count = 0
        with _told(self._path):
            if self.there and not all(map(self._seal.is_current_line, WholeLines(self._path))):
                self.erase(lambda _: False)
                count += len(self.faces)
            for path in sorted(self._cutouts.glob("*.jpg")):
                count += reseal_file(path, self._seal, about_cutout(path.stem))
        return count

    def close(self) -> None:
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    @property
    def _cutouts(self) -> Path:
        return self._folder / "cutouts"

    def _cutout(self, one: str) -> Path:
        return self._cutouts / f"{one}.jpg"

    def _say(self, *said: dict[str, Any]) -> None:
        """One write for all: after a crash all of it is there or nothing."""
        if self._lines is None:
            self._lines = Lines(self._path, mode=0o600)
        self._lines.append(b"\n".join(self._packed(one) for one in said), sync=True)
        self._said += len(said)
        self._seen = self._identity()

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino, found.st_size

    def _unlink(self, ids: Iterable[str]) -> None:
        for one in ids:
            self._cutout(one).unlink(missing_ok=True)

    def _packed(self, said: dict[str, Any]) -> bytes:
        return self._seal.line(json.dumps(said, separators=(",", ":")).encode(), _ABOUT)

    def _replayed(self, lines: Iterable[bytes]) -> Faces:
        """Lines that a crash or a disk has damaged are left out; a key that is missing is an error, and loses none."""
        faces: Faces = {}
        for line in lines:
            try:
                faces = _after(faces, json_text.read(self._seal.open_line(line, _ABOUT)))
            except (SealBroken, ValueError, KeyError, TypeError, AttributeError, binascii.Error):
                continue
        return faces


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """An error of the system becomes one that people can do something about."""
    try:
        yield
    except OSError as error:
        raise GalleryError(
            "Unknown faces cannot be kept, or not be erased.",
            saw=f"{path}: {error.strerror}",
            fix="see that the disk has room and the files are yours, or set UNKNOWN_RETENTION_DAYS=0",
        ) from error


def _after(faces: Faces, said: dict[str, Any]) -> Faces:
    if "gone" in said:
        for one in said["gone"]:
            faces.pop(one, None)
    elif "merge" in said:
        faces = _merged(faces, *said["merge"])
    else:
        face = _face(said)
        faces[face.id] = face
    return faces


def _merged(faces: Faces, cluster: str, into: str) -> Faces:
    return {one: replace(face, cluster=into) if face.cluster == cluster else face for one, face in faces.items()}


def _line(face: Face) -> dict[str, Any]:
    said = {
        "id": face.id,
        "cluster": face.cluster,
        "sighting": face.sighting,
        "time": face.time,
        "quality": round(face.quality, 4),
        "space": face.space,
        "embedding": base64.b64encode(face.embedding.astype("<f4").tobytes()).decode(),
    }
    if face.landmarks is not None:
        said["landmarks"] = [round(float(value), 2) for value in face.landmarks.reshape(-1)]
    return said


def _face(said: dict[str, Any]) -> Face:
    embedding = np.frombuffer(base64.b64decode(said["embedding"]), "<f4").astype(np.float32)
    landmarks = np.asarray(said["landmarks"], np.float32).reshape(5, 2) if "landmarks" in said else None
    one, cluster, sighting, time, space = (str(said[key]) for key in ("id", "cluster", "sighting", "time", "space"))
    if not is_id(one):  # it becomes the name of a file
        raise ValueError(f"{one!r} is no id")
    return Face(one, cluster, sighting, time, float(said["quality"]), space, embedding, landmarks)
