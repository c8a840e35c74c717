"""The time of a live stream, made fit to measure motion with, whatever the camera's clock does."""

from __future__ import annotations

_FARTHEST_S = 1.0  # from the machine's clock; a stream that is farther off has jumped or stands still
_PULL = 0.02  # of the distance to the machine's clock, at each picture: a camera that counts too slowly is followed
_LEAST_STEP_S = 0.001


class StreamClock:
    """Follows the stream's stamps from picture to picture, which network jitter does not touch, and the machine's clock
    in the long run. Time always goes forward."""

    def __init__(self) -> None:
        self._first_ns: int | None = None
        self._at_s = 0.0
        self._stamp_s: float | None = None

    def at(self, stamp_s: float | None, arrived_ns: int) -> float:
        """Seconds since the first picture. stamp_s: what the stream says; None: nothing."""
        if self._first_ns is None:
            self._first_ns, self._stamp_s = arrived_ns, stamp_s
            return 0.0
        here_s = (arrived_ns - self._first_ns) / 1e9
        step_s = stamp_s - self._stamp_s if stamp_s is not None and self._stamp_s is not None else 0.0
        self._stamp_s = stamp_s
        at_s = self._at_s + step_s
        off_s = here_s - at_s
        at_s = at_s + _PULL * off_s if step_s > 0 and abs(off_s) <= _FARTHEST_S else here_s
        self._at_s = max(at_s, self._at_s + _LEAST_STEP_S)
        return self._at_s
