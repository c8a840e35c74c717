"""Files one after the other, as a playlist names them: one on a line, # begins a remark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.feed import Publisher
from pipeline.sources.file import FileSource
from pipeline.stage import StageContext
from pipeline.topic import FrameOutbox, Pulse, Stopped


class PlaylistSource:
    """Each file is an epoch, so that after a restart it goes on in the file, and at the picture, where it was."""

    def __init__(self, camera: CameraConfig, config: CaptureConfig, context: StageContext) -> None:
        self._camera = camera
        self._config = config
        self._context = context
        self._paths = listed(camera)
        self._open: FileSource | None = None

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        resume_after_s = out.last.pts_s if out.last else None
        try:
            while not publisher.done:
                self._play(publisher, resume_after_s)
                resume_after_s = None
                publisher.epoch += 1
                if publisher.epoch % len(self._paths) == 0 and not self._config.loop:
                    return
        except Stopped:
            return

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _play(self, publisher: Publisher, after_s: float | None) -> None:
        path = self._paths[publisher.epoch % len(self._paths)]
        file = replace(self._camera, source=str(path), shown=str(path))
        self.close()
        self._open = FileSource(file, replace(self._config, loop=False), self._context)
        self._open.play(publisher, after_s)


def listed(camera: CameraConfig) -> list[Path]:
    """The files, relative names beside the playlist. All must be there before the first one is played."""
    playlist = Path(camera.source)
    try:
        lines = playlist.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            "The playlist cannot be read.", saw=f"--source {camera.shown}: {error}", fix="give a text file in UTF-8"
        ) from error
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    paths = [playlist.parent / Path(name).expanduser() for name in names]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise SourceError(
            "The playlist names files that are not there." if missing else "The playlist is empty.",
            saw="\n".join(missing[:5]) or f"--source {camera.shown}",
            fix="write one file on a line, with its path from the folder of the playlist",
        )
    return paths
