"""A gallery on disk becomes the copy of a server's, or of that part of it which matters here."""

from __future__ import annotations

from pathlib import Path

from checkpoints.errors import GalleryAway
from pipeline.config import ServerConfig
from pipeline.gallery.copy import MirroredGallery
from pipeline.gallery.embedded import EdgeGallery
from pipeline.gallery.far import FarGallery
from pipeline.gallery.journal import Journal
from pipeline.gallery.pull import Pull
from pipeline.gallery.regulars import Regulars
from pipeline.gallery.server import QdrantServerGallery


def mirrored(edge: EdgeGallery, path: Path, server: ServerConfig, *, wait: bool) -> MirroredGallery:
    """`wait`: for the server's answer, at most its timeout; what does not go away by waiting is raised."""
    gallery: MirroredGallery | None = None
    try:
        journal = Journal(path / "journal")
        peer = QdrantServerGallery(server, space=edge.space, dim=edge.dim)
        if server.reads == "server":
            gallery = FarGallery(edge, peer, journal, Regulars())
        else:
            pull = Pull(path / "mirrored.json", f"{server.url} {server.collection}")
            gallery = MirroredGallery(edge, peer, journal, pull)
    finally:
        if gallery is None:
            edge.close()
    if wait and not gallery.catch_up(server.timeout_s):
        trouble = gallery.trouble()
        if trouble is not None and not isinstance(trouble, GalleryAway):
            gallery.close()
            raise trouble  # a wrong key or another space does not go away by waiting
    return gallery
