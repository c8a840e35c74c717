from __future__ import annotations

import pytest

from checkpoints import activation_ranges, manifest
from checkpoints.activation_ranges import Ranges
from checkpoints.errors import ModelError


def test_a_table_comes_back_with_four_digits() -> None:
    ranges = Ranges("by hand", {"one": 1.23456, "two": 1234.56}, {"three": "too coarse"})
    again = activation_ranges.parse(activation_ranges.text(ranges), "here")
    assert again == Ranges("by hand", {"one": 1.235, "two": 1235.0}, {"three": "too coarse"})
    assert activation_ranges.text(again) == activation_ranges.text(ranges)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no json", "Expecting value"),
        ("{}", "made: must be a text"),
        ('{"made": "x", "limits": {}, "left": {}}', "limits: must be an object of numbers"),
        ('{"made": "x", "limits": {"a": "1"}, "left": {}}', "limits: must be an object of numbers"),
        ('{"made": "x", "limits": {"a": 1' + 400 * "0" + '}, "left": {}}', "limits: must be an object of numbers"),
        ('{"made": "x", "limits": {"a": 1}, "left": {"b": 2}}', "left: must be an object of texts"),
        ('{"made": "x", "limits": {"a": 1}, "left": {}, "limit": 2}', "limit: is not a field"),
    ],
)
def test_a_wrong_table_is_told_in_words(text: str, told: str) -> None:
    with pytest.raises(ModelError) as caught:
        activation_ranges.parse(text, "here")
    assert caught.value.saw is not None
    assert told in caught.value.saw


def test_a_table_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ModelError) as caught:
        activation_ranges.load("nobody")
    assert caught.value.fix is not None
    assert "sface" in caught.value.fix


def test_every_table_belongs_to_a_model() -> None:
    files = [file for name in manifest.names() for file in manifest.load(name).files]
    assert {file.int8.ranges for file in files if file.int8 is not None} == set(activation_ranges.names())
    for name in activation_ranges.names():
        assert activation_ranges.load(name).made
