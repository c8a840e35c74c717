"""Three networks that make a cascade, wherever they come from: what is compared need not be installed first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from checkpoints import manifest, onnx_file
from checkpoints.errors import ModelError
from engines.cascade import LEAST_SCORES, Cascade, log_odds
from engines.engine import Engine
from engines.load import ONET_BATCH, RNET_BATCH
from engines.models import Model, OpenEngine
from engines.options import EngineOptions, Precision
from engines.sights import Sights
from engines.spec import EngineSpec
from training.shapes import PARTS, WINDOW_PX, Part

BATCHES: Mapping[Part, int] = {"pnet": 1, "rnet": RNET_BATCH, "onet": ONET_BATCH}
SUFFIXES = (".onnx", ".pt")
PLACES = (
    "A model's name, a folder with pnet, rnet and onet (.onnx, .pt or /best.pt), or three of such places or files,\n"
    "with commas between them. Behind each may stand @fp32, @fp16 or @int8."
)
_PRECISIONS: dict[str, Precision] = {"fp32": "fp32", "fp16": "fp16", "int8": "int8"}


@dataclass(frozen=True, slots=True)
class Trio:
    """networks  what an engine is made of; P-Net's size is that of a single window"""

    name: str
    networks: Mapping[Part, EngineSpec]

    def engine(
        self, open_engine: OpenEngine, part: Part, *, batch: int | None = None, size_wh: tuple[int, int] | None = None
    ) -> Engine:
        spec = self.networks[part]
        return open_engine(replace(spec, batch=batch or spec.batch, size_wh=size_wh or spec.size_wh))

    def sights(self, open_engine: OpenEngine, config: EngineOptions, least_score: float) -> Sights:
        return Sights(
            lambda canvas_wh: self.engine(open_engine, "pnet", size_wh=canvas_wh),
            config.min_face_px,
            config.pyramid_factor,
            log_odds(least_score),
        )

    def cascade(self, open_engine: OpenEngine, config: EngineOptions) -> Cascade:
        first, *others = config.thresholds or LEAST_SCORES
        rnet, onet = (self.engine(open_engine, part) for part in ("rnet", "onet"))
        return Cascade(self.sights(open_engine, config, first), rnet, onet, (log_odds(others[0]), log_odds(others[1])))


def find(name: str, where: str, config: EngineOptions, scratch: Path) -> Trio:
    """`scratch` takes the ONNX files that checkpoints are made into; it must stay as long as engines are opened."""
    places = where.split(",")
    if len(places) not in (1, len(PARTS)):
        raise ModelError("A cascade has three networks.", saw=f"{name}={where}", fix=PLACES)
    each = places * len(PARTS) if len(places) == 1 else places
    networks = {part: network(part, place, config, scratch) for part, place in zip(PARTS, each, strict=True)}
    return Trio(name, networks)


def network(part: Part, place: str, config: EngineOptions, scratch: Path) -> EngineSpec:
    place, _, wanted = place.partition("@")
    if wanted and wanted not in _PRECISIONS:
        raise ModelError("There is no precision of that name.", saw=f"{place}@{wanted}", fix=PLACES)
    if place in manifest.names():
        return _installed(part, place, replace(config, precision=_PRECISIONS[wanted or "fp32"]))
    file = _file(part, Path(place))
    if file.suffix == ".pt":
        file = _exported(part, file, scratch)
    raw = file.read_bytes()
    rounds = _rounds(file, raw)
    return EngineSpec(
        name=part,
        model=file,
        sha256=hashlib.sha256(raw).hexdigest(),
        batch=BATCHES[part],
        size_wh=(WINDOW_PX[part],) * 2,
        input="pictures",
        layout="NCHW",
        colour="BGR",
        mean=(128.0,) * 3,
        scale=(1 / 128,) * 3,
        outputs=("log_odds", "boxes", "landmarks")[: 3 if part == "onet" else 2],
        log_odds=(),
        precision=_PRECISIONS[wanted or ("int8" if rounds else "fp32")],
        threads=config.threads,
        pairs=rounds,
    )


def _installed(part: Part, name: str, config: EngineOptions) -> EngineSpec:
    known = manifest.load(name)
    if known.family != "mtcnn":
        raise ModelError("This model is no cascade.", saw=name, fix=PLACES)
    odds = "log_odds" if "log_odds" in known.file(part).outputs else "scores"
    outputs = (odds, "boxes", "landmarks")[: 3 if part == "onet" else 2]
    return Model(known, config.models).spec(
        config,
        part,
        outputs,
        batch=BATCHES[part],
        size_wh=(WINDOW_PX[part],) * 2,
        log_odds=("scores",) if odds == "scores" else (),
    )


def _file(part: Part, path: Path) -> Path:
    if path.is_dir():
        names = (*(f"{part}{suffix}" for suffix in SUFFIXES), f"{part}/best.pt")
        found = [path / name for name in names if (path / name).is_file()]
        if not found:
            raise ModelError(f"There is no {part} in this folder.", saw=str(path), fix=PLACES)
        return found[0]
    if path.suffix not in SUFFIXES or not path.is_file():
        raise ModelError(f"There is no such place to take the {part} from.", saw=str(path), fix=PLACES)
    return path


def _exported(part: Part, checkpoint: Path, scratch: Path) -> Path:
    from training import checkpoint as checkpoints  # needs torch, which ONNX files can do without
    from training.export import onnx_bytes

    raw = onnx_bytes(checkpoints.load(checkpoint, part))
    path = scratch / f"{part}-{hashlib.sha256(raw).hexdigest()[:16]}.onnx"
    path.write_bytes(raw)
    return path


def _rounds(path: Path, raw: bytes) -> bool:
    try:
        read = onnx_file.read(raw)
    except ValueError as error:
        raise ModelError("This is not a whole ONNX file.", saw=f"{path}: {error}") from error
    return any(node.op == "QuantizeLinear" for node in read.nodes)
