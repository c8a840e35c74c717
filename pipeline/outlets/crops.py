"""Pictures of the faces that events tell of, beside the store: one file for each, named by the event's key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from checkpoints.errors import OutputError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.cutouts import reseal_file


class Crops:
    """A crop may be there before its event is stored, and is erased after it."""

    def __init__(self, folder: Path, seal: Seal = UNSEALED) -> None:
        self._folder = folder
        self._seal = seal

    def write(self, key: str, jpeg: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            making = path.with_suffix(".part")
            making.touch(mode=0o600)
            making.write_bytes(self._seal.seal(jpeg, _about(path)))
            making.replace(path)
        except OSError as error:
            raise self._unusable(error) from error

    def has(self, key: str) -> bool:
        return self._path(key).is_file()

    def read(self, key: str) -> bytes | None:
        try:
            held = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        return self._seal.open(held, _about(self._path(key)))

    def reseal(self) -> int:
        """Put all under the first key; return how many were not."""
        try:
            return sum(reseal_file(path, self._seal, _about(path)) for path in self._folder.glob("??/*.jpg"))
        except OSError as error:
            raise self._unusable(error) from error

    def erase(self, keys: Iterable[str]) -> int:
        """How many there were."""
        count = 0
        try:
            for path in map(self._path, keys):
                count += path.exists()
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        return count

    def files(self) -> Iterator[Path]:
        """All of them, also what a crash has left half written."""
        return self._folder.glob("??/*")

    def _path(self, key: str) -> Path:
        name = sha256(key.encode()).hexdigest()[:40]
        return self._folder / name[:2] / f"{name}.jpg"

    def _unusable(self, error: OSError) -> OutputError:
        return OutputError(
            "The pictures of events cannot be kept.",
            saw=f"{self._folder}: {error.strerror}",
            fix="see that the disk has room and the files are yours",
        )


def _about(path: Path) -> str:
    return f"picture of an event {path.stem}"
