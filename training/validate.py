"""Cascades against each other: each network by itself, all three together, and how long they take.

    python -m training.validate old=mtcnn_reference fp32=RUN/onnx/fp32 int8=RUN/onnx/int8 --against fp32 --data FACES
    python -m training.validate old=mtcnn_reference mixed=RUN/pnet/int8/best.pt,mtcnn,mtcnn --data FACES
    python -m training.validate old=mtcnn_reference ours=RUN/onnx/int8 --samples RUN/samples --parts pnet

RUN is what training.run has filled. A cascade is NAME=WHERE: a model's name, a folder with pnet, rnet and onet (.onnx,
.pt or /best.pt), or three of such places or files with commas between them. Behind each may stand @fp32, @fp16 or
@int8. FACES holds labels.jsonl, or images/ and gt.txt in the text format of WIDER FACE; of the SAMPLES that
training.mine has put into folders pnet, rnet and onet, those held out are taken.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
from tqdm import tqdm

from checkpoints.errors import DataError, ModelError
from checkpoints.exit_code import exit_code
from engines.cascade import LEAST_SCORES
from engines.flags import count
from engines.load import opener
from engines.models import OpenEngine
from engines.options import EngineOptions
from training import cascade_score, net_score, plots, proposal_score, speed, truths, whole_file
from training.findings import Findings
from training.samples import open_samples
from training.shapes import PARTS, Part
from training.trio import PLACES, Trio, find

_BATCH = 64


def validate(
    trios: Sequence[Trio],
    config: EngineOptions,
    *,
    against: str,
    data: Path | None = None,
    min_heights_px: Sequence[float] = (0.0,),
    samples: Path | None = None,
    parts: Sequence[Part] = PARTS,
    seconds: float = 0,
    limit: int | None = None,
) -> Findings:
    """What can be measured with what is given: pictures in `data`, those held out of `samples`, `seconds` a network."""
    if data is None and samples is None and not seconds:
        raise DataError("There is nothing to measure.", saw="no --data, no --samples, no --seconds", fix="Give one.")
    cv2.setNumThreads(config.threads)
    open_engine = opener(config)
    findings = Findings(against)
    if data is not None:
        pictures = truths.read(data)[:limit]
        _on_pictures(findings, trios, pictures, min_heights_px, open_engine, config)
    if samples is not None:
        for part in parts:
            _on_samples(findings, trios, part, samples / part / "held_out", open_engine)
    if seconds:
        findings.ms = speed.measure(trios, open_engine, config, seconds)
    return findings


def _on_pictures(
    findings: Findings,
    trios: Sequence[Trio],
    pictures: Sequence[truths.Truth],
    min_heights_px: Sequence[float],
    open_engine: OpenEngine,
    config: EngineOptions,
) -> None:
    with ExitStack() as stack:
        cascades = {trio.name: stack.enter_context(closing(trio.cascade(open_engine, config))) for trio in trios}
        findings.cascades = cascade_score.measure(cascades, pictures, min_heights_px)
    high = truths.of_height(pictures, config.min_face_px)  # P-Net cannot propose what is lower than its window
    for trio in trios:
        findings.proposals[trio.name] = proposal_score.measure(trio, high, open_engine, config)


def _on_samples(findings: Findings, trios: Sequence[Trio], part: Part, folder: Path, open_engine: OpenEngine) -> None:
    pieces = open_samples(folder, part)
    findings.nets[part] = {}
    for trio in tqdm(trios, desc=part, unit="", disable=None, leave=False):
        with closing(trio.engine(open_engine, part, batch=_BATCH)) as engine:
            findings.nets[part][trio.name] = net_score.score(net_score.ask(engine, pieces.pictures), pieces)


def keep(findings: Findings, folder: Path) -> None:
    whole_file.write(folder / "validate.json", (json.dumps(findings.json(), indent=1) + "\n").encode())
    for height, scores in findings.cascades.items():
        plots.precision_recall(
            {name: score.drawn for name, score in scores.items()}, folder / f"precision_recall_{height:g}.png"
        )
        points = {name: (score.ms_per_image, score.ap) for name, score in scores.items()}
        plots.speed_accuracy(points, folder / f"speed_accuracy_{height:g}.png")
    if findings.proposals:
        plots.proposals(findings.proposals, folder / "proposals.png")


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    return exit_code(lambda: _validate(args))


def _validate(args: argparse.Namespace) -> int:
    # Networks that are still being trained would fill the folder of compiled engines.
    with TemporaryDirectory() as scratch:
        config = EngineOptions(
            min_face_px=args.min_face,
            thresholds=tuple(args.thresholds),
            threads=args.threads,
            models=args.models,
            cache=Path(scratch),
        )
        trios = _trios(args.cascades, config, Path(scratch))
        findings = validate(
            trios,
            config,
            against=_against(args.against, trios),
            data=args.data,
            min_heights_px=args.min_height,
            samples=args.samples,
            parts=args.parts,
            seconds=args.seconds,
            limit=args.limit,
        )
    sys.stdout.write(findings.tables())
    if args.out is not None:
        keep(findings, args.out)
    return 0


def _trios(told: Sequence[str], config: EngineOptions, scratch: Path) -> list[Trio]:
    trios: dict[str, Trio] = {}
    for one in told:
        name, equals, where = one.partition("=")
        if not name or not equals or not where or name in trios:
            raise ModelError("A cascade is told as NAME=WHERE, each with a name of its own.", saw=one, fix=PLACES)
        trios[name] = find(name, where, config, scratch)
    return list(trios.values())


def _against(name: str | None, trios: Sequence[Trio]) -> str:
    names = [trio.name for trio in trios]
    if name is not None and name not in names:
        raise ModelError(
            "There is no cascade of that name.", saw=f"--against {name}", fix=f"Valid: {', '.join(names)}."
        )
    return name or names[0]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    default = EngineOptions()
    parser = argparse.ArgumentParser(
        prog="python -m training.validate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cascades", nargs="+", metavar="NAME=WHERE", help="the cascades")
    parser.add_argument("--against", metavar="NAME", help="whose figures are 100 per cent (the first one's)")
    parser.add_argument("--data", type=Path, metavar="FACES", help="labelled pictures")
    parser.add_argument(
        "--min-height",
        type=float,
        nargs="+",
        default=[0.0],
        metavar="PX",
        help="lower faces need not be found; one table for each height (0)",
    )
    parser.add_argument("--samples", type=Path, metavar="SAMPLES", help="networks are tried on those held out")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="of the held-out samples (all)")
    parser.add_argument("--seconds", type=float, default=0.0, help="for timing each network by itself (0: not)")
    parser.add_argument("--limit", type=count, metavar="N", help="a short run: the first N pictures")
    parser.add_argument(
        "--min-face", type=count, default=20, metavar="PX", help="smallest face looked for (%(default)s)"
    )
    parser.add_argument(
        "--thresholds",
        type=float,
        nargs=3,
        default=LEAST_SCORES,
        metavar="P",
        help="least scores after each network (0.6 0.7 0.7)",
    )
    parser.add_argument("--threads", type=count, default=1, metavar="N", help="of each engine (%(default)s)")
    parser.add_argument("--models", type=Path, default=default.models, metavar="DIR", help="folder of the model files")
    parser.add_argument("--out", type=Path, metavar="DIR", help="takes validate.json and the plots")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
