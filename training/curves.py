"""TensorBoard's curves of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from checkpoints.errors import OutputError


class Curves:
    """Drawn on from `step`: what an interrupted run has drawn beyond it is left out."""

    def __init__(self, folder: Path, step: int) -> None:
        self._folder = folder
        with self._writing():
            self._writer = SummaryWriter(str(folder), purge_step=step)

    def add(self, values: Mapping[str, float], step: int) -> None:
        with self._writing():
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
            self._writer.flush()

    def close(self) -> None:
        with self._writing():
            self._writer.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                "TensorBoard's curves cannot be written.",
                saw=f"{self._folder}: {error.strerror or error}",
                fix="Is there room on the disk, and may you write there? The same command goes on from what is there.",
            ) from error
