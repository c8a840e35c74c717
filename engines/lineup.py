"""Which networks there are to measure, at which sizes and in which batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkpoints import manifest, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile
from engines.canvas import plan
from engines.options import EngineOptions

PICTURES_WH = ((640, 360), (1280, 720))  # for networks that take pictures of any size
BATCHES = {"pnet": (1,), "rnet": (64,), "onet": (32,)}
EMBEDDER_BATCHES = (1, 4, 8)
_GRAIN_PX = 32  # other detectors want whole cells of their coarsest grid


@dataclass(frozen=True, slots=True)
class Shape:
    """What is measured together: one part of a model at one size and batch."""

    known: Manifest
    file: ModelFile
    size_wh: tuple[int, int]
    batch: int

    @property
    def title(self) -> str:
        return net_name(self.known, self.file)


def net_name(known: Manifest, file: ModelFile) -> str:
    return known.name if file.part == "net" else f"{known.name}_{file.part}"


def present(models_dir: Path) -> list[tuple[Manifest, ModelFile]]:
    """All networks whose files are in the models folder."""
    every = [manifest.load(name) for name in manifest.names()]
    return [
        (known, file)
        for known in every
        if known.role != "asset" and all(store.is_there(each, models_dir) for each in known.files)
        for file in known.files
    ]


def shapes(known: Manifest, file: ModelFile, batches: Sequence[int] | None) -> Iterator[Shape]:
    if batches is None:
        usual = EMBEDDER_BATCHES if known.role == "embedder" else (1,)
        batches = BATCHES.get(file.part, usual)
    for size_wh in sizes(known, file):
        for batch in batches:
            yield Shape(known, file, size_wh, batch)


def sizes(known: Manifest, file: ModelFile) -> list[tuple[int, int]]:
    """Of the network's input; where it takes any, those that it has for `PICTURES_WH`."""
    if file.size_wh is not None:
        return [file.size_wh]
    if known.family == "mtcnn":
        default = EngineOptions()
        return [plan(wh, default.min_face_px, default.pyramid_factor).size_wh for wh in PICTURES_WH]
    return [(-(-w // _GRAIN_PX) * _GRAIN_PX, -(-h // _GRAIN_PX) * _GRAIN_PX) for w, h in PICTURES_WH]


def chosen(names: Sequence[str] | None, models_dir: Path) -> list[tuple[Manifest, ModelFile]]:
    there = present(models_dir)
    if not there:
        raise ModelError(
            "There are no networks to measure.", saw=f"--models {models_dir}", fix="Run: python -m checkpoints.fetch"
        )
    known = {net_name(*net) for net in there} | {net[0].name for net in there}
    if unknown := sorted(set(names or ()) - known):
        raise ModelError(
            "There is no such network in the models folder.",
            saw=", ".join(unknown),
            fix=f"Valid here: {', '.join(sorted(known))}. Others come by python -m checkpoints.fetch.",
        )
    return [net for net in there if names is None or net_name(*net) in names or net[0].name in names]
