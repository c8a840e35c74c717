"""From names in the options to a detector or an embedder that is ready to run.

The runtime is imported when an engine is opened and not before: who only aligns faces does not pay for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2

from checkpoints.errors import ModelError
from checkpoints.manifest import Family
from engines import backends, gate
from engines.align import CropSpec
from engines.cascade import LEAST_SCORES, Cascade, log_odds
from engines.detector import Detector
from engines.drift import SCENE_WH, drift_of_detector, drift_of_embedder
from engines.embedder import Embedder
from engines.engine import Engine
from engines.models import Model, OpenEngine, crop_px, detector_model, embedder_model
from engines.options import EngineOptions
from engines.retinaface import RETINAFACE
from engines.scrfd import SCRFD
from engines.sights import Sights
from engines.single_stage import Kind
from engines.spec import EngineSpec
from engines.yunet import YUNET

RNET_BATCH = 28  # two of them hold what a 640×360 picture gives; 32 and 64 are a few per cent slower there
ONET_BATCH = 4
EMBEDDER_BATCHES = (1, 4)  # larger ones gain nothing more on a processor
MAX_EMBEDDER_BATCH = max(EMBEDDER_BATCHES)


def load_detector(
    config: EngineOptions, *, cameras: int = 1, size_wh: tuple[int, int], open_engine: OpenEngine | None = None
) -> Detector:
    """The detector for up to `cameras` pictures at once, most of them of `size_wh`; it takes others, too.

    On a processor no network gains from a batch of pictures, so only the cascade's candidates are batched.
    """
    del cameras
    cv2.setNumThreads(config.threads)  # it would take a thread for each core otherwise
    model = detector_model(config)
    if open_engine is None:
        open_engine = opener(config)
    detector = _detector(config, model, open_engine, size_wh)
    gate.ensure(model, config, lambda fp32: drift_of_detector(detector, load_detector(fp32, size_wh=SCENE_WH)))
    return detector


def load_embedder(config: EngineOptions, *, batch: int = 8, open_engine: OpenEngine | None = None) -> Embedder:
    """The embedder; `batch` is the most faces that one inference takes."""
    model = embedder_model(config)
    if open_engine is None:
        open_engine = opener(config)
    specs = [model.spec(config, "net", ("embedding",), batch=n) for n in EMBEDDER_BATCHES if n <= max(batch, 1)]
    assert model.known.match_threshold is not None
    embedder = Embedder(
        [open_engine(spec) for spec in specs],
        space=model.known.embedding_space,
        crop=crop_spec(config),
        match_threshold=model.known.match_threshold,
    )
    if embedder.dim != model.known.embedding_dim:
        embedder.close()
        raise ModelError(
            f"{model.known.name} does not give what its manifest says.",
            saw=f"embeddings of {embedder.dim} numbers, embedding_dim {model.known.embedding_dim} in the manifest",
            fix="Put the right number into the manifest.",
        )
    gate.ensure(model, config, lambda fp32: drift_of_embedder(embedder, load_embedder(fp32, batch=1)))
    return embedder


def crop_spec(config: EngineOptions) -> CropSpec:
    """How faces must be aligned for the embedder; reads its manifest and loads no runtime."""
    crop = embedder_model(config).known.crop
    assert crop is not None
    return CropSpec(crop_px(config), crop.template, crop.stretch)


def opener(config: EngineOptions) -> OpenEngine:
    """What opens engines on the wanted backend."""
    runtime = _runtime(config)
    return lambda spec: runtime.open_engine(spec, config.cache)


def is_cached(config: EngineOptions, spec: EngineSpec) -> bool:
    """Whether opening it takes no building."""
    return _runtime(config).is_cached(spec, config.cache)


class _Runtime(Protocol):
    def open_engine(self, spec: EngineSpec, cache: Path) -> Engine: ...

    def is_cached(self, spec: EngineSpec, cache: Path) -> bool: ...


def _runtime(config: EngineOptions) -> _Runtime:
    name = backends.choose(config.backend)
    if name == "tensorrt":
        from engines import tensorrt_engine

        return tensorrt_engine
    if name == "onnx":
        from engines import onnx_engine

        return onnx_engine
    from engines import openvino_engine

    return openvino_engine


def _detector(config: EngineOptions, model: Model, open_engine: OpenEngine, size_wh: tuple[int, int]) -> Detector:
    if model.known.family == "mtcnn":
        return _cascade(config, model, open_engine, size_wh)
    return _single_stage(config, model, open_engine, size_wh)


def _cascade(config: EngineOptions, model: Model, open_engine: OpenEngine, size_wh: tuple[int, int]) -> Cascade:
    def spec(part: str, *more: str, batch: int, size_wh: tuple[int, int] | None = None) -> EngineSpec:
        # Files either give log odds themselves or a softmax, out of which the engine makes them.
        odds = "log_odds" if "log_odds" in model.known.file(part).outputs else "scores"
        softmax = ("scores",) if odds == "scores" else ()
        return model.spec(config, part, (odds, "boxes", *more), batch=batch, size_wh=size_wh, log_odds=softmax)

    least_odds = [log_odds(score) for score in config.thresholds or LEAST_SCORES]

    def opened(widths: tuple[int, ...], wanted: EngineSpec) -> Engine:
        engine = open_engine(wanted)
        if (found := tuple(shape[-1] for shape in engine.output_shapes)) != widths:
            engine.close()
            raise ModelError(
                f"{wanted.name} does not give what its manifest says.",
                saw=f"{', '.join(wanted.outputs)} with {found} numbers each",
                fix=f"A network of this part gives {widths} numbers: see that the outputs are not exchanged.",
            )
        return engine

    sights = Sights(
        lambda canvas_wh: opened((1, 4), spec("pnet", batch=1, size_wh=canvas_wh)),
        config.min_face_px,
        config.pyramid_factor,
        least_odds[0],
    )
    sights.prepare(size_wh)
    rnet = opened((1, 4), spec("rnet", batch=RNET_BATCH))
    onet = opened((1, 4, 10), spec("onet", "landmarks", batch=ONET_BATCH))
    return Cascade(sights, rnet, onet, (least_odds[1], least_odds[2]))


def _single_stage(config: EngineOptions, model: Model, open_engine: OpenEngine, size_wh: tuple[int, int]) -> Detector:
    kinds: dict[Family | None, Kind] = {"yunet": YUNET, "retinaface": RETINAFACE, "scrfd": SCRFD}
    kind = kinds[model.known.family]
    detector = kind.detector(
        lambda sheet_wh: open_engine(model.spec(config, "net", kind.outputs, size_wh=sheet_wh)),
        min_face_px=config.min_face_px,
        least_score=None if config.thresholds is None else config.thresholds[-1],
        fixed_wh=model.known.files[0].size_wh,
    )
    detector.prepare(size_wh)
    return detector
