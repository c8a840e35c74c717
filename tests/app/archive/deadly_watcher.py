"""Watches without engines, in a process of Ray.

A part of the camera `deadly` kills it, one of `spoilt` is none, and at one of `private` it tells who may read what its
process writes.
"""

from __future__ import annotations

import os
import signal
from typing import BinaryIO

from app.archive.recordings import Part
from app.archive.sighting import Point
from app.archive.watching import Eyes
from checkpoints.errors import SourceError
from tests.app.archive.painted_crew import PaintedCrew


class DeadlyWatcher:
    def __init__(self, eyes: Eyes) -> None:
        del eyes

    def watch(self, part: Part, content: BinaryIO | None = None) -> list[Point]:
        if part.recording.camera == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if part.recording.camera == "spoilt":
            raise SourceError("The video cannot be decoded.", saw="nothing in it")
        if part.recording.camera == "private":
            raise SourceError("What is written here is", saw=f"closed by {os.umask(0o077):o}")
        return PaintedCrew.points(part)
