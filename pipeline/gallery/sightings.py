"""When and where somebody was seen who was unknown then: kept until it is too old, or as long as the person is known.

A line tells of one sighting, and may be told again with a later end: the last line counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from checkpoints import json_text
from checkpoints.errors import GalleryError, SealBroken
from checkpoints.sealed import UNSEALED, Seal
from pipeline.lines import Chosen, Lines, WholeLines, rewrite


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
_ABOUT = "sightings"


class Sightings:
    """The file `sightings.jsonl` in a gallery's folder."""

    def __init__(self, folder: Path, seal: Seal = UNSEALED) -> None:
        self._seal = seal
        self._path = folder / "sightings.jsonl"

    def all(self) -> list[Sighting]:
        """By time."""
        try:
            found = self._replayed(WholeLines(self._path)) if self._path.exists() else {}
        except OSError as error:
            raise _unusable(self._path, error) from error
        return sorted(found.values(), key=lambda one: (one.first, one.id))

    def of(self, name: str) -> list[Sighting]:
        return [one for one in self.all() if one.name == name]

    def tell(self, sighting: Sighting) -> None:
        try:
            lines = Lines(self._path, mode=0o600)
            try:
                lines.append(self._packed(sighting), sync=True)
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
            for sighting in self._replayed(lines).values():
                now = changed(sighting)
                count += now != sighting
                if now is not None:
                    yield self._packed(now)

        if any(changed(one) != one for one in self.all()):
            self._rewrite(chosen)
        return count

    def reseal(self) -> int:
        """Put all under the first key; return how many were not."""
        if not self._path.exists() or all(map(self._seal.is_current_line, WholeLines(self._path))):
            return 0
        self._rewrite(lambda lines: map(self._packed, self._replayed(lines).values()))
        return len(self.all())

    def erase(self, unwanted: Callable[[Sighting], bool]) -> int:
        return self.change(lambda one: None if unwanted(one) else one)

    def give(self, cluster: str, name: str) -> int:
        """The sightings of a cluster become a person's."""
        return self.change(lambda one: replace(one, name=name) if _is_unknown(one, cluster) else one)

    def rename(self, name: str, new_name: str) -> int:
        return self.change(lambda one: replace(one, name=new_name) if one.name == name else one)

    def merge(self, cluster: str, into: str) -> int:
        return self.change(lambda one: replace(one, cluster=into) if _is_unknown(one, cluster) else one)

    def _rewrite(self, chosen: Chosen) -> None:
        try:
            rewrite(self._path, chosen)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def _packed(self, sighting: Sighting) -> bytes:
        return self._seal.line(json.dumps(asdict(sighting), ensure_ascii=False, separators=(",", ":")).encode(), _ABOUT)

    def _replayed(self, lines: Iterable[bytes]) -> dict[str, Sighting]:
        """Lines that a crash or a disk has damaged are left out; a key that is missing is an error, and loses none."""
        wanted = {field.name for field in fields(Sighting)}
        found: dict[str, Sighting] = {}
        for line in lines:
            try:
                said = json_text.read(self._seal.open_line(line, _ABOUT))
            except (SealBroken, ValueError):
                continue
            if isinstance(said, dict) and said.keys() == wanted and all(map(_is_text, said.values())):
                found[str(said["id"])] = Sighting(**said)
        return found


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_unknown(sighting: Sighting, cluster: str) -> bool:
    return sighting.cluster == cluster and sighting.name is None


def _unusable(path: Path, error: OSError) -> GalleryError:
    return GalleryError(
        "The sightings cannot be read or written.",
        saw=f"{path}: {error.strerror}",
        fix="see that the disk has room and the files are yours",
    )
