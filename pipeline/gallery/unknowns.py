"""Faces that nobody has a name for: kept for some days, put together into clusters across cameras and days.

A cluster is one person, as far as embeddings can tell. A new sighting joins the nearest cluster that is near enough;
when it is near to two, it shows that they are one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.clock import utc_iso
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.sightings import Sighting, Sightings
from pipeline.gallery.unknown_file import Face, UnknownFile

FACES_OF_CLUSTER = 12
MOST_FACES = 10_000
# What is near to two clusters says that they are one only when there is more than luck between.
MERGE_BY = 0.05


@dataclass(frozen=True, slots=True)
class Shot:
    """What a track showed: embedding (D,) of unit length, when (UTC, ISO 8601), and how clear."""

    embedding: NDArray[np.float32]
    time: str
    quality: float
    cutout: Cutout | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """faces  best first;  sightings  oldest first"""

    id: str
    faces: tuple[Face, ...]
    sightings: tuple[Sighting, ...]

    @property
    def first(self) -> str:
        return min([face.time for face in self.faces] + [one.first for one in self.sightings])

    @property
    def last(self) -> str:
        return max([face.time for face in self.faces] + [one.last for one in self.sightings])

    @property
    def cameras(self) -> list[str]:
        return sorted({one.camera for one in self.sightings})


class Unknowns:
    """In the folder of a gallery. Any process may look and erase; only the gallery's holder keeps new ones.

    near  cosine from which two faces count as one person's
    """

    def __init__(self, folder: Path, *, near: float = 1.0, seal: Seal = UNSEALED) -> None:
        self._folder = folder / "unknowns"
        self._file = UnknownFile(self._folder, seal)
        self._sightings = Sightings(folder, seal)
        self._near = near

    def clusters(self) -> list[Cluster]:
        """The one that was seen last comes first."""
        self._file.refresh()
        faces: dict[str, list[Face]] = {}
        for face in self._file.faces.values():
            faces.setdefault(face.cluster, []).append(face)
        seen: dict[str, list[Sighting]] = {}
        for one in self._sightings.all():
            if one.name is None:
                seen.setdefault(one.cluster, []).append(one)
        made = [
            Cluster(one, tuple(sorted(its, key=lambda face: -face.quality)), tuple(seen.get(one, ())))
            for one, its in faces.items()
        ]
        return sorted(made, key=lambda cluster: cluster.last, reverse=True)

    def cluster(self, wanted: str) -> Cluster:
        found = {cluster.id: cluster for cluster in self.clusters()}
        if wanted not in found:
            raise GalleryError("There is no such unknown person.", saw=wanted, fix="see who there is: unknowns list")
        return found[wanted]

    def pictures(self, cluster: Cluster) -> list[Picture]:
        """For the gallery; each says where it is from."""
        events = {one.id: one.event for one in cluster.sightings}
        return [
            Picture(
                face.embedding, face.id, face.quality, self._file.cutout(face), events.get(face.sighting, "unknown")
            )
            for face in cluster.faces
        ]

    def keep(self, sighting: Sighting, shots: Sequence[Shot], space: str) -> str:
        """Keep what a track showed, or more of it; return the cluster that it is in now."""
        self._file.refresh()
        cluster = self._cluster_of(sighting.id) or self._joined(shots, space)
        new = [
            Face(str(uuid4()), cluster, sighting.id, shot.time, shot.quality, space, shot.embedding, _landmarks(shot))
            for shot in shots
        ]
        if new:
            cutouts = {f.id: shot.cutout for f, shot in zip(new, shots, strict=True) if shot.cutout is not None}
            self._file.append(new, cutouts)
            self._trim(cluster)
        self._sightings.tell(
            Sighting(sighting.id, cluster, sighting.camera, sighting.event, sighting.first, sighting.last)
        )
        return cluster

    def forget(self, sighting: str) -> None:
        """It has turned out to be somebody known."""
        self._file.refresh()
        if any(face.sighting == sighting for face in self._file.faces.values()):
            self._file.erase(lambda face: face.sighting == sighting)
        self._sightings.erase(lambda one: one.id == sighting and one.name is None)

    def delete(self, cluster: str) -> tuple[int, int]:
        """Erase a cluster; return how many faces and sightings there were."""
        erased = self._file.erase(lambda face: face.cluster == cluster)
        return len(erased), self._sightings.erase(lambda one: one.cluster == cluster and one.name is None)

    def promoted(self, cluster: str, name: str) -> int:
        """The cluster's pictures are the person's now: return how many sightings have the name now."""
        named = self._sightings.give(cluster, name)
        self._file.erase(lambda face: face.cluster == cluster)
        return named

    def expire(self, days: float) -> int:
        """Erase what is older; with 0 everything. Return how many faces were erased."""
        self._file.refresh()
        if days == 0:
            count = len(self._file.faces)
            self._file.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._sightings.erase(lambda one: one.name is None)
            return count
        before = _days_ago(days)
        old = [face.id for face in self._file.faces.values() if face.time < before]
        if old or self._file.dead_lines > len(self._file.faces):
            self._file.erase(lambda face: face.time < before)
        self._sightings.erase(lambda one: one.last < before and one.name is None)
        self._file.sweep()
        return len(old)

    def reseal(self) -> int:
        """Put all under the first key; return how many faces, cut-outs and sightings were not."""
        return self._file.reseal() + self._sightings.reseal()

    @property
    def there(self) -> bool:
        return self._file.there

    def close(self) -> None:
        self._file.close()

    def _cluster_of(self, sighting: str) -> str | None:
        return next((face.cluster for face in self._file.faces.values() if face.sighting == sighting), None)

    def _joined(self, shots: Sequence[Shot], space: str) -> str:
        """The cluster that these shots of one face belong to; clusters that they join become one."""
        scores = self._scores(shots, space)
        best_first = sorted(scores, key=lambda cluster: (-scores[cluster], cluster))
        if not best_first or scores[best_first[0]] < self._near:
            return self._new_id()
        into, *others = best_first
        if scores[into] >= self._near + MERGE_BY:
            for other in others:
                if scores[other] >= self._near + MERGE_BY:
                    self._file.merge(other, into)
                    self._sightings.merge(other, into)
        return into

    def _scores(self, shots: Sequence[Shot], space: str) -> dict[str, float]:
        """Of each cluster: how like its nearest face each shot is, the mean over the shots by their quality."""
        faces = [face for face in self._file.faces.values() if face.space == space]
        if not faces or not shots:
            return {}
        clusters = sorted({face.cluster for face in faces})
        places = {cluster: place for place, cluster in enumerate(clusters)}
        rows = np.stack([shot.embedding for shot in shots]) @ np.stack([face.embedding for face in faces]).T
        best = np.full((len(clusters), len(shots)), -1.0)
        np.maximum.at(best, [places[face.cluster] for face in faces], rows.T)
        means = np.average(best, axis=1, weights=[max(shot.quality, 1e-3) for shot in shots])
        return {cluster: float(mean) for cluster, mean in zip(clusters, means, strict=True)}

    def _new_id(self) -> str:
        taken = {face.cluster for face in self._file.faces.values()}
        return next(one for one in _ids() if one not in taken)

    def _trim(self, cluster: str) -> None:
        """A cluster keeps its best faces, the store its newest."""
        own = sorted((f for f in self._file.faces.values() if f.cluster == cluster), key=lambda f: -f.quality)
        too_many = [face.id for face in own[FACES_OF_CLUSTER:]]
        if len(self._file.faces) - len(too_many) > MOST_FACES:
            by_age = sorted(self._file.faces.values(), key=lambda face: face.time)
            too_many += [face.id for face in by_age[: MOST_FACES // 10]]
        self._file.drop(too_many)


def _landmarks(shot: Shot) -> NDArray[np.float32] | None:
    return None if shot.cutout is None else shot.cutout.landmarks


def _ids() -> Iterator[str]:
    while True:
        yield f"u{uuid4().hex[:5]}"


def _days_ago(days: float, now: Callable[[], str] = utc_iso) -> str:
    then = datetime.fromisoformat(now().replace("Z", "+00:00")) - timedelta(days=days)
    return then.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
