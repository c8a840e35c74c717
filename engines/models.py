"""From what the options name to a manifest and the folder where its files lie; no runtime is loaded for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checkpoints import manifest, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Manifest, Role
from engines.engine import Engine
from engines.options import EngineOptions
from engines.spec import EngineSpec, engine_spec

OpenEngine = Callable[[EngineSpec], Engine]


@dataclass(frozen=True, slots=True)
class Model:
    known: Manifest
    folder: Path

    def spec(
        self,
        config: EngineOptions,
        part: str,
        outputs: tuple[str, ...],
        *,
        batch: int = 1,
        size_wh: tuple[int, int] | None = None,
        log_odds: tuple[str, ...] = (),
    ) -> EngineSpec:
        """`outputs` and `log_odds` are meanings as in the manifest; every file of the model is checked first."""
        return engine_spec(
            self.known,
            store.locate(self.known, self.folder, int8=config.precision == "int8"),
            part,
            outputs,
            batch=batch,
            size_wh=size_wh,
            log_odds=log_odds,
            precision=config.precision,
            threads=config.threads,
        )


def detector_model(config: EngineOptions) -> Model:
    return _model(config.detector, "detector", config.models)


def embedder_model(config: EngineOptions) -> Model:
    return _model(config.embedder, "embedder", config.models)


def crop_px(config: EngineOptions) -> int:
    """Side of the crops that the embedder takes."""
    model = embedder_model(config)
    size_wh = model.known.files[0].size_wh
    if size_wh is None or size_wh[0] != size_wh[1]:
        raise ModelError(
            f"{model.known.name} takes no square crops of faces of one size.",
            saw=f"size_wh {size_wh} in its manifest",
            fix="An embedder's manifest names the one size that it takes, such as [112, 112].",
        )
    return size_wh[0]


def names(role: Role) -> tuple[str, ...]:
    """The models of this kind that need nothing but their name."""
    return tuple(name for name in manifest.names() if manifest.load(name).role == role)


def is_brought(name: str) -> bool:
    """Whether it is the path of a file that somebody brings."""
    return bool(Path(name).suffix) or Path(name).parent != Path()


def _model(name: str, role: Role, models_dir: Path) -> Model:
    if is_brought(name):
        from checkpoints import brought  # takes an ONNX file apart, which the others have no use for

        return Model(*brought.find(Path(name), role))
    if name not in names(role):
        fix = f"Valid here: {', '.join(names(role))}, or the path of an ONNX file with a manifest beside it."
        raise ModelError(f"There is no {role} of that name.", saw=name, fix=fix)
    return Model(manifest.load(name), models_dir)
