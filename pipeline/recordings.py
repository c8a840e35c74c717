"""A recording that never ends, in parts of so many minutes each; `expiry` erases those that are too old.

Names tell camera and beginning (`door_20260131_120000Z.mp4`). A part begins with a key frame, so nothing is missing
between two.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from checkpoints.errors import OutputError
from pipeline.clock import utc_iso
from pipeline.config import RecordingsConfig
from pipeline.file_names import recording_name
from pipeline.film import BASE, Encoded, Encoder, Film, OneFilm

_FLAG = "--record"


class Recording(OneFilm):
    """Of one camera, as long as its pictures are of one size."""

    def __init__(self, config: RecordingsConfig, camera: str, encoder: Encoder) -> None:
        super().__init__()
        self._config = config
        self._camera = camera
        self._encoder = encoder
        self._until_at = 0

    def write(self, encoded: Encoded, captured_ns: int) -> None:
        """captured_ns  of this frame, or nearly"""
        if encoded.is_key and encoded.at >= self._until_at:
            self.close()
        if self._film is None:
            self._film = self._begin(captured_ns)
            self._until_at = encoded.at + round(self._config.minutes * 60 / BASE)
        self._film.write(encoded)

    def _begin(self, captured_ns: int) -> Film:
        """Where a film of that second is there already (of a run before), it is named by the next free one."""
        make_folder(self._config.folder, _FLAG)
        moments = (utc_iso(captured_ns + seconds * 1_000_000_000) for seconds in count())
        paths = (self._config.folder / recording_name(self._camera, moment) for moment in moments)
        path = next(path for path in paths if not path.exists())
        return Film(path, self._encoder, began=utc_iso(captured_ns), flag=_FLAG)


def make_folder(folder: Path, flag: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "Films cannot be written.", saw=f"{flag} {folder}: {error.strerror}", fix="give a writable folder"
        ) from error
