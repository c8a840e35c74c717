"""What a teacher says of each sample, in log odds, in a file beside the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from training import whole_file

_NAME = "teacher.npy"


def write(folder: Path, odds: NDArray[np.float32]) -> None:
    def save(aside: Path) -> None:
        with aside.open("wb") as file:
            np.save(file, odds.astype(np.float32))

    whole_file.write_by(folder / _NAME, save)


def is_there(folder: Path) -> bool:
    return (folder / _NAME).is_file()


def read(folder: Path, count: int) -> NDArray[np.float32]:
    """(count,); DataError where nobody has asked a teacher, or of other samples."""
    path = folder / _NAME
    if not path.is_file():
        raise DataError("No teacher was asked about these samples.", saw=f"no file {path}", fix="Run training.distill.")
    try:
        odds = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError("What the teacher said cannot be read.", saw=f"{path}: {error}") from error
    if odds.shape != (count,):
        raise DataError(
            "The teacher was asked about other samples.", saw=f"{path}: {odds.shape}, {count} samples", fix="Ask again."
        )
    return np.asarray(odds, np.float32)
