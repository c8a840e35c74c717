from __future__ import annotations

import numpy as np
import pytest

from engines.pictures import check


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (np.zeros((4, 5), np.uint8), "COLOR_GRAY2BGR"),
        (np.zeros((4, 5, 1), np.uint8), "COLOR_GRAY2BGR"),
        (np.zeros((4, 5, 4), np.uint8), "COLOR_BGRA2BGR"),
        (np.zeros((4, 5, 3), np.uint16), "257"),
        (np.zeros((4, 5, 3), np.float32), "float32"),
        (np.zeros((4, 5, 3), np.int8), "int8"),
        (np.zeros((0, 5, 3), np.uint8), "no pixels"),
        (np.zeros((4, 0, 3), np.uint8), "no pixels"),
        (np.zeros((1, 4, 5, 3), np.uint8), r"\(1, 4, 5, 3\)"),
        (np.zeros((3, 4, 5), np.uint8), r"\(3, 4, 5\)"),
        ([[[1, 2, 3]]], "list"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_it_is(picture: object, told: str) -> None:
    good = np.zeros((1, 1, 3), np.uint8)
    with pytest.raises(ValueError, match=told) as caught:
        check([good, picture])  # type: ignore[list-item]
    assert "picture 1 is" in str(caught.value)


def test_pictures_of_any_size_and_strides_are_taken() -> None:
    whole = np.zeros((40, 50, 3), np.uint8)
    check([whole, whole[::-1], whole[:, ::2], whole[..., ::-1], whole.transpose(1, 0, 2), whole[:1, :1]])
    check([])
