"""Pictures of faces for the events that tell of them, cut out of the very frame and kept by a thread.

A disk that is too slow costs pictures, not frames.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import OutputError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.cutting import cut_out
from pipeline.messages import NamedFace
from pipeline.outlets.crops import Crops
from pipeline.outlets.stored import key_of

_WAITING = 64
_PATIENCE_S = 1.0

Kept = tuple[str, bytes]


class Cropping:
    def __init__(self, folder: Path, seal: Seal = UNSEALED) -> None:
        self._crops = Crops(folder, seal)
        self._waiting: queue.Queue[Kept | None] = queue.Queue(_WAITING)
        self._error: OutputError | None = None
        self._faces: set[tuple[str, int]] = set()
        self._thread = threading.Thread(target=self._work, name="crops", daemon=True)
        self._thread.start()

    def wants(self, event: Mapping[str, Any]) -> bool:
        """Of each face the first time, and whenever its name is another one: what is only repeated has a picture."""
        face = (event["camera"], event["track"])
        is_new = face not in self._faces
        if len(self._faces) > 4096:
            self._faces.clear()
        self._faces.add(face)
        return is_new or "why" in event

    def keep(self, event: Mapping[str, Any], image_bgr: NDArray[np.uint8], face: NamedFace) -> None:
        """Raises OutputError when an earlier one could not be kept."""
        if self._error is not None:
            raise self._error
        cutout = cut_out(image_bgr, face.box_xyxy, face.landmarks)
        try:
            self._waiting.put_nowait((key_of(event, b""), cutout.jpeg))
        except queue.Full:
            return

    def close(self) -> None:
        try:
            self._waiting.put(None, timeout=_PATIENCE_S)
        except queue.Full:
            return
        self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        while (kept := self._waiting.get()) is not None:
            key, jpeg = kept
            try:
                self._crops.write(key, jpeg)
            except OutputError as error:
                self._error = error
