"""Models that a user brings along: an ONNX file with a manifest beside it, model.onnx and model.json.

What has several files can be named by its manifest as well, which may then have a name of its own.

    python -m checkpoints.brought detector|embedder MODEL.onnx

prints what a manifest can be filled in with from the file alone. Files that are pickles are never opened: reading one
runs whatever it says.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checkpoints import json_text, manifest, store
from checkpoints.draft import draft, open_points
from checkpoints.errors import ModelError
from checkpoints.exit_code import exit_code
from checkpoints.manifest import Family, Manifest, Role

# What the outputs of each family are called in a manifest. A cascade says how sure it is in either of two ways: as
# softmax over (no, yes), "scores", or as "log_odds", which is what its engines give in the end.
MEANINGS: dict[Family, tuple[str, ...]] = {
    "mtcnn": ("scores", "boxes"),
    "yunet": tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)),
    "retinaface": ("loc", "conf", "landms"),
    "scrfd": tuple(f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)),
}
# Where landmarks belong in a crop, under the name that a manifest may give instead.
CROPS: dict[str, list[list[float]]] = {
    "arcface112": [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
}
_PICKLES = frozenset({".bin", ".ckpt", ".joblib", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth", ".t7"})
_PLANS = frozenset({".engine", ".plan", ".trt"})


def find(path: Path, role: Role) -> tuple[Manifest, Path]:
    """The manifest beside the file, and the folder that holds the model's files; all of them are checked."""
    beside = path.with_suffix(".json")
    if path == beside and not path.is_file():
        raise ModelError("There is no such manifest.", saw=str(path), fix="Name one, or an ONNX file, that is there.")
    if path != beside:
        _check_kind(path)
    try:
        text = beside.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _without_manifest(path, beside, role) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"The manifest {beside} cannot be read.", saw=str(error)) from error
    known = manifest.parse(_completed(text, role), str(beside), brought_as=path.stem)
    _check_content(known, role, path, beside)
    for file in known.files:
        _check_kind(path.parent / file.name)
        _check_file(path.parent / file.name, file.sha256, beside)
    return known, path.parent


def _check_kind(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise ModelError(
            "Files of this kind may be pickles, which are programs: they are never opened.",
            saw=str(path),
            fix="Export the network to ONNX where you trust the file, and bring that.",
        )
    if suffix in _PLANS:
        raise ModelError(
            "Engines are built on the machine that runs them, from ONNX files: plans from elsewhere are not opened.",
            saw=str(path),
            fix="Bring the ONNX file that the plan was made from.",
        )
    if suffix != ".onnx":
        raise ModelError("A model that you bring must be an ONNX file.", saw=str(path), fix="Name a file ….onnx.")
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise ModelError(
            "There is no such model.", saw=f"{path}: {error.strerror}", fix="Name an ONNX file that is there."
        ) from error
    # The first bytes of pickles, of PyTorch's zip of pickles and of NumPy's arrays; no ONNX file begins like that.
    if start[:1] == b"\x80" or start.startswith((b"PK", b"\x93NUM")):
        raise ModelError(
            f"{path.name} is a pickle or an archive that may hold some: it is not opened further.",
            saw=f"its first bytes are {start!r}",
            fix="Export the network to ONNX where you trust the file, and bring that.",
        )


def _completed(text: str, role: Role) -> str:
    """What the user may leave out or call by a name is put in; everything else is for `manifest.parse` to judge."""
    try:
        content: Any = json_text.read(text)
    except ValueError:
        return text
    if isinstance(content, dict):
        content.setdefault("role", role)
        if isinstance(content.get("crop"), str) and content["crop"] in CROPS:
            content["crop"] = {"name": content["crop"], "template": CROPS[content["crop"]]}
    return json.dumps(content)


def _check_content(known: Manifest, role: Role, path: Path, beside: Path) -> None:
    wrong = []
    if known.role != role:
        wrong.append(f"role: is {known.role}, but it is to be the {role}")
    if path != beside and path.name not in [file.name for file in known.files]:
        wrong.append(f"files: none of them is {path.name}")
    parts = ("pnet", "rnet", "onet") if known.family == "mtcnn" else ("net",)
    if sorted(file.part for file in known.files) != sorted(parts):
        wrong.append(f"files: their parts must be {', '.join(parts)}, are {[file.part for file in known.files]}")
    for file in known.files:
        needed = ("embedding",) if known.family is None else MEANINGS[known.family]
        if known.family == "mtcnn" and "log_odds" in file.outputs:
            needed = ("log_odds", "boxes")
        if file.part == "onet":
            needed = (*needed, "landmarks")
        missing = [meaning for meaning in needed if meaning not in file.outputs]
        if missing:
            wrong.append(f"files, {file.part}: outputs must also name {', '.join(missing)}")
        if file.size_wh is None and (role == "embedder" or file.part in ("rnet", "onet")):
            wrong.append(f"files, {file.part}: size_wh must be [width, height], is null")
    if wrong:
        raise ModelError(f"{beside} does not describe a model that can be used.", saw="\n".join(wrong))


def _check_file(path: Path, sha256: str, beside: Path) -> None:
    found = store.sha256_of(path)
    if found != sha256:
        raise ModelError(
            f"{path.name} is not the file that its manifest describes.",
            saw=f"{path} with sha256 {found}",
            fix=f"{beside} says {sha256}. Correct it there if this is the file that you mean.",
        )


def _without_manifest(path: Path, beside: Path, role: Role) -> ModelError:
    content = draft(path, role)
    return ModelError(
        f"The model {path.name} needs a manifest beside it, which says how it is to be used.",
        saw=f"no file {beside}",
        fix=f"Put this text there and fill in what is null ({', '.join(open_points(content, role))}):\n"
        f"{_as_text(content)}\n"
        f"The same text comes from: python -m checkpoints.brought {role} {path} > {beside}",
    )


def _as_text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m checkpoints.brought", description="Begin the manifest of a model that you bring."
    )
    parser.add_argument("role", choices=("detector", "embedder"))
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    args = parser.parse_args(arguments)
    return exit_code(lambda: _draft(args.model, args.role))


def _draft(model: Path, role: Role) -> int:
    _check_kind(model)
    content = draft(model, role)
    sys.stdout.write(f"{_as_text(content)}\n")
    sys.stderr.write(f"To be filled in: {', '.join(open_points(content, role))}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
