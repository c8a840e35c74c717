"""When and where somebody was seen who was unknown then: kept until it is too old, or as long as the person is known.

A line tells of one sighting, and may be told again with a later end: the last line counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from checkpoints.errors import GalleryError
from pipeline.lines import Lines, WholeLines, rewrite


@dataclass(frozen=True, slots=True)
class Sighting:
    """id       a UUID
    cluster  of the unknown person
    name     of the person that the cluster was promoted to; None: not promoted
    event    id of an event: camera/frame/track
    first, last  UTC, ISO 8601
    """

    id: str
    cluster: str
    camera: str
    event: str
    first: str
    last: str
    name: str | None = None


Change = Callable[[Sighting], Sighting | None]


class Sightings:
    """The file `sightings.jsonl` in a gallery's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sightings.jsonl"

    def all(self) -> list[Sighting]:
        """By time."""
        try:
            found = _replayed(WholeLines(self._path)) if self._path.exists() else {}
        except OSError as error:
            raise _unusable(self._path, error) from error
        return sorted(found.values(), key=lambda one: (one.first, one.id))

    def of(self, name: str) -> list[Sighting]:
        return [one for one in self.all() if one.name == name]

    def tell(self, sighting: Sighting) -> None:
        try:
            lines = Lines(self._path, mode=0o600)
            try:
                lines.append(_packed(sighting), sync=True)
            finally:
                lines.close()
        except OSError as error:
            raise _unusable(self._path, error) from error

    def change(self, changed: Change) -> int:
        """Write the file anew: None erases a sighting. Return how many are others now, or gone."""
        count = 0

        def chosen(lines: Iterable[bytes]) -> Iterator[bytes]:
            nonlocal count
            count = 0
            for sighting in _replayed(lines).values():
                now = changed(sighting)
                count += now != sighting
                if now is not None:
                    yield _packed(now)

        if any(changed(one) != one for one in self.all()):
            try:
                rewrite(self._path, chosen)
            except OSError as error:
                raise _unusable(self._path, error) from error
        return count

    def erase(self, unwanted: Callable[[Sighting], bool]) -> int:
        return self.change(lambda one: None if unwanted(one) else one)

    def give(self, cluster: str, name: str) -> int:
        """The sightings of a cluster become a person's."""
        return self.change(lambda one: replace(one, name=name) if _is_unknown(one, cluster) else one)

    def rename(self, name: str, new_name: str) -> int:
        return self.change(lambda one: replace(one, name=new_name) if one.name == name else one)

    def merge(self, cluster: str, into: str) -> int:
        return self.change(lambda one: replace(one, cluster=into) if _is_unknown(one, cluster) else one)


def _is_unknown(sighting: Sighting, cluster: str) -> bool:
    return sighting.cluster == cluster and sighting.name is None


def _packed(sighting: Sighting) -> bytes:
    return json.dumps(asdict(sighting), ensure_ascii=False, separators=(",", ":")).encode()


def _replayed(lines: Iterable[bytes]) -> dict[str, Sighting]:
    """Lines that a crash or a disk has damaged are left out."""
    wanted = {field.name for field in fields(Sighting)}
    found: dict[str, Sighting] = {}
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.keys() == wanted:
            found[str(said["id"])] = Sighting(**said)
    return found


def _unusable(path: Path, error: OSError) -> GalleryError:
    return GalleryError(
        "The sightings cannot be read or written.",
        saw=f"{path}: {error.strerror}",
        fix="see that the disk has room and the files are yours",
    )
