"""Through an archive once: what is new is surveyed and watched, and each part is put on the shelf in one step.

Whatever is killed, the next run goes on with the parts that are not on the shelf. Ids follow from contents, and what is
found in a part depends on that part alone, so the shelf is the same in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

from app.archive.recordings import File, Origin, Part, Recording, origin
from app.archive.shelf import PART, RECORDING, Shelf
from app.archive.sighting import Point, id_of
from app.archive.sources import Listed
from checkpoints.errors import ArchiveError

_WAVE = 500  # files that are surveyed before they are watched: the first result is not hours away


@dataclass(frozen=True, slots=True)
class Surveyed:
    """recording None: it could not be, and `why`"""

    file: str
    recording: Recording | None
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """points  None: the part could not be watched, and `why`
    took_s  of a worker's time
    """

    part: str
    points: tuple[Point, ...] | None
    why: str = ""
    took_s: float = 0.0


class Workers(Protocol):
    """Who does the work, in whatever order and wherever; what does not come back could not be done."""

    def surveyed(self, files: Sequence[tuple[File, Origin]]) -> Iterator[Surveyed]: ...

    def watched(self, parts: Sequence[Part]) -> Iterator[Outcome]: ...


class Progress(Protocol):
    def files(self, done: int, total: int) -> None: ...

    def expect(self, video_s: float) -> None: ...

    def done(self, video_s: float, sightings: int) -> None: ...

    def problem(self, text: str) -> None: ...


@dataclass(slots=True)
class Tally:
    """files  in all;  known  of them that needed nothing;  failed  what could not be worked on, and why"""

    files: int = 0
    known: int = 0
    video_s: float = 0.0
    frames: int = 0
    sightings: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def index(
    files: Sequence[File],
    shelf: Shelf,
    workers: Workers,
    progress: Progress,
    camera: str | None = None,
    *,
    looks: str = "",
) -> Tally:
    """looks: the settings with which recordings are watched; ArchiveError for those that are known with others"""
    tally = Tally(files=len(files))
    known = {one.file: one for one in map(_recording_of, shelf.points(RECORDING))}
    _check_same([known[file.place] for file in files if _is_known(file, known)], camera, looks)
    done = {point.id for point in shelf.points(PART)}
    for start in range(0, len(files), _WAVE):
        progress.files(start, len(files))
        wave = files[start : start + _WAVE]
        recordings = [
            *_unchanged(wave, known),
            *_new(wave, known, shelf, workers, done, tally, progress, camera, looks),
        ]
        parts: dict[str, Part] = {}
        for one in sorted(recordings, key=lambda one: one.file):  # of two copies always the same one counts
            for part in one.parts():
                if part.id not in done:
                    parts.setdefault(part.id, part)
        busy = {part.recording.sha256 for part in parts.values()}
        tally.known += sum(one.sha256 not in busy for one in recordings)
        _watch(parts, shelf, workers, done, tally, progress)
    progress.files(len(files), len(files))
    if tally.sightings:
        shelf.settle()
    return tally


def prune(found: Listed, places: Sequence[str], shelf: Shelf) -> int:
    """Forget recordings that lay at these places and are not there any more; return how many.

    found  what is there; where it could not be looked at, nothing is forgotten
    """
    there = {file.place for file in found.files}
    known = [_recording_of(point) for point in shelf.points(RECORDING)]
    missing = [one for one in known if one.file not in there and _is_at(one.file, places)]
    gone = [one for one in missing if not _is_at(one.file, list(found.unread))]
    kept = {one.sha256 for one in known if one not in gone}
    for sha256 in {one.sha256 for one in gone} - kept:
        shelf.forget(sha256)
    return len(gone)


def _check_same(known: Sequence[Recording], camera: str | None, looks: str) -> None:
    """An index in which some recordings were watched in another way could not be told from one that is the same."""
    others = [(one.file, otherwise) for one in known if (otherwise := _otherwise(one, camera, looks))]
    if others:
        file, otherwise = others[0]
        raise ArchiveError(
            "Recordings that are known were indexed with other settings.",
            saw=f"{len(others)} of them, such as {file}: {otherwise}",
            fix="use the same flags and settings, or make another index: --archive DIR, or ARCHIVE_COLLECTION",
        )


def _otherwise(known: Recording, camera: str | None, looks: str) -> str:
    """What is asked for now and was not when this one was indexed; empty: nothing."""
    if camera not in (None, known.camera):
        return f"camera {known.camera}, now {camera}"
    return f"{known.looks}; now {looks}" if known.looks and looks and known.looks != looks else ""


def _is_at(file: str, places: Sequence[str]) -> bool:
    return any(file == place or file.startswith(place.rstrip("/") + "/") for place in places)


def _unchanged(wave: Sequence[File], known: dict[str, Recording]) -> list[Recording]:
    return [known[file.place] for file in wave if _is_known(file, known)]


def _is_known(file: File, known: dict[str, Recording]) -> bool:
    """By size and time, so that a second run does not read the whole archive to find that nothing is new."""
    kept = known.get(file.place)
    return kept is not None and (kept.size, kept.mtime_ns) == (file.size, file.mtime_ns)


def _new(
    wave: Sequence[File],
    known: dict[str, Recording],
    shelf: Shelf,
    workers: Workers,
    done: set[str],
    tally: Tally,
    progress: Progress,
    camera: str | None,
    looks: str,
) -> list[Recording]:
    asked = {file.place: (file, origin(file.within, camera)) for file in wave if not _is_known(file, known)}
    by_content = {one.sha256: one for one in known.values()}
    found = []
    for told in workers.surveyed(list(asked.values())) if asked else ():
        asked.pop(told.file)
        if told.recording is None:
            _fail(told.file, told.why, tally, progress)
            continue
        recording = replace(told.recording, looks=looks)
        same = by_content.get(recording.sha256)
        if same is not None and (otherwise := _otherwise(same, camera, looks)):
            _fail(
                told.file,
                f"the same as {same.file}, which was indexed with other settings: {otherwise}",
                tally,
                progress,
            )
            continue
        _replace(recording, known, shelf, done)
        found.append(recording)
    for place in asked:
        _fail(place, "whoever read it died", tally, progress)
    return found


def _replace(found: Recording, known: dict[str, Recording], shelf: Shelf, done: set[str]) -> None:
    """A file that is another one now (it was still being written, or the name was used again) is forgotten first."""
    before = known.get(found.file)
    if before is not None and before.sha256 != found.sha256:
        elsewhere = any(one.sha256 == before.sha256 for one in known.values() if one.file != found.file)
        if not elsewhere:
            shelf.forget(before.sha256)
            done.difference_update(part.id for part in before.parts())
    known[found.file] = found
    shelf.put([Point(id_of("file", found.file), {"kind": RECORDING, "recording": found.sha256, **asdict(found)})])


def _watch(
    parts: dict[str, Part], shelf: Shelf, workers: Workers, done: set[str], tally: Tally, progress: Progress
) -> None:
    progress.expect(sum(part.length_s for part in parts.values()))
    left = dict(parts)
    for told in workers.watched(list(parts.values())) if parts else ():
        part = left.pop(told.part)
        if told.points is None:
            _fail(part.recording.file, told.why, tally, progress)
            continue
        shelf.put(told.points)
        done.add(part.id)
        sightings = len(told.points) - 1
        marker = told.points[-1].payload
        if marker["damage"]:
            progress.problem(f"{part.recording.file} is damaged ({marker['damage']}); what could be decoded was used")
        tally.video_s += part.length_s
        tally.frames += marker["frames"]
        tally.sightings += sightings
        progress.done(part.length_s, sightings)
    for part in left.values():
        _fail(part.recording.file, "whoever watched it died, again and again", tally, progress)


def _fail(place: str, why: str, tally: Tally, progress: Progress) -> None:
    tally.failed[place] = why
    progress.problem(f"{place}: {why}")


def _recording_of(point: Point) -> Recording:
    said = {key: value for key, value in point.payload.items() if key not in ("kind", "recording")}
    return Recording(**said)
