"""How a large gallery on disk does: opening, searching with and without the index, memory, and what the index misses.

    python -m testbench.gallery_size --pictures 100000 --dim 512 --json gallery_size.json

Its people are made up: each has a direction and two pictures near it, with cosines between them as an embedder gives.
Half of the faces asked for are theirs, half are strangers, for whom finding the nearest is hardest and matters least.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from checkpoints.exit_code import exit_code
from pipeline.clock import now_ns
from pipeline.gallery.edits import Put
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Kept, Match, Picture
from pipeline.gallery.memory import MemoryGallery
from testbench.figures import tell

SPACE = "made up"
_PICTURES_EACH = 2
_LIKENESS = 0.6  # cosine of two pictures of a person
_PUT = 2000
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Searched:
    """One face at a time, and eight in a frame; the best two people for each.

    load_s  opening the folder, in a new process
    pss_mb  what that process has more after opening and searching than before
    """

    load_s: float
    p50_ms: float
    p99_ms: float
    p50_of_eight_ms: float
    pss_mb: float
    found: list[list[Match]]


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares of the faces for which the index names the same person as comparing with every picture does.

    best, second  the same person in the first, in the second place
    lost          largest cosine by which a missed best one was better than the one found
    """

    best: float
    second: float
    lost: float


def measure(pictures: int, dim: int, probes: int, seed: int, folder: Path) -> Mapping[str, object]:
    random = np.random.default_rng(seed)
    people = pictures // _PICTURES_EACH
    centres = directions(random, people, dim)
    fill_s = timed(lambda: _fill(folder, centres, random))
    asked = np.concatenate(
        [near(centres[random.integers(people, size=probes)], random), directions(random, probes, dim)]
    )
    plain = _in_new_process(folder, dim, asked)
    gallery = open_edge(folder, space=SPACE, dim=dim)
    optimize_s = timed(gallery.optimize)
    exact = MemoryGallery(space=SPACE, dim=dim)
    for start in range(0, people, _PUT):
        exact.apply(Put(tuple(gallery.kept([_name(n) for n in range(start, min(start + _PUT, people))]))))
    gallery.close()
    indexed = _in_new_process(folder, dim, asked)
    truth = exact.search(asked)
    return {
        "pictures": people * _PICTURES_EACH,
        "dim": dim,
        "disk_mb": sum(path.stat().st_blocks for path in folder.rglob("*")) * 512 / 1e6,
        "fill_s": fill_s,
        "optimize_s": optimize_s,
        "before": _figures(plain),
        "after": _figures(indexed),
        "plain_equals_exact": asdict(recall(plain.found, truth)),
        "recall_of_known": asdict(recall(indexed.found[:probes], truth[:probes])),
        "recall_of_strangers": asdict(recall(indexed.found[probes:], truth[probes:])),
    }


def recall(found: Sequence[Sequence[Match]], truth: Sequence[Sequence[Match]]) -> Recall:
    same = [[a.name == b.name for a, b in zip(*both, strict=True)] for both in zip(found, truth, strict=True)]
    lost = [right[0].score - first[0].score for first, right in zip(found, truth, strict=True)]
    best, second = (float(np.mean([each[place] for each in same])) for place in (0, 1))
    return Recall(best, second, max(lost))


def _in_new_process(folder: Path, dim: int, asked: NDArray[np.float32]) -> Searched:
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_search, args=(folder, dim, asked, there))
    process.start()
    there.close()
    try:
        found: Searched = here.recv()
    finally:
        process.join()
        here.close()
    return found


def _search(folder: Path, dim: int, asked: NDArray[np.float32], answer: Connection) -> None:
    before_mb = pss_mb()
    start_ns = now_ns()
    gallery = open_edge(folder, space=SPACE, dim=dim)
    load_s = (now_ns() - start_ns) / 1e9
    gallery.search(asked[:8])
    found: list[list[Match]] = []
    one_ms, eight_ms = [], []
    for n in range(len(asked)):
        one_ms.append(1e3 * timed(lambda n=n: found.extend(gallery.search(asked[n : n + 1]))))  # type: ignore[misc]
    for n in range(0, len(asked) - 7, 8):
        eight_ms.append(1e3 * timed(lambda n=n: gallery.search(asked[n : n + 8])))  # type: ignore[misc]
    p50, p99 = np.percentile(one_ms, [50, 99])
    used_mb = pss_mb() - before_mb
    gallery.close()
    answer.send(Searched(load_s, float(p50), float(p99), float(np.median(eight_ms)), used_mb, found))


def _fill(folder: Path, centres: NDArray[np.float32], random: np.random.Generator) -> None:
    gallery = open_edge(folder, space=SPACE, dim=centres.shape[1])
    step = _PUT // _PICTURES_EACH
    for start in range(0, len(centres), step):
        of_people = np.repeat(np.arange(start, min(start + step, len(centres))), _PICTURES_EACH)
        rows = near(centres[of_people], random)
        gallery.apply(
            Put(
                tuple(
                    Kept(
                        str(UUID(bytes=random.bytes(16), version=4)),
                        _name(n),
                        "2026-01-01T00:00:00.000Z",
                        Picture(row, f"{n}/{k}", 0.5),
                    )
                    for k, (n, row) in enumerate(zip(of_people.tolist(), rows, strict=True))
                )
            )
        )
    gallery.close()


def _name(number: int) -> str:
    return f"person {number:07}"


def directions(random: np.random.Generator, count: int, dim: int) -> NDArray[np.float32]:
    rows = random.standard_normal(size=(count, dim), dtype=np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def near(centres: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Unit rows whose cosine with each other, around the same centre, is about `_LIKENESS`."""
    rows = np.sqrt(_LIKENESS) * centres + np.sqrt(1 - _LIKENESS) * directions(random, *centres.shape)
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _figures(searched: Searched) -> dict[str, float]:
    figures = asdict(searched)
    del figures["found"]
    return figures


def timed(action: Callable[[], object]) -> float:
    start_ns = now_ns()
    action()
    return (now_ns() - start_ns) / 1e9


def pss_mb() -> float:
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.gallery_size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pictures", type=int, default=100_000, help="(%(default)s)")
    parser.add_argument("--dim", type=int, default=512, help="(%(default)s)")
    parser.add_argument(
        "--probes", type=int, default=200, help="faces of known people, and as many strangers (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="make the gallery here and leave it")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(arguments)
    return exit_code(lambda: _told(args))


def _told(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        tell(measure(args.pictures, args.dim, args.probes, args.seed, folder), args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
