"""One camera's run, held on a leash: it ends when the pipe of its standard input does, whoever has died.

`python -m app.fleet.leashed` is what a warden starts. The first line of its input says what the run is to be, so that
neither a list of processes nor a file tells the password of a camera.
"""

from __future__ import annotations

import sys
from io import FileIO


def main() -> int:
    # Each process of the run imports this file again, so nothing else is imported above.
    from app import privacy

    privacy.begin()
    from app.fleet import one_camera

    return one_camera.main(FileIO(0))


if __name__ == "__main__":
    sys.exit(main())
