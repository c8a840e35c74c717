"""One dated paragraph for each run, in the file where measurements are kept."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from checkpoints.errors import DataError
from training import whole_file
from training.findings import Findings


def add(path: Path, preset: str, findings: Findings, seconds: float) -> None:
    day = datetime.now(tz=timezone.utc).date()
    told = (
        f"**{day}, training.** `training.run --preset {preset}` took {seconds / 60:.0f} minutes. {_figures(findings)}"
    )
    try:
        before = path.read_text(encoding="utf-8").rstrip() if path.exists() else "# Log"
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The log cannot be read.", saw=f"--log {path}: {error}") from error
    whole_file.write(path, f"{before}\n\n{told}\n".encode())


def _figures(findings: Findings) -> str:
    told = []
    for height, scores in findings.cascades.items():
        which = f"of {height:g} px and more" if height else "of all faces"
        told.append(f"AP {which}: " + ", ".join(f"{name} {score.ap:.3f}" for name, score in scores.items()) + ".")
    for part, nets in findings.nets.items():
        told.append(f"{part}: accuracy " + ", ".join(f"{name} {net.accuracy:.4f}" for name, net in nets.items()) + ".")
    for part, took in findings.ms.items():
        told.append(f"{part}: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in took.items()) + ".")
    return " ".join(told)
