"""The whole way: labels, samples, three networks, rounding, pruning, ONNX files, and what they are worth.

    python -m training.run --preset tiny                                    # a trial: pictures are drawn, a minute
    python -m training.run --preset cpu --people PEOPLE --backgrounds PLACES --measure FACES
    python -m training.run --preset full --pictures WIDER --measure FACES

PEOPLE and PLACES are folders of pictures, which the teachers label, or folders that training.prepare has written;
WIDER is one of those. FACES are labelled pictures that nothing is learnt from. OUT gets all that is made, at the end
the networks as OUT/onnx and what they are worth as OUT/findings; the same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from checkpoints import manifest, store
from checkpoints.errors import DataError
from checkpoints.exit_code import GOES_ON, exit_code
from engines.flags import count
from engines.options import EngineOptions
from training import (
    checkpoint,
    diary,
    distill,
    labels,
    mine,
    prepare,
    prune,
    teacher_odds,
    toy,
    trio,
    validate,
    whole_file,
)
from training.course import Course
from training.export import export
from training.findings import Findings
from training.fit import fit
from training.nets import Net
from training.operating_point import moved
from training.presets import PRESETS, Lesson, Preset
from training.prune import Samples
from training.quantised import QuantisedNet
from training.shapes import PARTS, Part, shape

CASCADES = ("fp32", "int8", "pruned")
REFERENCE = "mtcnn_reference"


@dataclass(frozen=True, slots=True)
class Material:
    """Folders with labels, and those to measure with."""

    people: Sequence[Path]
    backgrounds: Sequence[Path]
    pictures: Sequence[Path]
    measure: Path | None


def run(preset: Preset, material: Material, folder: Path, threads: int) -> Findings:
    people, backgrounds, pictures = (
        [picture for labelled in folders for picture in labels.read(labelled)]
        for folders in (material.people, material.backgrounds, material.pictures)
    )
    torch.set_num_threads(threads)
    before: list[Path] = []
    for part in PARTS:
        lesson, samples = preset.lessons[part], folder / "samples" / part
        if lesson.looks_around is not None:
            first = folder / "samples" / f"{part}_at_random"
            mine.mine(part, people, backgrounds, pictures, before, lesson.mining, first)
            _fit(
                _new(part, lesson),
                _opened(first, part, lesson.looks_around),
                lesson.looks_around,
                folder / part / "at_random",
            )
            own = [*before, folder / part / "at_random" / "best.pt"]
            mine.mine(part, people, backgrounds, pictures, own, replace(lesson.mining, seed=2), samples)
        else:
            mine.mine(part, people, backgrounds, pictures, before, lesson.mining, samples)
        before.append(_teach(part, lesson, _opened(samples, part, lesson.course), folder / part))
    for kind in CASCADES:
        nets = [checkpoint.load(folder / part / kind / "best.pt", part) for part in PARTS]
        said = [moved(net, preset.least_scores[net.shape.part]) for net in nets]
        for part, exported in export(said).items():
            sys.stderr.write(f"{kind} {part}: {exported}\n")
            whole_file.write(folder / "onnx" / kind / f"{part}.onnx", exported.raw)
    return _judge(preset, material, folder)


def _opened(folder: Path, part: Part, course: Course) -> Samples:
    if course.teacher and not teacher_odds.is_there(folder / "taught"):
        distill.ask_by_name(part, folder, REFERENCE, EngineOptions())
    return prune.opened(folder, part, course)


def _new(part: Part, lesson: Lesson) -> Net:
    torch.manual_seed(lesson.course.seed)
    return Net(shape(part, lesson.form))


def _teach(part: Part, lesson: Lesson, samples: Samples, own: Path) -> Path:
    """The network in full, then rounded, then small and rounded; the checkpoint of the first."""
    _fit(_new(part, lesson), samples, lesson.course, own / "fp32")
    _round(own / "fp32" / "best.pt", samples, lesson.rounding, own / "int8")
    net = checkpoint.load(own / "fp32" / "best.pt", part)
    assert isinstance(net, Net)
    prune.prune(net, samples, lesson.cuts, lesson.recovery, own / "cuts")
    _round(own / "cuts" / "pruned" / "best.pt", samples, lesson.rounding, own / "pruned")
    return own / "fp32" / "best.pt"


def _round(path: Path, samples: Samples, course: Course, folder: Path) -> None:
    net = checkpoint.load(path)
    assert isinstance(net, Net)
    _fit(QuantisedNet(net), samples, course, folder)


def _fit(net: checkpoint.AnyNet, samples: Samples, course: Course, folder: Path) -> None:
    trial = fit(net, samples.taught, samples.held_out, course, folder, teacher_odds=samples.teacher_odds)
    sys.stderr.write(f"{folder}: {trial}\n")


def _judge(preset: Preset, material: Material, folder: Path) -> Findings:
    with tempfile.TemporaryDirectory(prefix="facewire-judging-") as scratch:
        config = EngineOptions(min_face_px=20, cache=Path(scratch))
        places = {name: str(folder / "onnx" / name) for name in CASCADES}
        if _has_reference(config.models):
            places = {"reference": f"{REFERENCE}@fp32", "reference int8": f"{REFERENCE}@int8"} | places
        trios = [trio.find(name, place, config, Path(scratch)) for name, place in places.items()]
        findings = validate.validate(
            trios, config, against="fp32", data=material.measure, samples=folder / "samples", seconds=preset.seconds
        )
    validate.keep(findings, folder / "findings")
    return findings


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    return exit_code(lambda: _run(args), GOES_ON)


def _run(args: argparse.Namespace) -> int:
    began_s = time.monotonic()
    preset = PRESETS[args.preset]
    args.out = args.out or Path("data/training") / args.preset
    findings = run(preset, _material(args), args.out, args.threads)
    sys.stdout.write(findings.tables())
    sys.stdout.write(f"{args.out / 'onnx'}\n")
    if args.log is not None:
        diary.add(args.log, args.preset, findings, time.monotonic() - began_s)
    return 0


def _material(args: argparse.Namespace) -> Material:
    if args.people and not args.backgrounds:  # before the teachers have looked at all of them
        raise DataError("Scenes of people need backgrounds.", saw="--people without --backgrounds")
    if not (args.people or args.pictures) and (args.backgrounds or args.preset != "tiny"):
        raise DataError(
            "There are no faces to learn from.",
            saw=f"--preset {args.preset} without --people and --pictures",
            fix="Only the preset tiny makes pictures of its own. Give --people and --backgrounds, or --pictures.",
        )
    if not (args.people or args.pictures):
        face, places = toy.make(args.out / "toy")
        return Material([face], [places], [], args.measure)
    people, backgrounds = (
        [_labelled(folder, args, name, no_faces=no_faces) for folder in folders]
        for name, folders, no_faces in (("people", args.people, False), ("backgrounds", args.backgrounds, True))
    )
    return Material(people, backgrounds, args.pictures, args.measure)


def _labelled(folder: Path, args: argparse.Namespace, name: str, *, no_faces: bool) -> Path:
    """The folder itself if it has labels, or else one with what the teachers say of its pictures."""
    if (folder / labels.NAME).is_file():
        return folder
    out = Path(args.out) / "labels" / name / folder.absolute().name
    if not labels.are_of(out, folder):
        default = EngineOptions()
        told = {"images": folder, "out": out, "no_faces": no_faces, "limit": None, "threads": 1}
        prepare.teach(argparse.Namespace(**told, models=default.models, cache=default.cache))
    return out


def _has_reference(models: Path) -> bool:
    return all(store.is_there(file, models) for file in manifest.load(REFERENCE).files)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=PRESETS, default="tiny", help="how much is done (%(default)s)")
    for name, what in (
        ("people", "folders of pictures with one large face each"),
        ("backgrounds", "folders of pictures to put behind them"),
        ("pictures", "labelled folders whose pictures are taken as they are"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[], metavar="FOLDER", help=what)
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help="labelled pictures that nothing is learnt from")
    parser.add_argument("--threads", type=count, default=torch.get_num_threads(), help="(%(default)s)")
    parser.add_argument("--out", type=Path, help="(data/training/PRESET)")
    parser.add_argument("--log", type=Path, help="a paragraph with the figures is added to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
