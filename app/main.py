"""The program: `python -m app.main`. What it does is in `commands`.

Each process that it starts imports this file again, so nothing else is imported here.
"""

from __future__ import annotations

import sys


def main() -> int:
    from app import commands, privacy

    privacy.begin()
    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
