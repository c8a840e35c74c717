"""One camera's window: its picture with boxes, names and figures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import OutputError
from pipeline import overlay, panel
from pipeline.clock import now_ns
from pipeline.messages import NamedFace
from pipeline.newest import Sight
from pipeline.recent import Recent, StageTimes
from pipeline.view import ChosenFace, View

_FIGURES_EVERY_NS = 500_000_000


class Screen:
    """number  tells the windows of one program apart: OpenCV knows them by names of ASCII letters only."""

    def __init__(self, camera: str, number: int, clicked: Callable[[ChosenFace | None], None]) -> None:
        self.camera = camera
        self.recent = Recent()
        self._window = f"facewire {number}"
        self._clicked = clicked
        self._sight: Sight | None = None
        self._shown: NDArray[np.uint8] | None = None
        self._is_open = False
        self._fps, self._stages, self._figures_ns = 0.0, list[StageTimes](), 0

    @property
    def shown(self) -> NDArray[np.uint8] | None:
        """The picture as it is in the window."""
        return self._shown

    @property
    def was_closed(self) -> bool:
        if not self._is_open:
            return False
        try:
            return cv2.getWindowProperty(self._window, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # what Qt says when its last window was closed
            return True

    def faces(self) -> list[ChosenFace]:
        """Those that have no name."""
        faces = self._sight.identities.faces if self._sight is not None else ()
        return [ChosenFace(self.camera, face.track) for face in faces if face.state != "known"]

    def see(self, sight: Sight) -> None:
        self._sight = sight

    def draw(self, view: View, message: str) -> None:
        """OutputError when there is no screen to draw on."""
        if self._sight is None:
            return
        image_bgr = self._sight.frame.image_bgr.copy()
        self._compose(image_bgr, self._sight, view, message)
        self._shown = image_bgr
        try:
            if not self._is_open:
                self._open(image_bgr)
            cv2.imshow(self._window, image_bgr)
        except cv2.error as error:
            raise OutputError(
                "No window can be opened.",
                saw=str(error).strip(),
                fix="use --display none, or run on a machine with a screen",
            ) from error

    def _compose(self, image_bgr: NDArray[np.uint8], sight: Sight, view: View, message: str) -> None:
        chosen = view.chosen.track if view.chosen is not None and view.chosen.camera == self.camera else None
        overlay.draw(image_bgr, sight.identities.faces, sight.identities.expected, chosen=chosen)
        self._reckon()
        px = overlay.letters_px(image_bgr)
        below = panel.head(image_bgr, f"{self._fps:.1f} fps" + ("  paused" if view.paused else ""), px)
        if view.latency:
            panel.waterfall(image_bgr, self._stages, below, px)
        if view.typed is not None and chosen is not None:
            panel.foot(image_bgr, f"Name of #{chosen}: {view.typed}_   (Enter gives it, Escape does not)", px)
        elif message:
            panel.foot(image_bgr, message, px)

    def _reckon(self) -> None:
        """Now and then: figures that change with every frame cannot be read."""
        now = now_ns()
        if now - self._figures_ns > _FIGURES_EVERY_NS:
            self._figures_ns = now
            self._fps, self._stages = self.recent.fps, self.recent.stages()

    def _open(self, image_bgr: NDArray[np.uint8]) -> None:
        cv2.namedWindow(self._window, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.setWindowTitle(self._window, f"Facewire – {self.camera}")
        cv2.resizeWindow(self._window, image_bgr.shape[1], image_bgr.shape[0])
        cv2.setMouseCallback(self._window, self._on_mouse)
        self._is_open = True

    def _on_mouse(self, event: int, x: int, y: int, _flags: int, _data: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN and self._sight is not None:
            face = face_at(self._sight.identities.faces, x, y)
            self._clicked(None if face is None else ChosenFace(self.camera, face.track))


def face_at(faces: tuple[NamedFace, ...], x: int, y: int) -> NamedFace | None:
    """The one whose box holds the point; of several the smallest."""
    held = [face for face in faces if _holds(face, x, y)]
    return min(held, key=_area, default=None)


def _holds(face: NamedFace, x: int, y: int) -> bool:
    x1, y1, x2, y2 = (float(v) for v in face.box_xyxy)
    return x1 <= x <= x2 and y1 <= y <= y2


def _area(face: NamedFace) -> float:
    x1, y1, x2, y2 = (float(v) for v in face.box_xyxy)
    return (x2 - x1) * (y2 - y1)
