"""Detectors that need one look: a network gives boxes and landmarks for every cell of the picture at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import ModelError
from engines import pictures
from engines.engine import Engine
from engines.faces import Faces
from engines.nms import nms
from engines.sheets import Fit, Sheets, Sizing

MOST_CANDIDATES = 1000  # before suppression, the best ones; a low threshold lets thousands through
_MAX_HEADS = 16
# YuNet finds faces of 16 to 500 px best, at 1,000 px two thirds of the score are left. Making pictures smaller by what
# a larger min face would allow does not pay: at half the size two points of AP are lost on the faces of 40 px and more.
_SIZING = Sizing(longest_px=1920, far_px=640)
# Of the smallest face that is asked for: MTCNN looks for it with a square around the face, and one in twenty of its
# boxes is smaller than this. So the same setting means the same faces.
_SMALLEST_SHARE = 0.7
_LARGE_SHARE = 0.2  # of the picture's longer side: from here on faces count on the smaller sheet


class Head(Protocol):
    """Reads what one kind of network says about one size of sheet.

    sizes  how many values each output must have
    """

    @property
    def sizes(self) -> tuple[int, ...]: ...

    def read(self, outputs: tuple[NDArray[np.float32], ...]) -> Faces:
        """The best candidates above the least score, in pixels of the sheet and in no order.

        NotNumbers where the network does not give numbers.
        """


class NotNumbers(ArithmeticError):
    """A network gives NaN."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One family of networks.

    outputs      in this order an engine has to give them; the names are the meanings in the manifest
    least_score  that suits it
    same_face    the overlap from which two boxes show the same face
    head         for the size of a sheet and a least score
    """

    outputs: tuple[str, ...]
    least_score: float
    same_face: float
    head: Callable[[tuple[int, int], float], Head]

    def detector(
        self,
        open_net: Callable[[tuple[int, int]], Engine],
        *,
        min_face_px: int,
        least_score: float | None = None,
        fixed_wh: tuple[int, int] | None = None,
    ) -> SingleStage:
        """`open_net` gives an engine for one picture of (width, height) with these outputs."""
        least = self.least_score if least_score is None else least_score
        return SingleStage(
            open_net,
            lambda sheet_wh: self.head(sheet_wh, least),
            _SIZING.only(fixed_wh),
            min_face_px=min_face_px,
            same_face=self.same_face,
        )


class SingleStage:
    """Finds faces in pictures of any size, one after the other; one thread at a time.

    Pictures are not batched: on a processor a batch of four takes longer than four pictures one by one.
    """

    def __init__(
        self,
        open_net: Callable[[tuple[int, int]], Engine],
        make_head: Callable[[tuple[int, int]], Head],
        sizing: Sizing,
        *,
        min_face_px: int,
        same_face: float,
    ) -> None:
        self._open_net = open_net
        self._sheets = Sheets(self._opened)
        self._make_head = make_head
        self._sizing = sizing
        self._min_face_px = min_face_px
        self._same_face = same_face
        self._usual_wh: tuple[int, int] | None = None
        self._heads: dict[tuple[int, int], Head] = {}

    def prepare(self, picture_wh: tuple[int, int]) -> None:
        """Open the engines that fit pictures of this size best, which will be the usual one."""
        self._usual_wh = picture_wh
        self._sheets.prepare(self._fits(picture_wh))

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        pictures.check(images_bgr)
        return [self._detect(image_bgr) for image_bgr in images_bgr]

    def refine(self, images_bgr: Sequence[NDArray[np.uint8]], boxes_xyxy: Sequence[NDArray[np.float32]]) -> list[Faces]:
        """A network of one look has none for a single place: it looks everywhere again."""
        del boxes_xyxy
        return self.detect(images_bgr)

    def close(self) -> None:
        self._sheets.close()

    def _detect(self, image_bgr: NDArray[np.uint8]) -> Faces:
        picture_wh = image_bgr.shape[1], image_bgr.shape[0]
        if min(picture_wh) < self._min_face_px:
            return Faces.none()
        first, *far = (self._seen(image_bgr, fit) for fit in self._fits(picture_wh))
        for seen in far:
            # What is small there has been seen better on the first sheet.
            first = _together(first, _of(seen, _lengths(seen) >= _LARGE_SHARE * max(picture_wh)))
        faces = _of(first, nms(first.boxes_xyxy, first.scores, self._same_face))
        # Not before: of a face that is just too small a worse, larger box would stay.
        faces = _of(faces, _lengths(faces) >= _SMALLEST_SHARE * self._min_face_px)
        boxes = np.clip(faces.boxes_xyxy, 0, np.array(picture_wh * 2, np.float32))
        # On the black around the picture a network may see faces, too.
        return _of(Faces(boxes, faces.scores, faces.landmarks), np.all(boxes[:, 2:] > boxes[:, :2], axis=1))

    def _seen(self, image_bgr: NDArray[np.uint8], fit: Fit) -> Faces:
        """The candidates on one sheet, in pixels of the picture."""
        try:
            seen = self._head(fit.sheet_wh).read(self._sheets.run(image_bgr, fit))
        except NotNumbers as error:
            raise ModelError(
                "The detector's network gives values that are no numbers.",
                saw=str(error),
                fix="Try --precision fp32; if that does not help, its weights are damaged or overflow.",
            ) from error
        if fit.scale_xy == (1, 1):
            return seen
        scale_xy = np.array(fit.scale_xy, np.float32)
        return Faces(seen.boxes_xyxy * np.tile(scale_xy, 2), seen.scores, seen.landmarks * scale_xy)

    def _opened(self, sheet_wh: tuple[int, int]) -> Engine:
        """The engine for a sheet, if its network has the outputs that its manifest promises."""
        engine = self._open_net(sheet_wh)
        for name, shape, size in zip(
            engine.output_names, engine.output_shapes, self._head(sheet_wh).sizes, strict=True
        ):
            if math.prod(shape) != size:
                engine.close()
                raise ModelError(
                    "The detector's network does not give what its manifest says.",
                    saw=f"{name} has shape {shape} for pictures of {sheet_wh[0]}×{sheet_wh[1]}, not {size} values",
                    fix="Are its family and the names of its outputs right in the manifest?",
                )
        return engine

    def _fits(self, picture_wh: tuple[int, int]) -> tuple[Fit, ...]:
        return self._sizing.fits(picture_wh, tight=picture_wh == self._usual_wh)

    def _head(self, sheet_wh: tuple[int, int]) -> Head:
        if sheet_wh not in self._heads:
            if len(self._heads) == _MAX_HEADS:
                del self._heads[next(iter(self._heads))]
            self._heads[sheet_wh] = self._make_head(sheet_wh)
        return self._heads[sheet_wh]


def _of(faces: Faces, which: NDArray[np.bool_] | NDArray[np.intp]) -> Faces:
    return Faces(faces.boxes_xyxy[which], faces.scores[which], faces.landmarks[which])


def _together(one: Faces, other: Faces) -> Faces:
    return Faces(
        np.concatenate([one.boxes_xyxy, other.boxes_xyxy]),
        np.concatenate([one.scores, other.scores]),
        np.concatenate([one.landmarks, other.landmarks]),
    )


def _lengths(faces: Faces) -> NDArray[np.float32]:
    """The longer sides of the boxes."""
    longer: NDArray[np.float32] = np.max(faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2], axis=1)
    return longer
