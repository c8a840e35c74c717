"""How a command ends: what a person can put right is told on stderr without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from checkpoints.errors import UserError

GOES_ON = "Stopped. The same command goes on from here."


def exit_code(command: Callable[[], int], stopped: str = "Stopped.") -> int:
    """What the command returns, 2 after a UserError, 130 after Ctrl-C; `stopped` says what has become of the work."""
    try:
        return command()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"{stopped}\n")
        return 130
