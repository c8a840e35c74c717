"""How good the search of archives is: its speed beside the pipeline's, whether kills leave a trace, and who is found.

    python -m testbench.archive speed --source clip.mp4 --json speed.json
    python -m testbench.archive kills --source clip.mp4 --source other.mp4 --kills 3
    python -m testbench.archive find --truth truth.json --videos DIR --strangers DIR

Needs the extra [fleet].
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import extra
from checkpoints.exit_code import exit_code
from testbench import archive_find, archive_kills, archive_speed
from testbench.figures import tell


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.archive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, help="write the figures here")
    kinds = made.add_subparsers(required=True, metavar="speed|kills|find")
    for name, module in (("speed", archive_speed), ("kills", archive_kills), ("find", archive_find)):
        one = kinds.add_parser(name, help=(module.__doc__ or "").partition("\n")[0])
        module.add_flags(one)
        one.add_argument("--json", type=Path, help="write the figures here")
        one.set_defaults(measure=module.measure)
    return made


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)

    def measured() -> int:
        extra.need_fleet("testbench.archive")
        figures = args.measure(args)
        tell(figures, args.json)
        return 0 if figures["passed"] else 1

    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
