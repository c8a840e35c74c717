"""All kinds of faults, each in a run of its own with what it needs around it, and a table of what came of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checkpoints.errors import DataError

KINDS = ("kill", "stop", "slow", "gallery", "disk", "shm", "clock")
DISK_MB = 256
_FAKETIME = ("libfaketimeMT.so.1", "libfaketime.so.1")
_LIBRARIES = ("/usr/lib/*/faketime", "/usr/local/lib/faketime", "/usr/lib64/faketime")
_LONGER_S = 240.0  # than its seconds may a run take to start, recover and end


def kinds(text: str) -> tuple[str, ...]:
    wanted = KINDS if text == "all" else tuple(text.split(","))
    wrong = [kind for kind in wanted if kind not in KINDS]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is no fault; valid are all, {', '.join(KINDS)}")
    return wanted


def suffer(wanted: Sequence[str], seconds: float, more: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """One row for each kind; the seconds are shared between them."""
    rows = []
    for kind in wanted:
        out = folder / f"{kind}.json"
        command = [sys.executable, "-m", "testbench.fault_run", kind, "--seconds", str(seconds / len(wanted))]
        command += ["--json", str(out), *more]
        command = around(kind, command, folder)
        sys.stderr.write(f"{kind} …\n")
        said = subprocess.run(
            command, timeout=seconds + _LONGER_S, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        rows.append(json.loads(out.read_text()) if out.exists() else _broken(kind, said.stdout))
    return rows


def around(kind: str, command: list[str], folder: Path) -> list[str]:
    """The command, in the surroundings that this kind of fault needs."""
    if kind == "clock":
        leap = folder / "leap"
        leap.write_text("+0")
        # The monotonic clock stays as it is: a leap of the wall clock does not touch it on a real machine either.
        faked = ["FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_CACHE_DURATION=1", f"FAKETIME_TIMESTAMP_FILE={leap}"]
        return ["env", f"LD_PRELOAD={_faketime()}", *faked, *command, "--clock", str(leap)]
    if kind == "shm":
        return _mounting("/dev/shm", "1m", command)
    if kind == "disk":
        disk = folder / "disk"
        disk.mkdir()
        return _mounting(str(disk), f"{DISK_MB}m", [*command, "--folder", str(disk)])
    return command


def table(rows: Sequence[dict[str, Any]]) -> str:
    heads = ("fault", "times", "survived", "recovery s", "(longest)", "gap s", "frames", "events", "changes", "clean")
    lines = ["{:8} {:>6} {:>9} {:>11} {:>10} {:>7} {:>10} {:>12} {:>8} {:>6}".format(*heads)]
    for row in rows:
        recovery = row["recovery_s"]
        lines.append(
            f"{row['kind']:8} {row['times']:>6} {row['survived']:>9} {recovery['median']:>11.2f}"
            f" {recovery['max']:>10.2f} {row['longest_gap_s']:>7.2f} {row['frames_lost']:>3} of {row['frames']:>4}"
            f" {row['events_lost']:>4} of {row['events']:>5} {row['changes_lost']:>8}"
            f" {'yes' if row['clean'] else 'NO':>6}"
        )
    return "\n".join([*lines, "frames, events, changes: lost after they were acknowledged"])


def _mounting(place: str, size: str, command: list[str]) -> list[str]:
    """In a mount namespace of its own, in which a small disk lies at this place."""
    script = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    return [_needed("unshare", "util-linux"), "--mount", "--map-root-user", "sh", "-c", script, place, *command]


def _needed(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise DataError(f"This fault needs {program}.", saw="it is not there", fix=f"install {package}")
    return found


def _faketime() -> Path:
    for pattern in _LIBRARIES:
        for name in _FAKETIME:
            found = sorted(Path("/").glob(f"{pattern[1:]}/{name}"))
            if found:
                return found[0]
    raise DataError("The fault `clock` needs libfaketime.", saw="it is not there", fix="install faketime")


def _broken(kind: str, said: str) -> dict[str, Any]:
    """The run ended without a result: the fault was too much for it."""
    lost = {"frames": 0, "frames_lost": 0, "events": 0, "events_lost": 0, "changes_lost": 0, "longest_gap_s": 0.0}
    nothing = {"recovery_s": {"median": 0.0, "max": 0.0}, "did": {}, "clean": False}
    return {"kind": kind, "times": 1, "survived": 0, **nothing, **lost, "said": said.splitlines()[-20:]}
