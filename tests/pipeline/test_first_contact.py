from __future__ import annotations

from checkpoints.errors import SourceError
from pipeline.first_contact import FirstContact

A, B = SourceError("a"), SourceError("b")


def test_the_only_camera_that_cannot_be_opened_ends_the_run() -> None:
    assert FirstContact(waits=False).refused("a", A, [("a", False)]) is A


def test_it_is_waited_for_on_wish() -> None:
    contact = FirstContact(waits=True)
    assert [contact.refused("a", A, [("a", False)]) for _ in range(3)] == [None] * 3


def test_one_that_works_is_enough() -> None:
    assert FirstContact(waits=False).refused("a", A, [("a", False), ("b", True)]) is None


def test_the_run_ends_when_the_last_one_has_been_tried_too_with_the_first_error() -> None:
    contact, sources = FirstContact(waits=False), [("a", False), ("b", False)]
    assert contact.refused("a", A, sources) is None
    assert contact.refused("a", A, sources) is None
    assert contact.refused("b", B, sources) is A
