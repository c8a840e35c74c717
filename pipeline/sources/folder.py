"""A folder of pictures, in the order of their names, as a film of one picture a second."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.feed import Pace, Publisher, working_size
from pipeline.sources.local import fill
from pipeline.stage import StageContext
from pipeline.topic import FrameOutbox, Pulse, Stopped

KINDS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
STEP_S = 1.0  # so far apart that nobody takes a face of one picture for the same face in the next


class FolderSource:
    """A picture that cannot be read is told of and left out. After a restart it goes on behind the last one."""

    def __init__(self, camera: CameraConfig, config: CaptureConfig, context: StageContext) -> None:
        self._camera = camera
        self._config = config
        self._say = context.say
        folder = Path(camera.source)
        found = (path for path in folder.iterdir() if path.suffix.lower() in KINDS and path.is_file())
        self._paths = sorted(found, key=_in_order)
        if not self._paths:
            raise SourceError(
                "There are no pictures in this folder.",
                saw=f"--source {camera.shown}",
                fix=f"give a folder with {', '.join(KINDS)} in it",
            )
        if not config.loop:
            context.promise(min(len(self._paths), config.frames or len(self._paths)))

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        pace = Pace(self._config.realtime_fps or (None if self._config.lossless else 1 / STEP_S))
        first = round(out.last.pts_s / STEP_S) + 1 if out.last else 0
        try:
            while not publisher.done:
                shown = self._show(publisher, pace, first)
                if not self._config.loop or (not shown and first == 0):
                    return
                first = 0
                publisher.epoch += 1
        except Stopped:
            return

    def close(self) -> None:
        """Holds nothing open."""

    def _show(self, publisher: Publisher, pace: Pace, first: int) -> int:
        """One round; how many pictures there were."""
        shown = 0
        for index, path in enumerate(self._paths[first:], first):
            if publisher.done:
                break
            captured_ns = publisher.wait_for(pace)
            image_bgr = _read(path)
            if image_bgr is None:
                self._say(f"{path} cannot be read and was left out")
                continue
            height, width = image_bgr.shape[:2]
            size_wh = working_size((width, height), self._config.size_wh)
            publisher.publish(size_wh, index * STEP_S, captured_ns, partial(fill, image_bgr))
            shown += 1
        return shown


def _read(path: Path) -> NDArray[np.uint8] | None:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if image is None else np.asarray(image, np.uint8)


def _in_order(path: Path) -> list[tuple[int, str]]:
    """2.jpg before 10.jpg."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name)]
