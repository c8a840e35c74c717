"""How large the numbers in a model's networks become on real pictures: makes the tables in `checkpoints/ranges`.

    python -m training.calibrate sface --data PEOPLE --images 512
    python -m training.calibrate mtcnn_reference --data PEOPLE BACKGROUNDS --min-face 20

Embedders see the middle face of each picture, cut out as at run time; the networks of a detector see what it shows
them. All run in fp32. Layers that a table leaves in floating point stay so when the table is made again.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from checkpoints import activation_ranges, manifest
from checkpoints.activation_ranges import Ranges
from checkpoints.errors import ModelError
from checkpoints.exit_code import exit_code
from checkpoints.manifest import Manifest
from engines.flags import count, seed
from engines.load import opener
from engines.models import Model
from engines.options import EngineOptions
from training import whole_file
from training.calibration_pictures import crops, looks
from training.inner_tensors import InnerTensors
from training.magnitudes import METHODS, Magnitudes
from training.pictures import find

TABLES = Path(activation_ranges.__file__).with_name("ranges")
_ANY_SIZE_WH = (64, 64)  # replaced by that of each picture

Seen = dict[str, dict[str, Magnitudes]]


def calibrate(
    known: Manifest, pictures: Sequence[Path], left: Mapping[str, Mapping[str, str]], config: EngineOptions
) -> Seen:
    """Part → tensor → how often which magnitude occurs in it; `left`: part → layers that stay in floating point."""
    shown = crops if known.role == "embedder" else looks
    seen: Seen = {file.part: {} for file in known.files}
    with TemporaryDirectory() as scratch:
        open_engine = opener(replace(config, cache=Path(scratch)))
        networks = {}
        for file in known.files:
            spec = Model(known, config.models).spec(
                config, file.part, tuple(file.outputs), size_wh=file.size_wh or _ANY_SIZE_WH
            )
            networks[file.part] = InnerTensors(spec, left[file.part], Path(scratch), open_engine)
        for views in tqdm(shown(pictures, config), desc=known.name, unit="", total=len(pictures), disable=None):
            for part, batch in views:
                for tensor, values in networks[part].run(batch):
                    seen[part].setdefault(tensor, Magnitudes()).add(values)
        for network in networks.values():
            network.close()
    return seen


def table(known: Manifest, part: str) -> str:
    return known.name if len(known.files) == 1 else f"{known.name}_{part}"


def choose(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """As many pictures of each folder, in an order that depends on the seed alone."""
    each = -(-count // len(folders))
    chosen = []
    for folder in folders:
        found = find(folder)
        chosen += random.Random(seed).sample(found, min(each, len(found)))
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    return exit_code(lambda: _make_tables(args))


def _make_tables(args: argparse.Namespace) -> int:
    known = manifest.load(args.name)
    if known.role == "asset":
        raise ModelError("Only networks can be calibrated.", saw=f"{known.name}, an asset")
    config = EngineOptions(precision="fp32", min_face_px=args.min_face, models=args.models, cache=args.cache)
    embeds = known.role == "embedder"
    config = replace(config, embedder=known.name) if embeds else replace(config, detector=known.name)
    tables = {file.part: table(known, file.part) for file in known.files}
    left = {part: _left(name) for part, name in tables.items()}
    pictures = choose(args.data, args.images, args.seed)
    seen = calibrate(known, pictures, left, config)
    made = f"{len(pictures)} pictures of {', '.join(folder.name for folder in args.data)}, seed {args.seed}"
    made += f", {args.method}, {datetime.now(tz=timezone.utc).date()}"
    for part, tensors in seen.items():
        limits = {tensor: one.limit(args.method) for tensor, one in tensors.items()}
        path = args.out / f"{tables[part]}.json"
        whole_file.write(path, activation_ranges.text(Ranges(made, limits, left[part])).encode())
        sys.stdout.write(f"{path}: {len(limits)} ranges\n")
    return 0


def _left(name: str) -> Mapping[str, str]:
    return activation_ranges.load(name).left if name in activation_ranges.names() else {}


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.calibrate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="of the model, as its manifest calls it")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders with pictures")
    parser.add_argument("--images", type=count, default=512, help="as many of each folder (%(default)s)")
    parser.add_argument("--method", choices=METHODS, default="mse", help="how a range is chosen (%(default)s)")
    parser.add_argument("--seed", type=seed, default=1, help="which pictures (%(default)s)")
    parser.add_argument("--min-face", type=count, default=20, help="of the detector, in pixels (%(default)s)")
    parser.add_argument("--models", type=Path, default=Path("data/models"), help="folder of the model files")
    parser.add_argument("--cache", type=Path, default=Path("data/engines"), help="folder of compiled engines")
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
