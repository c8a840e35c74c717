"""Short films of what happened: from some seconds before somebody was recognised, or not, to some seconds after.

What might become the beginning of a film is kept in memory as H.264, a few hundred kilobytes a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pipeline.clock import utc_iso
from pipeline.config import ClipsConfig
from pipeline.file_names import safe
from pipeline.film import BASE, Encoded, Encoder, Film, OneFilm
from pipeline.messages import FrameRef, NamedFace
from pipeline.recordings import make_folder

LONGEST_S = 60.0  # where much happens, one film follows on another

Tell = Callable[[dict[str, object]], None]


class Cutter(OneFilm):
    """The clips of one camera, from one encoder's frames. `tell` is given an event for each, when it begins."""

    def __init__(self, config: ClipsConfig, camera: str, encoder: Encoder, tell: Tell) -> None:
        super().__init__()
        self._config = config
        self._camera = camera
        self._encoder = encoder
        self._tell = tell
        self._kept: deque[Encoded] = deque()
        self._began_at = self._until_at = 0

    def keep(self, encoded: Encoded) -> None:
        """OutputError when the film that is being written cannot go on."""
        self._kept.append(encoded)
        self._forget(encoded.at - _ticks(self._config.seconds))
        if self._film is None:
            return
        if encoded.at > self._until_at or encoded.at - self._began_at > _ticks(LONGEST_S):
            self.close()
        else:
            self._film.write(encoded)

    def notice(self, event: str, ref: FrameRef) -> None:
        """Something happened in the frame that was kept last."""
        if not self._kept:
            return
        now_at = self._kept[-1].at
        self._until_at = now_at + _ticks(self._config.seconds)
        if self._film is not None or not self._kept[0].is_key:
            return
        first = self._kept[0]
        began = utc_iso(ref.captured_ns - round(float((now_at - first.at) * BASE) * 1e9))
        path = self._config.folder / f"{safe(self._camera)}-{safe(began)}.mp4"
        make_folder(self._config.folder, "--clips")
        self._film, self._began_at = Film(path, self._encoder, began=began, flag="--clips"), first.at
        for encoded in self._kept:
            self._film.write(encoded)
        self._tell({"type": "clip", "camera": self._camera, "t": began, "file": path.name, "event": event})

    def _forget(self, before_at: int) -> None:
        """What is older, but for the key frame that the rest is told from."""
        keys = [place for place, one in enumerate(self._kept) if one.is_key and one.at <= before_at]
        for _ in range(keys[-1] if keys else 0):
            self._kept.popleft()


class Happenings:
    """Which faces are worth a clip: those that have just been given a name, or are known to have none."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], tuple[str, str | None]] = {}

    def new(self, ref: FrameRef, faces: tuple[NamedFace, ...]) -> list[NamedFace]:
        found = []
        for face in faces:
            now = face.state, face.name
            if face.state != "undecided" and self._seen.get((ref.camera, face.track)) != now:
                self._seen[ref.camera, face.track] = now
                found.append(face)
        while len(self._seen) > 4096:
            del self._seen[next(iter(self._seen))]
        return found


def _ticks(seconds: float) -> int:
    return round(seconds / BASE)
