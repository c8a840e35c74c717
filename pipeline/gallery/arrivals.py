"""What an export's folder holds, checked line by line before any of it is taken."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints import json_text
from checkpoints.array_file import UNREADABLE
from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.gallery.gallery import Cutout, Kept, Picture
from pipeline.gallery.intake import check_id, check_name, unit_rows

FORMAT = "facewire gallery"
VERSION = 1
_SHOWN = 10
_KINDS: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "person": (str, type(None)),
    "image_hash": (str,),
    "quality": (int, float),
    "time": (str,),
    "source": (str,),
    "landmarks": (list, type(None)),
}


class Arrivals:
    """Checked pictures; the cut-outs are read when their turn comes."""

    def __init__(self, folder: Path, lines: list[dict[str, Any]], rows: NDArray[np.float32]) -> None:
        self._folder = folder
        self._lines = lines
        self._rows = rows

    def __len__(self) -> int:
        return len(self._lines)

    def ids(self) -> list[str]:
        return [line["id"] for line in self._lines]

    def portions(self, size: int) -> Iterator[list[Kept]]:
        for start in range(0, len(self._lines), size):
            some = zip(self._lines[start : start + size], self._rows[start : start + size], strict=True)
            yield [self._kept(line, row) for line, row in some]

    def _kept(self, line: dict[str, Any], row: NDArray[np.float32]) -> Kept:
        cutout = None
        if line["landmarks"] is not None:
            jpeg = self._jpeg(line["id"])
            cutout = Cutout(jpeg, np.asarray(line["landmarks"], np.float32))
        picture = Picture(np.array(row), line["image_hash"], float(line["quality"]), cutout, line["source"])
        return Kept(line["id"], line["person"], line["time"], picture)

    def _jpeg(self, one: str) -> bytes:
        path = self._folder / "crops" / f"{one}.jpg"
        try:
            return path.read_bytes()
        except OSError as error:
            raise _damaged(self._folder, [f"{path.name}: {error.strerror}"]) from error


def read_arrivals(folder: Path, *, space: str, dim: int) -> Arrivals:
    """GalleryError says which lines are damaged, by number."""
    try:
        texts = (folder / "people.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
        rows = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        raise GalleryError(
            "The folder is no export of a gallery.",
            saw=f"{folder}: {error}",
            fix="give a folder with people.jsonl and vectors.npy, as gallery export makes",
        ) from error
    _check_first(folder, texts[0] if texts else "", space, dim)
    if rows.shape != (len(texts) - 1, dim) or rows.dtype != np.float32:
        raise _damaged(folder, [f"vectors.npy is {rows.dtype}{rows.shape}, people.jsonl has {len(texts) - 1} pictures"])
    lines: list[dict[str, Any]] = []
    seen: set[str] = set()
    faults = []
    for number, (text, row) in enumerate(zip(texts[1:], rows, strict=True), start=2):
        line, fault = _line(folder, text, row, space, dim)
        if line is not None and line["id"] in seen:
            fault = "the id of an earlier line"
        if line is None or fault:
            faults.append(f"line {number}: {fault}")
            continue
        seen.add(line["id"])
        lines.append(line)
    if faults:
        raise _damaged(folder, faults)
    return Arrivals(folder, lines, rows)


def _check_first(folder: Path, text: str, space: str, dim: int) -> None:
    try:
        said = json_text.read(text)
        form, version, kept = said["format"], int(said["version"]), (said["space"], said["dim"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _damaged(folder, [f"line 1: {error!r}"]) from error
    if form != FORMAT:
        raise _damaged(folder, [f"line 1: format {form!r}, {FORMAT!r} is wanted"])
    if version > VERSION:
        raise GalleryError(
            "The export was written by a newer version of this program.",
            saw=f"{folder}: version {version}, this program reads version {VERSION}",
            fix="update this program",
        )
    if kept != (space, dim):
        raise GalleryError(
            "The export comes from another embedder: its faces cannot be compared with these.",
            saw=f"{folder} has {kept[0]} with {kept[1]} numbers, the gallery keeps {space} with {dim}",
            fix="import it with the embedder that it was made with, then move the gallery over: gallery migrate",
        )


def _line(
    folder: Path, text: str, row: NDArray[np.float32], space: str, dim: int
) -> tuple[dict[str, Any] | None, str | None]:
    """The line, and what is wrong with it."""
    try:
        line = json_text.read(text)
        for key, kinds in _KINDS.items():
            if not isinstance(line[key], kinds):
                return None, f"{key} is {line[key]!r}"
        check_id(line["id"])
        check_name(line["person"])
    except (GalleryError, EnrolmentError) as error:
        return None, f"{error.what} {error.saw}"
    except (ValueError, KeyError, TypeError) as error:
        return None, f"{type(error).__name__}: {error}"
    if not math.isfinite(line["quality"]):
        return None, f"quality is {line['quality']}"
    if not unit_rows(np.asarray(row)[None], space=space, dim=dim).any():
        return None, "its vector points nowhere"
    return line, _cutout_fault(folder, line)


def _cutout_fault(folder: Path, line: Mapping[str, Any]) -> str | None:
    if line["landmarks"] is None:
        return None
    try:
        points = np.asarray(line["landmarks"], np.float32)
    except (ValueError, TypeError):
        return "landmarks are no numbers"
    if points.shape != (5, 2) or not np.isfinite(points).all():
        return "landmarks are not five points"
    if not (folder / "crops" / f"{line['id']}.jpg").is_file():
        return "its cut-out is missing"
    return None


def _damaged(folder: Path, faults: Collection[str]) -> GalleryError:
    shown = list(faults)[:_SHOWN]
    more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    return GalleryError(
        "The export is damaged; nothing was imported.",
        saw="\n".join([str(folder), *shown, *more]),
        fix="export again, or take the lines and their rows of vectors.npy out",
    )
