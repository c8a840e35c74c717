"""From names in the options to a detector or an embedder that is ready to run.

The runtime is imported when an engine is opened and not before: who only aligns faces does not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

from checkpoints import manifest, store
from checkpoints.errors import ModelError, SettingsError
from checkpoints.manifest import Manifest
from engines.align import CropSpec
from engines.cascade import Cascade, log_odds
from engines.detector import Detector
from engines.embedder import Embedder
from engines.engine import Engine
from engines.options import EngineOptions, Precision
from engines.sights import Sights
from engines.spec import EngineSpec, engine_spec

DETECTORS = ("mtcnn",)
EMBEDDERS = ("sface", "facenet")
RNET_BATCH = 32
ONET_BATCH = 4
EMBEDDER_BATCHES = (1, 4)  # larger ones gain nothing more on a processor
MAX_EMBEDDER_BATCH = max(EMBEDDER_BATCHES)


def load_detector(config: EngineOptions, *, cameras: int = 1, size_wh: tuple[int, int]) -> Detector:
    """The detector for up to `cameras` pictures at once, most of them of `size_wh`; it takes others, too.

    On a processor P-Net gains nothing from a batch of pictures, so only their candidates are batched.
    """
    del cameras
    cv2.setNumThreads(config.threads)  # it would take a thread for each core otherwise
    specs = detector_specs(config)
    open_engine = opener(config)
    least_odds = [log_odds(score) for score in config.thresholds]
    sights = Sights(lambda wh: open_engine(specs.pnet(wh)), config.min_face_px, config.pyramid_factor, least_odds[0])
    sights.prepare(size_wh)
    return Cascade(sights, open_engine(specs.rnet()), open_engine(specs.onet()), (least_odds[1], least_odds[2]))


def load_embedder(config: EngineOptions, *, batch: int = 8) -> Embedder:
    """The embedder; `batch` is the most faces that one inference takes."""
    known = _known(config.embedder, EMBEDDERS)
    open_engine = opener(config)
    engines = [open_engine(spec) for spec in embedder_specs(config, batch)]
    assert known.match_threshold is not None
    return Embedder(
        engines, space=known.embedding_space, crop=crop_spec(known.name), match_threshold=known.match_threshold
    )


def crop_spec(embedder_name: str) -> CropSpec:
    """How faces must be aligned for this embedder; reads its manifest and loads no runtime."""
    known = _known(embedder_name, EMBEDDERS)
    size_wh = known.files[0].size_wh
    assert known.crop is not None
    assert size_wh is not None
    return CropSpec(size_wh[0], known.crop.template)


def opener(config: EngineOptions) -> Callable[[EngineSpec], Engine]:
    """What opens engines on the wanted backend."""
    _check_backend(config)
    from engines import openvino_engine

    return lambda spec: openvino_engine.open_engine(spec, config.cache)


def is_cached(config: EngineOptions, spec: EngineSpec) -> bool:
    _check_backend(config)
    from engines import openvino_engine

    return openvino_engine.is_cached(spec, config.cache)


def _check_backend(config: EngineOptions) -> None:
    if config.backend not in ("auto", "openvino"):
        raise SettingsError(
            f"Engines cannot be run by {config.backend} yet: it comes with a later version.",
            saw=f"backend {config.backend}",
            fix="Valid here: auto, openvino.",
        )


@dataclass(frozen=True, slots=True)
class CascadeSpecs:
    """What MTCNN's three engines are made from."""

    known: Manifest
    files: Mapping[str, Path]
    precision: Precision
    threads: int

    def pnet(self, canvas_wh: tuple[int, int]) -> EngineSpec:
        return self._spec("pnet", ("scores", "boxes"), batch=1, size_wh=canvas_wh)

    def rnet(self) -> EngineSpec:
        return self._spec("rnet", ("scores", "boxes"), batch=RNET_BATCH)

    def onet(self) -> EngineSpec:
        return self._spec("onet", ("scores", "boxes", "landmarks"), batch=ONET_BATCH)

    def _spec(
        self, part: str, outputs: tuple[str, ...], *, batch: int, size_wh: tuple[int, int] | None = None
    ) -> EngineSpec:
        return engine_spec(
            self.known,
            self.files,
            part,
            outputs,
            batch=batch,
            size_wh=size_wh,
            log_odds=("scores",),
            precision=self.precision,
            threads=self.threads,
        )


def detector_specs(config: EngineOptions) -> CascadeSpecs:
    known = _known(config.detector, DETECTORS)
    _check_precision(known, config)
    return CascadeSpecs(known, store.locate(known, config.models), config.precision, config.threads)


def embedder_specs(config: EngineOptions, batch: int) -> list[EngineSpec]:
    """Of the few batch sizes those that are not too large; there is always one for a single face."""
    known = _known(config.embedder, EMBEDDERS)
    _check_precision(known, config)
    files = store.locate(known, config.models)
    return [
        engine_spec(known, files, "net", ("embedding",), batch=size, precision=config.precision, threads=config.threads)
        for size in EMBEDDER_BATCHES
        if size <= max(batch, 1)
    ]


def _known(name: str, choices: tuple[str, ...]) -> Manifest:
    if name not in choices:
        what = "detector" if choices is DETECTORS else "embedder"
        raise ModelError(f"There is no {what} of that name.", saw=name, fix=f"Valid here: {', '.join(choices)}.")
    return manifest.load(name)


def _check_precision(known: Manifest, config: EngineOptions) -> None:
    if config.precision == "int8":
        raise ModelError(
            f"There is no INT8 file for {known.name} yet.",
            saw="precision int8",
            fix="Valid here: fp16, fp32.",
        )
