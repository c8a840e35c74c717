"""A process that holds galleries and serves their desks, as the lookup stage does; told on its standard input.

open FOLDER SPACE DIM | close FOLDER | stall (serve nobody any more)
"""

from __future__ import annotations

import select
import sys
from pathlib import Path

from pipeline.gallery.desk import Desk
from pipeline.gallery.embedded import EdgeGallery
from pipeline.gallery.folder import open_edge


def main() -> None:
    held: dict[str, tuple[EdgeGallery, Desk]] = {}
    stalled = False
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], 0.001)
        if ready:
            words = sys.stdin.readline().split()
            if not words:
                return
            if words[0] == "open":
                gallery = open_edge(Path(words[1]), space=words[2], dim=int(words[3]))
                held[words[1]] = gallery, Desk(gallery, Path(words[1]))
            elif words[0] == "close":
                gallery, desk = held.pop(words[1])
                desk.close()
                gallery.close()
            else:
                stalled = words[0] == "stall"
            sys.stdout.write("done\n")
            sys.stdout.flush()
        for _, desk in held.values():
            if not stalled:
                desk.serve_waiting()


main()
