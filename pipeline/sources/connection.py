"""What a live source gives once it is connected: pictures, until it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.sources.feed import Fill


@dataclass(frozen=True, slots=True)
class Picture:
    """stamp_s  what the stream says when it was taken; None: nothing
    fill     scales and converts it into (H, W, 3) BGR, until the next picture is asked for
    """

    size_wh: tuple[int, int]
    stamp_s: float | None
    fill: Fill


class Connection(Protocol):
    """finite  it has an end, as a video on a server has
    bursts  many pictures come at once, and then none for a while, as of HLS: each is due when its stamp says
    """

    finite: bool
    bursts: bool

    def pictures(self) -> Iterator[Picture]:
        """Ends at the end of the stream; SourceError where it breaks."""

    def close(self) -> None: ...
