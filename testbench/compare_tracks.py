"""How well and how fast faces are followed beside another tracker, on the same detections, in one run and in turn.

    python -m testbench.compare track --peer supervision --peer-python venv/bin/python --seeds 10
    python -m testbench.compare track --peer trackers --peer-python venv/bin/python

Both get the detections of the synthetic scenes of `testbench.accuracy track`, and nothing else: looks are left out, so
ours does less than in the program. Both are scored with the detected boxes. The peer is told nothing of dropped frames:
it has no way to hear of them. It runs with its own defaults, or with the --peer-options of its ByteTrack, as JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import SettingsError
from checkpoints.exit_code import exit_code
from testbench import engine_flags, peer_track
from testbench.figures import tell
from testbench.synthetic_scene import KINDS
from testbench.synthetic_tracks import SceneFrame, play
from testbench.track_score import Scored, score
from testbench.tracking import FIRST_SEED
from tracker.tracker import Tracker

Scenes = dict[str, list[list[SceneFrame]]]
NO_TRACK = -1


@dataclass(frozen=True, slots=True)
class Turn:
    """title         with its version
    ids           (N,) the track of each detection of all scenes, `NO_TRACK` without one
    ms_per_frame  the median frame
    """

    title: str
    ids: NDArray[np.int64]
    ms_per_frame: float


def compare(peer: str, python: Path, options: str, seeds: int, turns: int) -> dict[str, object]:
    scenes = {
        kind: [list(play(replace(scene, seed=FIRST_SEED + at))) for at in range(seeds)] for kind, scene in KINDS.items()
    }
    mine, theirs = [], []
    for _ in range(turns):
        mine.append(our_turn(scenes))
        theirs.append(peer_turn(scenes, peer, python, options))
    ours_ms, peer_ms = (statistics.median(turn.ms_per_frame for turn in each) for each in (mine, theirs))
    ours, others = idf1_by_kind(scenes, mine[0].ids), idf1_by_kind(scenes, theirs[0].ids)
    return {
        "ours_ms": round(ours_ms, 4),
        "peer_ms": round(peer_ms, 4),
        "ratio": round(peer_ms / ours_ms, 2),
        "ours_idf1": round(statistics.mean(ours.values()), 4),
        "peer_idf1": round(statistics.mean(others.values()), 4),
        "kinds": {kind: {"ours": round(ours[kind], 4), "peer": round(others[kind], 4)} for kind in ours},
        "same_work": (
            f"our tracker without looks, and the ByteTrack of {theirs[0].title} with options {options}, on the same "
            f"detections of {seeds} scenes of each of {len(KINDS)} kinds; the median frame of each turn"
        ),
    }


def our_turn(scenes: Scenes) -> Turn:
    ids, took_ms = [], []
    for frames in _each(scenes):
        tracker = Tracker()
        for frame in frames:
            start_s = time.perf_counter()
            update = tracker.update(frame.boxes_xyxy, frame.scores, frames_elapsed=frame.frames_elapsed)
            took_ms.append(1000 * (time.perf_counter() - start_s))
            given = np.full(len(frame.scores), NO_TRACK, np.int64)
            for face in update.tracked:
                given[face.detection] = face.track
            ids.append(given)
    return Turn("ours", np.concatenate(ids), statistics.median(took_ms))


def peer_turn(scenes: Scenes, peer: str, python: Path, options: str) -> Turn:
    with tempfile.TemporaryDirectory(prefix="facewire-peer-") as folder:
        given, out = Path(folder) / "detections.npz", Path(folder) / "tracks.npz"
        frames = [frame for scene in _each(scenes) for frame in scene]
        np.savez(
            given,
            boxes=np.concatenate([frame.boxes_xyxy for frame in frames]),
            scores=np.concatenate([frame.scores for frame in frames]),
            counts=np.array([len(frame.scores) for frame in frames]),
            scenes=np.concatenate([np.full(len(scene), at) for at, scene in enumerate(_each(scenes))]),
        )
        told = _run(python, [peer_track.__file__, peer, str(given), str(out), options])
        return Turn(str(told["peer"]), np.load(out)["ids"], float(str(told["ms_per_frame"])))


def idf1_by_kind(scenes: Scenes, ids: NDArray[np.int64]) -> dict[str, float]:
    found: dict[str, float] = {}
    start = 0
    for kind, of_kind in scenes.items():
        each = []
        for frames in of_kind:
            scored = []
            for frame in frames:
                given = ids[start : start + len(frame.scores)]
                start += len(given)
                has = given != NO_TRACK
                scored.append(Scored(frame.ids, frame.truth_xyxy, given[has], frame.boxes_xyxy[has]))
            each.append(score(scored).idf1)
        found[kind] = statistics.mean(each)
    return found


def main(arguments: Sequence[str]) -> int:
    args = parser().parse_args(arguments)
    return exit_code(lambda: _compare(args))


def _compare(args: argparse.Namespace) -> int:
    tell(compare(args.peer, args.peer_python, args.peer_options, args.seeds, args.turns), args.json)
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.compare track",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--peer", choices=tuple(peer_track.PEERS), required=True)
    made.add_argument("--peer-python", type=Path, required=True, metavar="FILE", help="that has the peer's packages")
    made.add_argument("--peer-options", default="{}", metavar="JSON", help="of its ByteTrack (%(default)s)")
    made.add_argument(
        "--seeds", type=engine_flags.count, default=10, metavar="N", help="scenes of each kind (%(default)s)"
    )
    made.add_argument("--turns", type=engine_flags.count, default=3, metavar="N", help="of each (%(default)s)")
    made.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    return made


def _each(scenes: Scenes) -> list[list[SceneFrame]]:
    return [frames for of_kind in scenes.values() for frames in of_kind]


def _run(python: Path, command: Sequence[str]) -> dict[str, object]:
    try:
        done = subprocess.run([str(python), *command], capture_output=True, text=True, check=True)
        told: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    except OSError as error:
        raise SettingsError(
            "The peer's Python cannot be started.", saw=f"--peer-python {python}: {error.strerror}"
        ) from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise SettingsError(
            "The peer did not finish its work.",
            saw="\n".join([f"exit code {error.returncode}", *said[-3:]]),
            fix=f"Does {python} have the package of the peer, and does its ByteTrack know the --peer-options?",
        ) from error
    except (IndexError, ValueError) as error:
        raise SettingsError("The peer did not say what it measured.", saw=f"{python} printed no figures") from error
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
