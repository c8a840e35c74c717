"""Kinds of numbers that flags take."""

from __future__ import annotations

import argparse

import pytest

from engines import flags


def test_counts_begin_at_one() -> None:
    assert [flags.count(text) for text in ("1", "64")] == [1, 64]


def test_seeds_begin_at_zero() -> None:
    assert [flags.seed(text) for text in ("0", "7")] == [0, 7]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number above 0"):
        flags.count(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "", "many"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number from 0 on"):
        flags.seed(text)
