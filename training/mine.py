"""Samples for one network: windows at random for P-Net, and for the others also what the networks before let through.

A P-Net that has learnt from windows at random may look at scenes itself: what it takes for a face is what it, or
another one, has still to learn.

    python -m training.mine pnet --people LABELS --backgrounds LABELS --out SAMPLES/pnet
    python -m training.mine pnet --people LABELS --backgrounds LABELS --before RUN/pnet/best.pt --out SAMPLES/pnet_own
    python -m training.mine rnet --people LABELS --backgrounds LABELS --before RUN/pnet/best.pt --out SAMPLES/rnet
    python -m training.mine onet --pictures WIDER --before RUN/pnet/best.pt RUN/rnet/best.pt --out SAMPLES/onet

LABELS are folders that training.prepare has written. --people are composed to scenes with faces of all sizes before
--backgrounds; --pictures are taken as they are. OUT gets two folders, `taught` and `held_out`, of different pictures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from checkpoints.errors import DataError
from checkpoints.exit_code import GOES_ON, exit_code
from engines.flags import count, seed
from training import labels
from training.composed import Composed, SceneRules
from training.labels import Labelled
from training.proposed import Proposer
from training.samples import Pieces, SampleWriter, is_complete, joined, open_samples
from training.scene import Scene, as_it_is
from training.shapes import PARTS, WINDOW_PX, Part
from training.windows import Piecework, Rules, random_windows

_WRITE_EVERY = 50  # scenes
_NETWORKS_BEFORE: dict[Part, tuple[int, ...]] = {"pnet": (0, 1), "rnet": (1,), "onet": (2,)}


@dataclass(frozen=True, slots=True)
class Mining:
    """scenes      how many are composed of people and backgrounds
    held_out    share of the pictures, and of the scenes, that nothing is learnt from
    each_face   random windows around a face
    others      random windows anywhere, in a scene
    most        negatives, parts and positives kept of a scene
    least_px    side of the smallest window
    least_score what the networks before must say of a window, lower than at run time
    """

    scenes: int = 6000
    held_out: float = 0.06
    each_face: int = 20
    others: int = 60
    most: tuple[int, int, int] = (80, 40, 60)
    least_px: float = 14.0
    least_score: float = 0.4
    rules: Rules = Rules()
    scene: SceneRules = SceneRules()
    seed: int = 1


def mine(
    part: Part,
    people: Sequence[Labelled],
    backgrounds: Sequence[Labelled],
    pictures: Sequence[Labelled],
    before: Sequence[Path],
    mining: Mining,
    folder: Path,
) -> None:
    """Fills FOLDER/taught and FOLDER/held_out; goes on where an earlier call stopped."""
    sources = {}
    for name, held_out in (("taught", False), ("held_out", True)):  # what is too little is told before any work
        own = [_divided(each, mining, held_out=held_out) for each in (people, backgrounds, pictures)]
        share = mining.held_out if held_out else 1 - mining.held_out
        sources[name] = _scenes(own[0], own[1], own[2], round(mining.scenes * share), mining, held_out=held_out)
    with ExitStack() as stack:
        proposer = stack.enter_context(_proposer(part, before, mining))
        for name, source in sources.items():
            if not is_complete(folder / name, part):
                _mine_from(source, part, proposer, mining, folder / name, before)


@dataclass(frozen=True, slots=True)
class _Source:
    count: int
    scene: Callable[[int], Scene]


def _scenes(
    people: Sequence[Labelled],
    backgrounds: Sequence[Labelled],
    pictures: Sequence[Labelled],
    composed: int,
    mining: Mining,
    *,
    held_out: bool,
) -> _Source:
    if people and not backgrounds:
        raise DataError(
            "Scenes of people need backgrounds.",
            saw=f"none of them is {'held out' if held_out else 'left to learn from'}",
            fix=f"Give more --backgrounds, or divide them otherwise: {mining.held_out:g} of them are held out.",
        )
    if not people:
        composed = 0
    if composed < 1 and not pictures:
        which = f"{len(people)} pictures of people, {len(backgrounds)} backgrounds, {len(pictures)} other pictures"
        raise DataError(
            f"There is nothing to {'try networks on' if held_out else 'mine from'}.",
            saw=f"{which}, {composed} scenes",
            fix=f"Give more pictures or scenes, or divide them otherwise: {mining.held_out:g} of them are held out.",
        )
    compose = Composed(people, backgrounds, mining.scene, seed=2 * mining.seed + held_out)

    def scene(number: int) -> Scene:
        return compose.scene(number) if number < composed else as_it_is(pictures[number - composed])

    return _Source(composed + len(pictures), scene)


def _divided(pictures: Sequence[Labelled], mining: Mining, *, held_out: bool) -> list[Labelled]:
    """By folder, so that nobody is in both halves."""
    folders = sorted({picture.image.parent for picture in pictures})
    groups = folders if len(folders) > 1 else sorted(picture.image for picture in pictures)
    random = np.random.default_rng([mining.seed, len(groups)])
    apart = {groups[at] for at in random.permutation(len(groups))[: round(mining.held_out * len(groups))]}
    own = [picture.image.parent if len(folders) > 1 else picture.image for picture in pictures]
    return [picture for picture, key in zip(pictures, own, strict=True) if (key in apart) == held_out]


@contextmanager
def _proposer(part: Part, before: Sequence[Path], mining: Mining) -> Iterator[Proposer | None]:
    if len(before) not in _NETWORKS_BEFORE[part]:
        raise DataError(
            f"{part} is mined with the networks before it.",
            saw=f"{len(before)} networks",
            fix=f"--before takes {', '.join(PARTS[: max(_NETWORKS_BEFORE[part])])}.",
        )
    if not before:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="facewire-mining-") as scratch:
        proposer = Proposer(before, Path(scratch), mining.least_px, mining.least_score)
        try:
            yield proposer
        finally:
            proposer.close()


def _mine_from(
    source: _Source, part: Part, proposer: Proposer | None, mining: Mining, folder: Path, before: Sequence[Path]
) -> None:
    frame = (WINDOW_PX[part] - 1) / WINDOW_PX[part] if part == "pnet" else 1.0
    piecework = Piecework(WINDOW_PX[part], mining.rules, frame=frame)
    made_by = asdict(mining) | {"scenes": source.count, "before": [str(path) for path in before]}
    writer = SampleWriter(folder, part, made_by)
    try:
        waiting: list[Pieces] = []
        for number in tqdm(
            range(writer.done, source.count),
            initial=writer.done,
            total=source.count,
            desc=f"{part} {folder.name}",
            unit=" scenes",
            disable=None,
        ):
            random = np.random.default_rng([mining.seed, 1, number])
            scene = source.scene(number)
            others = mining.others if part == "pnet" else 0
            windows = random_windows(scene, random, each_face=mining.each_face, others=others, least_px=mining.least_px)
            if proposer is not None:
                look = proposer.first_windows if part == "pnet" else proposer.propose
                windows = np.concatenate([look(scene.image_bgr), windows])
            waiting.append(piecework.pieces(scene, windows, mining.most, random))
            if len(waiting) == _WRITE_EVERY or number == source.count - 1:
                writer.append(joined(waiting), done=number + 1)
                waiting.clear()
        if not writer.count:
            fix = f"Are faces labelled? Remove {folder} before you try again."
            raise DataError("Not a single sample was found.", saw=f"{source.count} scenes", fix=fix)
        writer.finish()
    finally:
        writer.close()


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    cv2.setNumThreads(args.threads)
    return exit_code(lambda: _mine(args), GOES_ON)


def _mine(args: argparse.Namespace) -> int:
    mining = Mining(scenes=args.scenes, seed=args.seed, held_out=args.held_out)
    people, backgrounds, pictures = (
        [each for folder in folders for each in labels.read(folder)]
        for folders in (args.people, args.backgrounds, args.pictures)
    )
    mine(args.part, people, backgrounds, pictures, args.before, mining, args.out)
    for name in ("taught", "held_out"):
        sys.stdout.write(f"{args.out / name}: {len(open_samples(args.out / name, args.part))} samples\n")
    return 0


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number between 0 and 1")
    return share


def _parser() -> argparse.ArgumentParser:
    default = Mining()
    parser = argparse.ArgumentParser(
        prog="python -m training.mine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    for name, what in (
        ("people", "pictures with one large face each, to compose scenes of"),
        ("backgrounds", "pictures without faces, or with labelled ones, to put behind them"),
        ("pictures", "labelled pictures that are taken as they are"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[], metavar="LABELS", help=what)
    parser.add_argument("--before", type=Path, nargs="+", default=[], metavar="NET", help="checkpoints or ONNX files")
    parser.add_argument("--scenes", type=count, default=default.scenes, help="to be composed (%(default)s)")
    parser.add_argument("--held-out", type=_share, default=default.held_out, help="share (%(default)s)")
    parser.add_argument("--seed", type=seed, default=default.seed)
    parser.add_argument("--threads", type=count, default=1, help="(%(default)s)")
    parser.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())
