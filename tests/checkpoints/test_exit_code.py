"""How a command ends."""

from __future__ import annotations

import pytest

from checkpoints.errors import DataError
from checkpoints.exit_code import exit_code


@pytest.mark.parametrize("code", [0, 1])
def test_what_the_command_says_is_its_exit_code(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: code) == code
    assert capsys.readouterr() == ("", "")


def test_what_a_person_can_put_right_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        raise DataError("There is no list.", saw="gt.txt", fix="Give one.")

    assert exit_code(command) == 2
    assert capsys.readouterr() == ("", "There is no list.\n  saw: gt.txt\n  fix: Give one.\n")


@pytest.mark.parametrize(("told", "said"), [((), "Stopped.\n"), (("All is kept.",), "All is kept.\n")])
def test_ctrl_c_says_what_has_become_of_the_work(
    told: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> int:
        raise KeyboardInterrupt

    assert exit_code(command, *told) == 130
    assert capsys.readouterr() == ("", said)


def test_a_mistake_of_the_program_is_not_hidden() -> None:
    def command() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_code(command)
