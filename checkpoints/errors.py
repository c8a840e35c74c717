"""Every error that a person may see, on one page.

It lies in the lowest layer so that all others can raise them.
"""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right: shown without a traceback, exit code 2.

    what  what failed, a full sentence
    saw   the value that was seen
    fix   what is valid, or what to do
    """

    def __init__(self, what: str, *, saw: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.saw = saw
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.saw is not None:
            lines += [f"  saw: {line}" for line in self.saw.splitlines()]
        if self.fix is not None:
            lines += [f"  fix: {line}" for line in self.fix.splitlines()]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.saw, self.fix)


def _rebuild(kind: type[UserError], what: str, saw: str | None, fix: str | None) -> UserError:
    return kind(what, saw=saw, fix=fix)


class SettingsError(UserError):
    """Settings or flags that cannot be used."""


class SourceError(UserError):
    """A camera, file or address that cannot be read."""

    trouble = "source"  # in events: what kind it is


class LoginRefused(SourceError):
    """A camera that wants another user or password."""

    trouble = "authentication"


class Unreachable(SourceError):
    """A camera at whose address nobody answers."""

    trouble = "unreachable"


class NoSuchStream(SourceError):
    """A camera that answers, but does not know the path."""

    trouble = "no such stream"


class NotDecodable(SourceError):
    """A camera that sends what cannot be decoded."""

    trouble = "codec"


class Stalled(SourceError):
    """A camera that is connected and gives no pictures."""

    trouble = "stalled"


class HungUp(SourceError):
    """A camera that ended the connection."""

    trouble = "closed"


class OutputError(UserError):
    """A file or window that cannot be written to."""


class ModelError(UserError):
    """A model file that is missing, damaged or of the wrong kind."""


class GalleryError(UserError):
    """A gallery that cannot be opened, or an embedding that does not belong in it."""


class GalleryLocked(GalleryError):
    """Another process holds the gallery."""


class GalleryAway(GalleryError):
    """The gallery's server does not answer now; the same may work later."""


class SealError(UserError):
    """Something encrypted that no key at hand opens, or a key that cannot be used; nothing is changed by it."""


class SealBroken(SealError):
    """Something encrypted that is damaged, or was changed by somebody without the key."""


class FleetError(UserError):
    """A fleet that cannot be reached, or does not do what it was asked for."""


class ArchiveError(UserError):
    """Recordings that cannot be found, or an index of them that cannot be kept or searched."""


class EnrolmentError(UserError):
    """A picture or name that cannot be enrolled."""


class DataError(UserError):
    """Labelled pictures to measure or to train with that are missing or not in the format that they should have."""


class TrainingError(UserError):
    """A training run that cannot go on; what it has reached is kept."""
