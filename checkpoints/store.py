"""Where files lie: in the models folder, or with the program. None is loaded whose sha256 is not its manifest's."""

from __future__ import annotations

import hashlib
from pathlib import Path

from checkpoints.errors import ModelError
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile, QuantisedFile

DEFAULT_MODELS = Path(__file__).resolve().parent.parent / "data" / "models"
# Networks that were trained for this program lie beside its code: they are not fetched.
TRAINED = Path(__file__).resolve().parent / "trained"

# What this process has checked: (path, size, time of last change) → sha256. A file that changes is read again.
_checked: dict[tuple[Path, int, int], str] = {}


def locate(manifest: Manifest, models_dir: Path, *, int8: bool = False) -> dict[str, Path]:
    """The files of a model, by part, each of them checked; with `int8` the INT8 twins of those that have one."""
    return {file.part: file_path(manifest, _wanted(file, int8), models_dir) for file in manifest.files}


def file_path(manifest: Manifest, file: ModelFile | QuantisedFile, models_dir: Path) -> Path:
    path = place(file, models_dir)
    how_to_get = _how_to_get(manifest, file, models_dir)
    if not path.is_file():
        raise ModelError(
            f"The model {manifest.name} needs the file {file.name}, which is not there.",
            saw=f"no file {path}",
            fix=f"{how_to_get}\nOr put the file with sha256 {file.sha256} there yourself.",
        )
    found = sha256_of(path)
    if found != file.sha256:
        raise ModelError(
            f"The file {file.name} of the model {manifest.name} is not the one that its manifest describes.",
            saw=f"{path} with sha256 {found}",
            fix=f"{how_to_get}\nThe right file has sha256 {file.sha256}.",
        )
    return path


def is_there(file: ModelFile | QuantisedFile, models_dir: Path) -> bool:
    return _is_right(place(file, models_dir), file)


def place(file: ModelFile | QuantisedFile, models_dir: Path) -> Path:
    """Where the file is, or where it is missing: what does not come with the program belongs in the models folder."""
    ours = TRAINED / file.name
    return ours if _is_right(ours, file) else models_dir / file.name


def sha256_of(path: Path) -> str:
    """Read once for each process, unless the file changes."""
    try:
        state = path.stat()
        key = (path.resolve(), state.st_size, state.st_mtime_ns)
        if key not in _checked:
            with path.open("rb") as stream:
                digest = hashlib.sha256()
                while block := stream.read(1 << 20):
                    digest.update(block)
            _checked[key] = digest.hexdigest()
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read.", saw=str(error)) from error
    return _checked[key]


def _wanted(file: ModelFile, int8: bool) -> ModelFile | QuantisedFile:
    return file.int8 if int8 and file.int8 is not None else file


def _is_right(path: Path, file: ModelFile | QuantisedFile) -> bool:
    return path.is_file() and sha256_of(path) == file.sha256


def _how_to_get(manifest: Manifest, file: ModelFile | QuantisedFile, models_dir: Path) -> str:
    if isinstance(file, ModelFile) and file.source is None:
        return f"It belongs to the program, as {TRAINED / file.name}: install that again."
    return f"Run: python -m checkpoints.fetch {manifest.name}{_models_flag(models_dir)}"


def _models_flag(models_dir: Path) -> str:
    return "" if models_dir.resolve() == DEFAULT_MODELS else f" --models {models_dir}"
