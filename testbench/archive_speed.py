"""Frames a second of `index` beside those of the pipeline (testbench.latency --lossless), in turn, on equal clips.

What decides is `fps`: all frames in all the time that an archive needs again for each file, with reading and measuring
every file (`survey_s`), sharing out, the shelf and the end at which some workers are idle. Only what is needed once,
however large the archive is, is left out: the start of Ray, and that of the first worker and its engines (`start_s`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.archive.crew import Crew
from app.archive.indexing import Outcome, Surveyed, Workers, index
from app.archive.progress import Bar
from app.archive.recordings import File, Origin, Part
from app.archive.shelf import PART
from app.archive.shelf_on_disk import open_shelf
from app.archive.sources import find
from app.archive.watching import Eyes
from engines import fitting
from engines.models import embedder_model
from engines.options import EngineOptions
from testbench.archive_copies import copies
from testbench.latency import size_wh

_GOAL = 0.9


@dataclass(slots=True)
class Timed:
    """Workers, with a clock.

    survey_s  in which files were read and measured
    start_s   from the first call for a part to the beginning of the first one that came back
    came      when each part came back, and how many frames it had
    busy_s    the workers' time in all parts
    """

    crew: Workers
    survey_s: float = 0.0
    start_s: float = 0.0
    came: list[tuple[float, int]] = field(default_factory=list)
    busy_s: float = 0.0

    def surveyed(self, files: Sequence[tuple[File, Origin]]) -> Iterator[Surveyed]:
        began_s = time.monotonic()
        told = list(self.crew.surveyed(files))
        self.survey_s += time.monotonic() - began_s
        yield from told

    def watched(self, parts: Sequence[Part]) -> Iterator[Outcome]:
        began_s = time.monotonic()
        for outcome in self.crew.watched(parts):
            frames = outcome.points[-1].payload["frames"] if outcome.points else 0
            now_s = time.monotonic()
            if not self.came:
                self.start_s = max(0.0, now_s - outcome.took_s - began_s)
            self.came.append((now_s, frames))
            self.busy_s += outcome.took_s
            yield outcome


def steady_fps(came: Sequence[tuple[float, int]], workers: int) -> float:
    """Between the moment when every worker was at work and the last part: without the survey, with the idle end."""
    began_s, ended_s = came[workers - 1][0], came[-1][0]
    return sum(frames for _, frames in came[workers:]) / (ended_s - began_s)


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, action="append", required=True, help="a clip; may be repeated")
    parser.add_argument("--copies", type=int, default=24, help="of each clip in the archive (%(default)s)")
    parser.add_argument("--size", type=size_wh, help="working size, WxH")
    parser.add_argument("--frames", type=int, default=600, help="that the pipeline gets of each clip (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of both, in turn (%(default)s)")
    parser.add_argument("--workers", type=int, help="of index; else one for each processor")


def measure(args: argparse.Namespace) -> dict[str, object]:
    rounds = []
    with tempfile.TemporaryDirectory(prefix="facewire-archive-") as folder:
        home = Path(folder)
        (home / "recordings").mkdir()
        copies(args.source, args.copies, home / "recordings")
        for number in range(args.rounds):
            alone = {source.name: _latency(source, args, home) for source in args.source}
            told, frames_of = _index(args, home / "recordings", home / f"index-{number}")
            # What the pipeline would need for the very same frames.
            needed_s = sum(frames / alone[name] for name, frames in frames_of.items())
            pipeline_fps = sum(frames_of.values()) / needed_s
            ratio = round(told["fps"] / pipeline_fps, 3)
            rounds.append({"pipeline_fps": round(pipeline_fps, 1), "archive": told, "ratio": ratio})
    least = min(float(str(one["ratio"])) for one in rounds)
    return {"rounds": rounds, "least_ratio": least, "goal": _GOAL, "passed": least >= _GOAL}


def _latency(source: Path, args: argparse.Namespace, home: Path) -> float:
    """In a process of its own, as a person starts it."""
    out = home / "latency.json"
    words = ["--source", source, "--lossless", "--frames", args.frames, "--json", out]
    if args.size is not None:
        words += ["--size", f"{args.size[0]}x{args.size[1]}"]
    subprocess.run([sys.executable, "-m", "testbench.latency", *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    return float(json.loads(out.read_text())["fps"])


def _index(args: argparse.Namespace, recordings: Path, archive: Path) -> tuple[dict[str, float], dict[str, int]]:
    """The figures, and clip → frames of all its copies."""
    options = EngineOptions(precision=fitting.precision("auto"))
    known = embedder_model(options).known
    assert known.embedding_dim is not None
    shelf = open_shelf(archive, space=known.embedding_space, dim=known.embedding_dim)
    began_s = time.monotonic()
    with Crew(Eyes(options, args.size), address=None, workers=args.workers) as crew, Bar(sys.stderr) as bar:
        crew.begin()
        ray_s = time.monotonic() - began_s
        workers, timed = crew.workers, Timed(crew)
        tally = index(find([str(recordings)]).files, shelf, timed, bar)
        worked_s = time.monotonic() - began_s - ray_s - timed.start_s
    whole_s = time.monotonic() - began_s
    frames_of: dict[str, int] = {}
    for point in shelf.points(PART):
        name = Path(point.payload["file"]).name.partition("-")[2]
        frames_of[name] = frames_of.get(name, 0) + point.payload["frames"]
    shelf.close()
    return {
        "fps": round(tally.frames / worked_s, 1),
        "fps_without_survey": round(steady_fps(timed.came, workers), 1),
        "frames_of_a_busy_second": round(tally.frames / timed.busy_s, 1),
        "fps_with_starting": round(tally.frames / whole_s, 1),
        "hours_per_hour": round(tally.video_s / whole_s, 2),
        "frames": tally.frames,
        "sightings": tally.sightings,
        "workers": workers,
        "seconds": round(whole_s, 1),
        "survey_s": round(timed.survey_s, 1),
        "ray_s": round(ray_s, 1),
        "start_s": round(timed.start_s, 1),
    }, frames_of
