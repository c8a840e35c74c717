"""Workers without engines: what they see of a part follows from the part. They can be killed before any part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.archive.indexing import Outcome, Surveyed
from app.archive.recordings import File, Origin, Part, Recording
from app.archive.sighting import PART, Point, id_of, point_of
from tests.app.archive.test_sighting import sighting


class Killed(BaseException):
    """As a signal would end a run, in whatever line it is."""


def file(number: int, *, content: str = "", size: int = 100, mtime_ns: int = 5) -> File:
    """content: `name:seconds`; another name is another file"""
    place = f"/all/cam{number}/{content or number}.mp4"
    return File(place, f"all/cam{number}/{content or number}.mp4", size, mtime_ns)


@dataclass
class PaintedCrew:
    """length_s   of every recording
    kill_before  the so many-th part; None: nobody is killed
    bad          places that cannot be read;  deadly  places whose parts never come back
    backwards    parts come back in another order than they were given in
    """

    length_s: float = 1000.0
    kill_before: int | None = None
    bad: tuple[str, ...] = ()
    deadly: tuple[str, ...] = ()
    backwards: bool = False
    contents: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def surveyed(self, files: Sequence[tuple[File, Origin]]) -> Iterator[Surveyed]:
        for one, origin in files:
            self.read.append(one.place)
            if one.place in self.bad:
                yield Surveyed(one.place, None, "no video")
                continue
            content = self.contents.get(one.place, one.place)
            yield Surveyed(
                one.place,
                Recording(
                    file=one.place,
                    size=one.size,
                    mtime_ns=one.mtime_ns,
                    sha256=id_of(content),
                    camera=origin.camera,
                    started_utc=origin.started_utc or 0.0,
                    began_s=0.0,
                    length_s=self.length_s,
                ),
            )

    def watched(self, parts: Sequence[Part]) -> Iterator[Outcome]:
        for number, part in enumerate(reversed(parts) if self.backwards else parts):
            if number == self.kill_before:
                raise Killed
            if part.recording.file in self.deadly:
                continue
            self.seen.append(part.id)
            yield Outcome(part.id, tuple(self.points(part)))

    @staticmethod
    def points(part: Part) -> list[Point]:
        recording = part.recording
        number = int(part.id[:4], 16)
        seen = [
            replace(
                sighting(number + track),
                id=id_of(part.id, track),
                part=part.id,
                recording=recording.sha256,
                file=recording.file,
                camera=recording.camera,
                first="2026-01-01T12:00:00.000Z",
                last="2026-01-01T12:00:09.000Z",
            )
            for track in range(number % 4)
        ]
        said = {"recording": recording.sha256, "file": recording.file, "frames": 10, "damage": ""}
        return [*map(point_of, seen), Point(part.id, {"kind": PART, **said})]


@dataclass
class Noted:
    """Progress that is kept."""

    video_s: float = 0.0
    expected_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    def files(self, done: int, total: int) -> None: ...

    def expect(self, video_s: float) -> None:
        self.expected_s += video_s

    def done(self, video_s: float, sightings: int) -> None:
        self.video_s += video_s

    def problem(self, text: str) -> None:
        self.problems.append(text)
