"""A window for each camera, through OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import OutputError

_QUIT_KEYS = {ord("q"), 27}


class Windows:
    """Pictures are shown as they come; q, Escape or closing a window ends the run."""

    def __init__(self, request_stop: Callable[[str], None]) -> None:
        self._request_stop = request_stop
        self._titles: set[str] = set()
        self._asked = False

    def show(self, camera: str, image_bgr: NDArray[np.uint8]) -> None:
        title = f"Facewire – {camera}"
        try:
            if title not in self._titles:
                cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
                cv2.resizeWindow(title, image_bgr.shape[1], image_bgr.shape[0])
                self._titles.add(title)
            cv2.imshow(title, image_bgr)
        except cv2.error as error:
            raise OutputError(
                "No window can be opened.",
                saw=str(error).strip(),
                fix="use --display none, or run on a machine with a screen",
            ) from error
        self.listen()

    def listen(self) -> None:
        """Keys and clicks; to be called often."""
        if not self._titles or self._asked:
            return
        key = cv2.waitKey(1) & 0xFF
        closed = any(cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1 for title in self._titles)
        if key in _QUIT_KEYS or closed:
            self._asked = True
            self._request_stop("the window was closed" if closed else "asked to quit by a key")

    def close(self) -> None:
        if self._titles:
            cv2.destroyAllWindows()
