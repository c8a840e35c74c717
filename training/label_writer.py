"""Labels while they are being made: a line for each picture that is done, in `labels.part.jsonl`.

So who is interrupted goes on from there, and `labels.jsonl` takes its place when nothing is missing any more.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np

from checkpoints.errors import DataError, OutputError
from training.labels import NAME, PART, VERSION, Labelled, header


def write(folder: Path, images: Path, items: Iterable[Labelled], made: str = "") -> None:
    """All at once, in place of what was there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PART).unlink(missing_ok=True)
        (folder / NAME).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    with Writer(folder, images, made) as writer:
        for item in items:
            writer.add(item)
        writer.finish()


class Writer:
    """Adds pictures to the labels of a folder, after those that an earlier run has left there.

    done  the names of the pictures that are there, as paths below `images`
    """

    def __init__(self, folder: Path, images: Path, made: str) -> None:
        """`made` says how the labels came about; labels that were made otherwise are not mixed with these."""
        self._folder, self._images = folder, images.absolute()
        self._part = folder / PART
        self.done: set[str] = set()
        begins = {"labels": VERSION, "images": str(self._images), "made": made}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / NAME).is_file() and not self._part.is_file():
                shutil.copyfile(folder / NAME, self._part)
            lines = _whole_lines(self._part)
            if len(lines) == 1 and header(self._part, lines[0]) != begins:  # of a run that came to nothing
                self._part.unlink()
                lines = []
            if lines and header(self._part, lines[0]) != begins:
                raise _made_otherwise(folder, lines[0], json.dumps(begins))
            self.done = {_name(self._part, number, line) for number, line in enumerate(lines[1:], start=2)}
            self._stream = self._part.open("ab", buffering=0)
        except OSError as error:
            raise _unwritable(self._part, error) from error
        if not lines:
            self._begin(begins)

    def name(self, image: Path) -> str:
        return image.absolute().relative_to(self._images).as_posix()

    def add(self, item: Labelled) -> None:
        faces = [
            {
                "box": [round(float(edge), 2) for edge in box],
                "landmarks": None
                if np.isnan(points).any()
                else [[round(float(x), 2), round(float(y), 2)] for x, y in points],
                "ignored": bool(ignored),
            }
            for box, points, ignored in zip(item.boxes_xyxy, item.landmarks, item.ignored, strict=True)
        ]
        width, height = item.size_wh
        name = self.name(item.image)
        self._line({"image": name, "width": width, "height": height, "faces": faces})
        self.done.add(name)

    def finish(self) -> None:
        """Nothing is missing any more: from now on the folder can be read."""
        try:
            os.fsync(self._stream.fileno())
            self._part.replace(self._folder / NAME)
        except OSError as error:
            raise _unwritable(self._folder / NAME, error) from error

    def _begin(self, begins: object) -> None:
        try:
            self._line(begins)
        except OutputError:
            self._stream.close()
            raise

    def _line(self, value: object) -> None:
        left = json.dumps(value).encode() + b"\n"
        try:
            while left:  # of a disk that is nearly full only a part may be taken
                left = left[self._stream.write(left) :]
        except OSError as error:
            raise _unwritable(self._part, error) from error

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()


def _whole_lines(path: Path) -> list[str]:
    """Without one that a killed run has left half written: it is cut off from the file."""
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return whole.decode("utf-8", errors="replace").splitlines()


def _name(path: Path, number: int, line: str) -> str:
    try:
        return str(json.loads(line)["image"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "What an earlier run has left is damaged.",
            saw=f"{path}, line {number}: {line[:80]!r}",
            fix="Delete that file, and begin again.",
        ) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        "The labels cannot be written.",
        saw=f"{path}: {error.strerror or error}",
        fix="Is there room on the disk, and may you write there? The same command goes on from what is there.",
    )


def _made_otherwise(folder: Path, there: str, wanted: str) -> DataError:
    return DataError(
        "The labels in this folder were made in another way, or of other pictures.",
        saw=f"{folder}: {there}\nwanted: {wanted}",
        fix="Give another --out, or delete that folder.",
    )
