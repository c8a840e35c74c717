"""A gallery as a folder that other tools can read, and back again.

people.jsonl   one line for each picture, in the order of the rows; the first line says what this is
vectors.npy    (N, D) float32
crops/ID.jpg   the cut-outs
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from checkpoints.errors import GalleryError
from pipeline.gallery.arrivals import FORMAT, VERSION, read_arrivals
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.edits import Edited
from pipeline.gallery.gallery import Gallery, Kept

_PORTION = 256


@dataclass(frozen=True, slots=True)
class ImportReport:
    """already  pictures that the gallery had"""

    new: int
    already: int


def export(gallery: Gallery, folder: Path) -> int:
    """Write all pictures to a folder that does not exist yet, or that an export made; return how many there are.

    It is written beside and renamed when it is whole. People who are enrolled meanwhile may be in it or not.
    """
    if folder.exists() and not (folder / "people.jsonl").is_file():
        raise GalleryError(
            "The export would write over something else.", saw=str(folder), fix="give a folder that does not exist"
        )
    making = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(making, ignore_errors=True)
        (making / "crops").mkdir(parents=True)
        count = _write(gallery, making)
        _replace(folder, making)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise GalleryError(
            "The gallery cannot be exported.",
            saw=f"{folder}: {error.strerror}",
            fix="give a folder on a disk with room",
        ) from error
    return count


def import_into(gallery: Edited, folder: Path) -> ImportReport:
    """Check all of it, then take all of it; GalleryError lists what is wrong, and then nothing was taken.

    After a power cut in the middle, the same import takes the rest: the ids are the export's.
    """
    arrivals = read_arrivals(folder, space=gallery.space, dim=gallery.dim)
    there = {entry.id for entry in gallery.entries_of(arrivals.ids())}
    new = 0
    try:
        for portion in arrivals.portions(_PORTION):
            new += gallery.restore(portion)
    except GalleryError:
        gallery.remove([one for one in arrivals.ids() if one not in there])
        raise
    return ImportReport(new, len(arrivals) - new)


def _write(gallery: Gallery, making: Path) -> int:
    count = 0
    with (making / "people.jsonl").open("w", encoding="utf-8") as lines, (making / "rows").open("wb") as rows:
        first = {"format": FORMAT, "version": VERSION, "space": gallery.space, "dim": gallery.dim}
        lines.write(json.dumps(first) + "\n")
        for kept in gallery.kept():
            lines.write(json.dumps(line_of(kept), ensure_ascii=False) + "\n")
            rows.write(kept.picture.embedding.astype("<f4").tobytes())
            if kept.picture.cutout is not None:
                (making / "crops" / f"{kept.id}.jpg").write_bytes(kept.picture.cutout.jpeg)
            count += 1
        lines.flush()
        os.fsync(lines.fileno())
    _as_npy(making, count, gallery.dim)
    return count


def _as_npy(making: Path, count: int, dim: int) -> None:
    """NumPy's file says in front how many rows follow, which is known only now."""
    with (making / "vectors.npy").open("wb") as file, (making / "rows").open("rb") as rows:
        said = {"descr": "<f4", "fortran_order": False, "shape": (count, dim)}
        np.lib.format.write_array_header_1_0(file, said)
        shutil.copyfileobj(rows, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())
    (making / "rows").unlink()


def _replace(folder: Path, making: Path) -> None:
    sync_folder(making)
    if folder.exists():
        old = folder.with_name(f"{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        making.rename(folder)
        shutil.rmtree(old)
    else:
        making.rename(folder)
    sync_folder(folder.parent)


def line_of(kept: Kept) -> Mapping[str, Any]:
    """person  null: a stranger"""
    cutout = kept.picture.cutout
    return {
        "id": kept.id,
        "person": kept.name,
        "image_hash": kept.picture.image_hash,
        "quality": kept.picture.quality,
        "time": kept.time,
        "source": kept.picture.source,
        "landmarks": None if cutout is None else [[float(x), float(y)] for x, y in cutout.landmarks],
    }
