"""A gallery on disk becomes the copy of a server's, or of that part of it which matters here."""

from __future__ import annotations

from pathlib import Path

from checkpoints.errors import GalleryAway
from checkpoints.sealed import UNSEALED, Seal
from pipeline.config import ServerConfig
from pipeline.gallery.copy import MirroredGallery
from pipeline.gallery.edits import Edited
from pipeline.gallery.far import FarGallery
from pipeline.gallery.journal import Journal
from pipeline.gallery.pull import Pull
from pipeline.gallery.regulars import Regulars
from pipeline.gallery.server import QdrantServerGallery


def mirrored(local: Edited, path: Path, server: ServerConfig, *, wait: bool, seal: Seal = UNSEALED) -> MirroredGallery:
    """`wait`: for the server's answer, at most its timeout; what does not go away by waiting is raised."""
    gallery: MirroredGallery | None = None
    try:
        journal = Journal(path / "journal", seal)
        peer = QdrantServerGallery(server, space=local.space, dim=local.dim)
        if server.reads == "server":
            gallery = FarGallery(local, peer, journal, Regulars())
        else:
            pull = Pull(path / "mirrored.json", f"{server.url} {server.collection}")
            gallery = MirroredGallery(local, peer, journal, pull)
    finally:
        if gallery is None:
            local.close()
    if wait and not gallery.catch_up(server.timeout_s):
        trouble = gallery.trouble()
        if trouble is not None and not isinstance(trouble, GalleryAway):
            gallery.close()
            raise trouble  # a wrong key or another space does not go away by waiting
    return gallery
