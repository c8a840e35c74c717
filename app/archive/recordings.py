"""A file of an archive: which camera made it and when, and the parts in which it is worked on.

Names tell most of it: of `garage/2026-01-31/12-00-00.mp4` the camera is garage, and so it is of
`garage_20260131_120000.mp4`. A part is what one worker does in one piece: long recordings are shared out, and after a
crash only the parts that were under way are done again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import PurePosixPath

from app.archive.sighting import id_of

PART_S = 300.0
# The last part takes what would be shorter than this: a person at the seam of two parts is two sightings.
_LEAST_PART_S = 60.0
# A day and a time, in one name or shared out over folders.
_STAMP = re.compile(
    r"(?<!\d)(?P<day>(20\d\d)[-_./]?([01]\d)[-_./]?([0-3]\d))"
    r"(?P<between>\D*)(?P<clock>([0-2]\d)[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)(?:[.,]\d+)?(?P<utc>Z?))(?!\d)"
)
_EDGES = " _-.@"


@dataclass(frozen=True, slots=True)
class File:
    """place     path, or address in an object store
    within    its place from the folder that was asked for on, that folder first, with / between
    size      bytes
    mtime_ns  when it was last written, since 1970
    """

    place: str
    within: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Origin:
    """camera       that made the recording
    started_utc  seconds since 1970; None: its name does not say
    """

    camera: str
    started_utc: float | None


@dataclass(frozen=True, slots=True)
class Recording:
    """What was found out about a file by reading it once.

    sha256       of the whole file
    began_s      time of the first picture in the file's own clock
    length_s     0: the file does not say
    started_utc  of the first picture, seconds since 1970
    looks        the settings with which it is watched; empty: not known
    """

    file: str
    size: int
    mtime_ns: int
    sha256: str
    camera: str
    started_utc: float
    began_s: float
    length_s: float
    looks: str = ""

    def parts(self, part_s: float = PART_S) -> tuple[Part, ...]:
        whole = max(1, int((self.length_s + part_s - _LEAST_PART_S) // part_s))
        seams = [number * part_s for number in range(1, whole)]
        ends: list[float | None] = [*seams, None]
        return tuple(Part(self, start, end) for start, end in zip([0.0, *seams], ends, strict=True))


@dataclass(frozen=True, slots=True)
class Part:
    """from_s, to_s  seconds from the beginning of the recording; to_s None: to its end, wherever that is"""

    recording: Recording
    from_s: float
    to_s: float | None

    @property
    def id(self) -> str:
        return id_of(self.recording.sha256, f"{self.from_s:.3f}")

    @property
    def length_s(self) -> float:
        return max(0.0, (self.recording.length_s if self.to_s is None else self.to_s) - self.from_s)


def origin(within: str, camera: str | None = None) -> Origin:
    """What the name of a file says, with the folder that was asked for before it. A time without a Z is this machine's.

    The camera is the innermost folder below that one which is not a day, else the name without its time, else the
    folder that was asked for.
    """
    path = PurePosixPath(within)
    asked_for, *folders = path.parts[:-1] or ("",)
    rest = within.removesuffix(path.suffix)
    stamps = list(_STAMP.finditer(rest))
    stamp = stamps[-1] if stamps else None
    if stamp is not None:
        between = "" if re.fullmatch(r"[T_ ./-]*", stamp["between"]) else stamp["between"]
        rest = rest[: stamp.start()] + between + rest[stamp.end() :]
    named = [folder for folder in folders if not re.fullmatch(r"[\d._ -]+", folder)]
    name = camera or (named[-1] if named else rest.rpartition("/")[2].strip(_EDGES)) or asked_for or path.stem
    return Origin(name, None if stamp is None else _moment(stamp))


def _moment(stamp: re.Match[str]) -> float | None:
    numbers = [int(stamp[place]) for place in (2, 3, 4, 7, 8, 9)]
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:  # 20269999 is no day
        return None
    return (moment.replace(tzinfo=timezone.utc) if stamp["utc"] else moment.astimezone()).timestamp()
