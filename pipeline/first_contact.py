"""Whether a run that has not seen a picture yet should wait for its cameras, or tell that none can be opened."""

from __future__ import annotations

from collections.abc import Iterable

from checkpoints.errors import UserError


class FirstContact:
    """Sources that could not be opened so far, by the name of their process.

    waits  for as long as it takes, because nobody is there who could mend a wrong address
    """

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits
        self._refused: dict[str, UserError] = {}

    def refused(self, source: str, error: UserError, sources: Iterable[tuple[str, bool]]) -> UserError | None:
        """The error that ends the run: that of the first source, once none of them has worked and all were tried.

        sources  every source's process, and whether it has ever given a picture
        """
        self._refused.setdefault(source, error)
        if self._waits or any(has_worked or name not in self._refused for name, has_worked in sources):
            return None
        return next(iter(self._refused.values()))
