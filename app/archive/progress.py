"""How far an archive is: hours of video, how many of them in an hour, and what could not be used."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

_TELL_EVERY_S = 60.0  # where nobody watches a bar


class Bar:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._seen = 0
        self._sightings = 0
        self._files = ""
        self._began_s: float | None = None
        self._told_s = time.monotonic()
        self._bar = tqdm(
            total=0.0,
            file=out,
            leave=False,
            disable=None,
            dynamic_ncols=True,
            bar_format="{desc} |{bar}| {n:.2f}/{total:.2f} h of video, {remaining} left{postfix}",
        )

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def files(self, done: int, total: int) -> None:
        self._files = f"{done} of {total} files"
        self._bar.set_description_str(self._files)

    def expect(self, video_s: float) -> None:
        self._bar.total = (self._bar.total or 0.0) + video_s / 3600
        self._began_s = self._began_s or time.monotonic()
        self._bar.refresh()

    def done(self, video_s: float, sightings: int) -> None:
        self._sightings += sightings
        self._bar.set_postfix_str(f"{self._speed():.1f} h per hour, {self._sightings} sightings", refresh=False)
        self._bar.update(video_s / 3600)
        now_s = time.monotonic()
        if self._bar.disable and now_s - self._told_s >= _TELL_EVERY_S:
            self._told_s = now_s
            self._say(f"{self._files}, {self._bar.n:.2f} h of video, {self._bar.postfix}")

    def problem(self, text: str) -> None:
        self._say(text)

    def _speed(self) -> float:
        took_s = time.monotonic() - (self._began_s or time.monotonic())
        return float(self._bar.n) / max(took_s / 3600, 1e-9)

    def _say(self, text: str) -> None:
        self._bar.clear()
        print(text, file=self._out, flush=True)
        self._bar.refresh()
