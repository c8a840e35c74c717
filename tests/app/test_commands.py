from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from app.commands import COMMANDS, main, parser_of_commands


def words_of(parser: argparse.ArgumentParser, *words: str) -> Iterator[tuple[str, ...]]:
    """Every command and command of a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield (*words, name)
                yield from words_of(inner, *words, name)


ALL = sorted(words_of(parser_of_commands()))


def test_the_list_of_commands_is_the_parsers() -> None:
    assert {words[0] for words in ALL} == set(COMMANDS)


@pytest.mark.parametrize("words", [(), *ALL], ids=lambda words: " ".join(words) or "none")
def test_every_command_has_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: python -m app.main {' '.join(words)}".rstrip())
