"""Pictures of the faces that events tell of, beside the store: one file for each, named by the event's key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from checkpoints.errors import OutputError


class Crops:
    """A crop may be there before its event is stored, and is erased after it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, key: str, jpeg: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            making = path.with_suffix(".part")
            making.write_bytes(jpeg)
            making.chmod(0o600)
            making.replace(path)
        except OSError as error:
            raise self._unusable(error) from error

    def has(self, key: str) -> bool:
        return self._path(key).is_file()

    def read(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None
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
