"""Does an index that was killed again and again equal that of an undisturbed run, exactly?"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from app.archive.shelf import PART, RECORDING, SIGHTING, Shelf
from app.archive.shelf_on_disk import open_shelf
from engines import fitting
from engines.models import embedder_model
from engines.options import EngineOptions
from testbench.archive_copies import copies

_GONE_WITHIN_S = 20.0
_STARTING_S = 8.0  # of Ray and the engines, before the first part is done
_LATER_S = 2.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, action="append", required=True, help="a clip; may be repeated")
    parser.add_argument("--copies", type=int, default=20, help="of each clip in the archive (%(default)s)")
    parser.add_argument("--kills", type=int, default=3, help="that hit a run in the middle (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (%(default)s)")


def measure(args: argparse.Namespace) -> dict[str, object]:
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="facewire-archive-") as folder:
        home = Path(folder)
        recordings = home / "recordings"
        recordings.mkdir()
        copies(args.source, args.copies, recordings)
        began_s = time.monotonic()
        _start(recordings, home / "undisturbed").wait()
        took_s = time.monotonic() - began_s
        wanted = _content(home / "undisturbed")
        kills: list[dict[str, object]] = []
        tries, done, starting_s = 0, 0, _STARTING_S
        while len(kills) < args.kills and tries < 10 * args.kills:
            tries += 1
            # Each run gets little done, so that the last one is hit in the middle, too.
            share = chance.uniform(0.5, 1.5) / (args.kills + 4)
            left = _killed(recordings, home / "killed", starting_s + share * max(1.0, took_s - starting_s))
            now = _parts(home / "killed")
            starting_s += _LATER_S if now == done else 0.0
            if done < now < len(wanted[PART]):
                kills.append({"parts_done": now, "of": len(wanted[PART]), "left_running": left})
                done = now
        _start(recordings, home / "killed").wait()
        found = _content(home / "killed")
        again = _content_after_one_more_run(recordings, home / "killed")
    different = {kind: len(wanted[kind].items() ^ found[kind].items()) for kind in wanted}
    passed = len(kills) == args.kills and found == wanted == again and not any(one["left_running"] for one in kills)
    return {
        "points": {kind: len(points) for kind, points in wanted.items()},
        "kills": kills,
        "different": different,
        "different_after_one_more_run": sum(len(again[kind].items() ^ wanted[kind].items()) for kind in wanted),
        "passed": passed,
    }


def _start(recordings: Path, archive: Path) -> subprocess.Popen[bytes]:
    words = ["index", str(recordings), "--archive", str(archive)]
    return subprocess.Popen(
        [sys.executable, "-m", "app.main", *words], stdout=subprocess.DEVNULL, start_new_session=True
    )


def _killed(recordings: Path, archive: Path, after_s: float) -> list[str]:
    """The run is killed, and nobody else: who goes with it has to see by himself. Returns who does not."""
    process = _start(recordings, archive)
    try:
        process.wait(after_s)
        return []
    except subprocess.TimeoutExpired:
        session = set(_session(process.pid))
        process.send_signal(signal.SIGKILL)
        process.wait()
    until_s = time.monotonic() + _GONE_WITHIN_S
    while (left := session & set(_session(process.pid))) and time.monotonic() < until_s:
        time.sleep(0.2)
    return [f"{pid} {name}" for pid, name in left]


def _session(leader: int) -> Iterator[tuple[int, str]]:
    """Who belongs to the session of this process, whoever its parent is by now.

    But for two agents of Ray, which look for their dead server for a minute, and end then.
    """
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != leader:
            try:
                state, *_, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                name = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:80]
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            if int(session) == leader and state not in "ZX" and "Agent" not in name:
                yield int(entry.name), name


def _opened(archive: Path) -> Shelf:
    known = embedder_model(EngineOptions(precision=fitting.precision("auto"))).known
    assert known.embedding_dim is not None
    return open_shelf(archive, space=known.embedding_space, dim=known.embedding_dim)


def _parts(archive: Path) -> int:
    shelf = _opened(archive)
    try:
        return shelf.count(PART)
    finally:
        shelf.close()


def _content(archive: Path) -> dict[str, dict[str, str]]:
    """Kind → id → everything about the point, down to the last bit of its vector."""
    shelf = _opened(archive)
    try:
        return {kind: dict(_points(shelf, kind)) for kind in (SIGHTING, PART, RECORDING)}
    finally:
        shelf.close()


def _points(shelf: Shelf, kind: str) -> Iterator[tuple[str, str]]:
    for point in shelf.points(kind, vectors=True):
        vector = b"" if point.vector is None else point.vector.tobytes()
        said = sorted(point.payload.items(), key=lambda item: item[0])
        yield point.id, sha256(repr(said).encode() + vector).hexdigest()


def _content_after_one_more_run(recordings: Path, archive: Path) -> dict[str, dict[str, str]]:
    _start(recordings, archive).wait()
    return _content(archive)
