from __future__ import annotations

import pytest

from pipeline.view import ChosenFace, GiveName, View, letter_of

FACE = ChosenFace("door", 7)


def typed(view: View, *codes: int | str) -> object:
    """What the last key led to; texts are pressed letter by letter."""
    wish: object = None
    for code in codes:
        for one in [code] if isinstance(code, int) else map(ord, code):
            wish = view.press(one)
    return wish


def test_keys_change_the_view() -> None:
    view = View()
    typed(view, "l ")
    assert (view.latency, view.paused) == (True, True)
    typed(view, "l x")
    assert (view.latency, view.paused) == (False, False)
    assert [typed(view, key) for key in ("s", "q", 27, 0xFF1B)] == ["snapshot", "quit", "quit", "quit"]


def test_the_clicked_face_is_given_the_typed_name() -> None:
    view = View()
    assert typed(view, "n") == "choose"
    view.click(FACE)
    assert typed(view, "n") is None
    assert typed(view, "ann lq", 8, "ee", 13) == GiveName(FACE, "Ann Lee")
    assert view.typed is None
    assert typed(view, "n", 13) is None, "no name, no wish"


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        (("van der ", 0xFFE1, "berg"), "van der Berg"),
        (("Ann",), "Ann"),
        ((-23, "va"), "Éva"),
        ((0xFFE1, -23, "va"), "Éva"),
        ((65470, "  a ", 65361, " b "), "A B"),
        (("x" * 150,), "X" + "x" * 99),
    ],
)
def test_names_as_keyboards_tell_them(codes: tuple[int | str, ...], name: str) -> None:
    view = View(chosen=FACE)
    assert typed(view, "n", *codes, 0xFF0D) == GiveName(FACE, name)


def test_escape_and_another_click_give_no_name() -> None:
    view = View(chosen=FACE)
    typed(view, "nan", 27)
    assert view.typed is None
    typed(view, "nq")
    assert view.typed == "q"
    view.click(None)
    assert (view.typed, view.chosen) == (None, None)


def test_keys_that_are_no_letters() -> None:
    assert [letter_of(code) for code in (-1, 9, 127, 150, 65361, 1729)] == [None] * 6
    assert [letter_of(code) for code in (97, 233, -55)] == ["a", "é", "é"]
