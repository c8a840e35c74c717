"""WIDER FACE's labels as MATLAB files, `wider_face_train.mat` and `wider_face_val.mat`.

They say the same as the text files; pictures lie in a folder for each event.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from checkpoints.errors import DataError
from training.wider_face import LabelledPicture

_EVENTS, _FILES, _BOXES, _INVALID = "event_list", "file_list", "face_bbx_list", "invalid_label_list"
_FIX = "It must be wider_face_train.mat or wider_face_val.mat of wider_face_split.zip, as published."


def read_mat(path: Path) -> list[LabelledPicture]:
    wanted = (_EVENTS, _FILES, _BOXES, _INVALID)
    try:
        content = scipy.io.loadmat(path, variable_names=wanted)
    except OSError as error:
        raise DataError("The labels of the pictures cannot be read.", saw=f"{path}: {error}") from error
    except (MatReadError, ValueError, TypeError, IndexError, NotImplementedError, zlib.error) as error:
        raise DataError("This is no whole MATLAB file of a version before 7.3.", saw=str(path), fix=_FIX) from error
    missing = [name for name in wanted if name not in content]
    if missing:
        raise DataError(
            "The labels of WIDER FACE are incomplete.", saw=f"{path} without {', '.join(missing)}", fix=_FIX
        )
    try:
        pictures = list(_pictures(content))
    except (IndexError, TypeError, ValueError) as error:
        raise DataError("The labels are not those of WIDER FACE.", saw=f"{path}: {error}", fix=_FIX) from error
    if not pictures:
        raise DataError("There is no picture in this list of labels.", saw=str(path), fix=_FIX)
    return pictures


def _pictures(content: dict[str, Any]) -> Iterator[LabelledPicture]:
    """Each variable is a column of events; each but the first holds for each event a column of its pictures."""
    events, files, boxes, invalid = (content[name][:, 0] for name in (_EVENTS, _FILES, _BOXES, _INVALID))
    for event, names, rectangles, flags in zip(events, files, boxes, invalid, strict=True):
        for name, rectangle, flag in zip(names[:, 0], rectangles[:, 0], flags[:, 0], strict=True):
            rows = np.asarray(rectangle, np.float64).reshape(-1, 4)
            ignored = np.asarray(flag).reshape(-1) > 0
            if len(ignored) != len(rows):
                raise ValueError(f"{len(rows)} boxes and {len(ignored)} flags for {name[0]}")
            corners = rows[:, :2]
            yield LabelledPicture(f"{event[0]}/{name[0]}.jpg", np.hstack([corners, corners + rows[:, 2:]]), ignored)
