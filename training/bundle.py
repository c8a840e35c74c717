"""The three files of a trained cascade and the manifest that names them, put where the program finds them.

    python -m training.bundle exported --name my_cascade --out cascade --origin "my own pictures"
    python -m app.main --detector cascade/my_cascade.json

A file bears part of its own sha256 in its name. So new files never take the place of old ones, and it is the manifest
alone, replaced in one step, that makes the program change from the old cascade to the new one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checkpoints import fields, manifest, onnx_file
from checkpoints.errors import DataError, ModelError, OutputError
from checkpoints.exit_code import exit_code
from training import whole_file
from training.nets import MEAN, SCALE
from training.shapes import PARTS, WINDOW_PX, Part

_WIDTHS = {"log_odds": 1, "boxes": 4, "landmarks": 10}
_NOTES = (
    "log_odds: log(yes / no) that there is a face. boxes: dx1, dy1, dx2, dy2, to be multiplied by the width (x) or "
    "height (y) of the candidate and added to its corners x1, y1, x2, y2. landmarks: x1…x5, then y1…y5, fractions of "
    "the width and height of the candidate from its corner x1, y1; in the order eye on the left of the picture, eye on "
    "its right, nose, mouth corner left, right. P-Net takes any even size from 12 × 12; its maps (N, rows, columns, "
    "channels) have stride 2 and a window of 12: cell (row, column) looks at the pixels x from 2·column to "
    "2·column + 11, y from 2·row to 2·row + 11."
)


@dataclass(frozen=True, slots=True)
class About:
    """What a manifest tells people.

    origin   how the networks came to be, and out of which data
    figures  what was measured with these very files
    """

    title: str
    origin: str
    licence: str = "Apache-2.0"
    figures: Mapping[str, float] = field(default_factory=dict)


def bundle(
    networks: Mapping[Part, bytes], folder: Path, name: str, about: About, *, manifests: Path | None = None
) -> Path:
    """The manifest's path: NAME.json in `manifests`, or else beside the files in `folder`.

    Whatever interrupts it, there is one whole cascade of that name: the old one or the new one.
    """
    if missing := [part for part in PARTS if part not in networks]:
        raise ModelError(
            "A cascade has three networks.", saw=f"no {', '.join(missing)}", fix="Export all of them first."
        )
    files = [_entry(part, networks[part], name) for part in PARTS]
    text = json.dumps(_content(name, about, files), indent=4, ensure_ascii=False, allow_nan=False) + "\n"
    path = (folder if manifests is None else manifests) / f"{name}.json"
    manifest.parse(text, str(path))
    for part, file in zip(PARTS, files, strict=True):
        whole_file.write(folder / file["name"], networks[part])
    whole_file.write(path, text.encode())
    _clear_away(folder, name, {file["name"] for file in files})
    return path


def _content(name: str, about: About, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "role": "detector",
        "family": "mtcnn",
        "title": about.title,
        "licence": about.licence,
        "origin": about.origin,
        "files": files,
        "layout": "NCHW",
        "colour": "BGR",
        "mean": MEAN,
        "scale": SCALE,
        "scores": {"pairs": None, "dir_at_fpir_1": None},
        "figures": dict(about.figures) or None,
        "notes": _NOTES,
    }


def _entry(part: Part, raw: bytes, name: str) -> dict[str, Any]:
    """The file's part of the manifest; ModelError where the network does not give what the cascade reads."""
    try:
        network = onnx_file.read(raw)
    except ValueError as error:  # bytes that are no message, no text or no tensor
        raise ModelError(f"What was exported as {part} is no ONNX file.", saw=str(error)) from error
    given = {value.name: value.shape[-1:] for value in network.outputs}
    wanted = {meaning: (width,) for meaning, width in _WIDTHS.items() if part == "onet" or meaning != "landmarks"}
    if given != wanted or len(network.inputs) != 1:
        raise ModelError(
            f"What was exported as {part} is another network.", saw=f"outputs {given}", fix=f"want {wanted}"
        )
    sha256 = hashlib.sha256(raw).hexdigest()
    return {
        "part": part,
        "name": f"{name}_{part}_{sha256[:8]}.onnx",
        "sha256": sha256,
        "size_wh": None if part == "pnet" else [WINDOW_PX[part]] * 2,
        "input": network.inputs[0].name,
        "outputs": {meaning: meaning for meaning in wanted},
        "pairs": any(node.op == "QuantizeLinear" for node in network.nodes),
        "source": None,
        "int8": None,
    }


def _clear_away(folder: Path, name: str, kept: set[str]) -> None:
    """The files of older cascades of this name, which no manifest names any more."""
    ours = re.compile(rf"{re.escape(name)}_({'|'.join(PARTS)})_[0-9a-f]{{8}}\.onnx")
    for old in [path for path in folder.iterdir() if ours.fullmatch(path.name) and path.name not in kept]:
        try:
            old.unlink()
        except OSError as error:
            fix = "The new cascade is whole. Delete the old file by hand."
            raise OutputError("An old file cannot be deleted.", saw=f"{old}: {error.strerror}", fix=fix) from error


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    return exit_code(lambda: _bundle(args))


def _bundle(args: argparse.Namespace) -> int:
    networks = {part: _read(args.exported / f"{part}.onnx") for part in PARTS}
    figures = {} if args.figures is None else _figures(args.figures)
    about = About(args.title, args.origin, figures=figures)
    path = bundle(networks, args.out, args.name, about, manifests=args.manifests)
    sys.stdout.write(f"{path}: {sum(map(len, networks.values())) / 1e6:.2f} MB in three files in {args.out}\n")
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fix = "Write it with python -m training.export."
        raise ModelError("A network cannot be read.", saw=f"{path}: {error.strerror}", fix=fix) from error


def _figures(path: Path) -> dict[str, float]:
    """From a JSON file of names and numbers."""
    try:
        read = fields.Fields({"figures": json.loads(path.read_text(encoding="utf-8"))})
    except (OSError, ValueError) as error:
        raise DataError("The figures cannot be read.", saw=f"{path}: {error}", fix="Give a JSON file.") from error
    figures = read.numbers("figures")
    if read.wrong:
        raise DataError("The figures cannot be read.", saw=f"{path}: {read.wrong[0]}", fix='Like {"ap": 0.9}.')
    return figures


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m training.bundle",
        description=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("exported", type=Path, help="folder with pnet.onnx, rnet.onnx and onet.onnx")
    parser.add_argument("--name", required=True, type=_name, help="what --detector calls it where it is built in")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the files")
    parser.add_argument("--manifests", type=Path, metavar="DIR", help="for the manifest (beside the files)")
    parser.add_argument("--title", default="A cascade of three small nets, trained by training.run")
    parser.add_argument("--origin", required=True, metavar="TEXT", help="on what it was trained")
    parser.add_argument("--figures", type=Path, metavar="JSON", help="names and numbers, kept in the manifest")
    return parser.parse_args(arguments)


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise argparse.ArgumentTypeError(f"{text} is not a name of small letters, digits and _")
    return text


if __name__ == "__main__":
    sys.exit(main())
