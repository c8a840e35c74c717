"""What one shard of a cluster costs: Qdrant's engine in this process, laid out as `gallery cluster create` lays out.

    python -m testbench.shard --pictures 200000 --dim 128 --json shard.json

INT8 vectors and the graph in memory, whole vectors on disk, the best compared again. People and faces are made up as in
`testbench.gallery_size`. One face is searched at a time, on one thread, once for each `ef`: how far the graph is looked
through. Half of the faces asked for are of people who are in it, half of strangers.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import qdrant_edge as qdrant
from numpy.typing import NDArray

from checkpoints.exit_code import exit_code
from pipeline.clock import now_ns
from testbench.figures import tell
from testbench.gallery_size import directions, near, pss_mb, timed

PICTURES_EACH = 2
EFS = (128, 256, 512, 1024, 2048)
_HITS = 12
_PUT = 4096
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Made:
    """links, built_with  of the graph: m and ef_construct in Qdrant's words"""

    pictures: int
    dim: int
    links: int
    built_with: int


def measure(wanted: Made, probes: int, seed: int, folder: Path) -> dict[str, object]:
    """A folder that is there already was made with the same figures: it is only searched."""
    random = np.random.default_rng(seed)
    centres = directions(random, wanted.pictures // PICTURES_EACH, wanted.dim)
    rows = near(np.repeat(centres, PICTURES_EACH, axis=0), random)
    made = {} if folder.exists() else _make(folder, wanted, rows)
    asked = np.concatenate(
        [near(centres[random.integers(len(centres), size=probes)], random), directions(random, probes, wanted.dim)]
    )
    best = np.concatenate([np.argmax(asked[n : n + 50] @ rows.T, axis=1) for n in range(0, len(asked), 50)])
    return {
        **asdict(wanted),
        **made,
        "disk_bytes_of_picture": sum(path.stat().st_blocks for path in folder.rglob("*")) * 512 / len(rows),
        **_in_new_process(folder, asked, best // PICTURES_EACH, probes, len(rows)),
    }


def _make(folder: Path, wanted: Made, rows: NDArray[np.float32]) -> dict[str, float]:
    shard = qdrant.EdgeShard.create(str(folder), _layout(wanted))
    shard.update(qdrant.UpdateOperation.create_field_index("person", qdrant.PayloadSchemaType.Keyword))
    fill_s = timed(lambda: _fill(shard, rows))
    build_s = timed(shard.optimize)
    shard.flush()
    shard.close()
    return {"fill_s": fill_s, "build_s": build_s}


def _layout(wanted: Made) -> qdrant.EdgeConfig:
    int8 = qdrant.ScalarQuantizationConfig(type=qdrant.ScalarType.Int8, quantile=0.99, always_ram=True)
    vectors = qdrant.EdgeVectorParams(
        size=wanted.dim, distance=qdrant.Distance.Cosine, on_disk=True, quantization_config=int8
    )
    graph = qdrant.HnswIndexConfig(m=wanted.links, ef_construct=wanted.built_with, full_scan_threshold=10_000)
    return qdrant.EdgeConfig(vectors=vectors, on_disk_payload=True, hnsw_config=graph, max_search_threads=1)


def _fill(shard: qdrant.EdgeShard, rows: NDArray[np.float32]) -> None:
    for start in range(0, len(rows), _PUT):
        points = [
            qdrant.Point(str(uuid4()), row.tolist(), {"person": str(number // PICTURES_EACH)})
            for number, row in enumerate(rows[start : start + _PUT], start=start)
        ]
        shard.update(qdrant.UpdateOperation.upsert_points(points))
    shard.flush()


def _in_new_process(
    folder: Path, asked: NDArray[np.float32], best: NDArray[np.int64], probes: int, pictures: int
) -> dict[str, object]:
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_search, args=(folder, asked, best, probes, pictures, there))
    process.start()
    there.close()
    try:
        figures: dict[str, object] = here.recv()
    finally:
        process.join()
        here.close()
    return figures


def _search(
    folder: Path,
    asked: NDArray[np.float32],
    best: NDArray[np.int64],
    probes: int,
    pictures: int,
    answer: Connection,
) -> None:
    before_mb = pss_mb()
    shard = qdrant.EdgeShard.load(str(folder))
    searched = {str(ef): found for ef, found in _each_ef(shard, asked, best, probes)}
    memory_mb = pss_mb() - before_mb
    shard.close()
    answer.send({"pss_bytes_of_picture": memory_mb * 2**20 / pictures, "by_ef": searched})


def _each_ef(
    shard: qdrant.EdgeShard, asked: NDArray[np.float32], best: NDArray[np.int64], probes: int
) -> Iterator[tuple[int, dict[str, float]]]:
    for ef in EFS:
        _nearest(shard, asked[0], ef)
        times_ms, same = [], []
        for row, person in zip(asked, best, strict=True):
            start_ns = now_ns()
            hits = _nearest(shard, row, ef)
            times_ms.append((now_ns() - start_ns) / 1e6)
            same.append(bool(hits) and (hits[0].payload or {}).get("person") == str(person))
        p50, p99 = np.percentile(times_ms, [50, 99])
        yield (
            ef,
            {
                "p50_ms": float(p50),
                "p99_ms": float(p99),
                "mean_ms": float(np.mean(times_ms)),
                "known_found": float(np.mean(same[:probes])),
                "strangers_best_found": float(np.mean(same[probes:])),
            },
        )


def _nearest(shard: qdrant.EdgeShard, row: NDArray[np.float32], ef: int) -> list[Any]:
    params = qdrant.SearchParams(
        hnsw_ef=ef, quantization=qdrant.QuantizationSearchParams(rescore=True, oversampling=2.0)
    )
    request = qdrant.QueryRequest(
        limit=_HITS, query=qdrant.Query.Nearest(row.tolist()), with_payload=["person"], params=params
    )
    return list(shard.query_batch(qdrant.QueryBatchRequest([request]))[0])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.shard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=200_000, help="(%(default)s)")
    parser.add_argument("--dim", type=int, default=128, help="(%(default)s)")
    parser.add_argument("--probes", type=int, default=300, help="faces of people, and as many strangers (%(default)s)")
    parser.add_argument("--links", type=int, default=16, help="of each picture in the graph (%(default)s)")
    parser.add_argument("--built-with", type=int, default=100, help="how far is looked to find them (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="make it here and leave it, or search the one that is here")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(arguments)
    return exit_code(lambda: _told(args))


def _told(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Made(args.pictures, args.dim, args.links, args.built_with)
        tell(measure(wanted, args.probes, args.seed, args.folder or Path(scratch) / "shard"), args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
