"""What people change in the gallery, by a command or in the console: pictures and past sightings go together."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit import Audit
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


def rename(gallery: Gallery, config: GalleryConfig, name: str, new_name: str, audit: Audit) -> int:
    """Return how many pictures there are."""
    count = gallery.rename(name, new_name)
    Sightings(config.path, config.seal).rename(name, new_name)
    audit.tell("renamed", person=name, into=new_name, pictures=count)
    return count


def merge(gallery: Gallery, config: GalleryConfig, name: str, into: str, audit: Audit) -> int:
    """The one's pictures become the other's; return how many they were."""
    if name == into:
        raise GalleryError("A person cannot be merged with itself.", saw=name, fix="name two people")
    count = gallery.merge(name, into)
    Sightings(config.path, config.seal).rename(name, into)
    audit.tell("merged", person=name, into=into, pictures=count)
    return count


def promote(store: Unknowns, gallery: Gallery, cluster: Cluster, name: str, audit: Audit) -> Given:
    """Make a cluster a person. In this order a crash leaves the pictures in both places, and doing it again helps."""
    check_name(name)
    _check_space(gallery, cluster)
    before = next((person.pictures for person in gallery.people() if person.name == name), 0)
    count = gallery.add(name, store.pictures(cluster))
    given = Given(count, store.promoted(cluster.id, name), before)
    audit.tell("named", person=name, cluster=cluster.id, pictures=count, sightings=given.sightings)
    return given


def make_stranger(store: Unknowns, gallery: Gallery, cluster: Cluster, audit: Audit) -> Given:
    _check_space(gallery, cluster)
    count = gallery.add(None, store.pictures(cluster))
    _, sightings = store.delete(cluster.id)
    audit.tell("made a stranger", cluster=cluster.id, pictures=count)
    return Given(count, sightings)


def erase_unknown(store: Unknowns, cluster: Cluster, audit: Audit) -> tuple[int, int]:
    """Return how many faces and sightings there were."""
    faces, sightings = store.delete(cluster.id)
    audit.tell("erased an unknown", cluster=cluster.id, faces=faces, sightings=sightings)
    return faces, sightings


def _check_space(gallery: Gallery, cluster: Cluster) -> None:
    spaces = {face.space for face in cluster.faces}
    if spaces != {gallery.space}:
        raise GalleryError(
            "These faces were seen by another embedder.",
            saw=f"{', '.join(sorted(spaces))}; the gallery is of {gallery.space}",
            fix="run with the embedder that saw them, or delete them",
        )
