"""What people change in the gallery, by a command or in the console: pictures and past sightings go together."""

from __future__ import annotations

from dataclasses import dataclass

from checkpoints.errors import GalleryError
from pipeline.config import GalleryConfig
from pipeline.gallery.gallery import Gallery
from pipeline.gallery.intake import check_name
from pipeline.gallery.sightings import Sightings
from pipeline.gallery.unknowns import Cluster, Unknowns


@dataclass(frozen=True, slots=True)
class Given:
    """What a cluster gave: pictures, the sightings that came with it, and how many pictures there were before."""

    pictures: int
    sightings: int
    before: int = 0


def rename(gallery: Gallery, config: GalleryConfig, name: str, new_name: str) -> int:
    """Return how many pictures there are."""
    count = gallery.rename(name, new_name)
    Sightings(config.path, config.seal).rename(name, new_name)
    return count


def merge(gallery: Gallery, config: GalleryConfig, name: str, into: str) -> int:
    """The one's pictures become the other's; return how many they were."""
    if name == into:
        raise GalleryError("A person cannot be merged with itself.", saw=name, fix="name two people")
    count = gallery.merge(name, into)
    Sightings(config.path, config.seal).rename(name, into)
    return count


def promote(store: Unknowns, gallery: Gallery, cluster: Cluster, name: str) -> Given:
    """Make a cluster a person. In this order a crash leaves the pictures in both places, and doing it again helps."""
    check_name(name)
    _check_space(gallery, cluster)
    before = next((person.pictures for person in gallery.people() if person.name == name), 0)
    count = gallery.add(name, store.pictures(cluster))
    return Given(count, store.promoted(cluster.id, name), before)


def make_stranger(store: Unknowns, gallery: Gallery, cluster: Cluster) -> Given:
    _check_space(gallery, cluster)
    count = gallery.add(None, store.pictures(cluster))
    _, sightings = store.delete(cluster.id)
    return Given(count, sightings)


def _check_space(gallery: Gallery, cluster: Cluster) -> None:
    spaces = {face.space for face in cluster.faces}
    if spaces != {gallery.space}:
        raise GalleryError(
            "These faces were seen by another embedder.",
            saw=f"{', '.join(sorted(spaces))}; the gallery is of {gallery.space}",
            fix="run with the embedder that saw them, or delete them",
        )
