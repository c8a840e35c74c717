"""Which gallery is it: the one on disk, the one that another process holds, or the local copy of a server's?"""

from __future__ import annotations

from pathlib import Path

from checkpoints.errors import GalleryError, GalleryLocked, SealError
from pipeline.config import GalleryConfig, ServerConfig
from pipeline.gallery.desk_client import ask_desk
from pipeline.gallery.edits import Edited
from pipeline.gallery.embedded import INDEXED_FROM, EdgeGallery
from pipeline.gallery.folder import is_edge_gallery, open_edge, other_space, reopen_edge
from pipeline.gallery.gallery import Gallery
from pipeline.gallery.sealed_gallery import is_sealed_gallery, open_sealed, reopen_sealed

__all__ = ["gallery_exists", "gallery_of", "open_gallery", "optimized", "reopen_gallery", "reopen_of"]


def gallery_exists(path: Path) -> bool:
    return is_sealed_gallery(path) or is_edge_gallery(path)


def open_gallery(path: Path, *, space: str, dim: int) -> Edited:
    """The gallery in this folder, made when there is none; asked from its holder when somebody holds it."""
    return gallery_of(GalleryConfig(path), space=space, dim=dim)


def reopen_gallery(path: Path) -> Edited:
    """The gallery in this folder, whatever its space is: to look at people, not to add or search."""
    return reopen_of(GalleryConfig(path))


def gallery_of(config: GalleryConfig, *, space: str, dim: int, share: bool = True) -> Edited:
    """The gallery of this configuration.

    share  False: for the one who is to hold it, GalleryLocked when somebody else does; a server is not waited for
    """
    try:
        local = _opened(config, space=space, dim=dim)
    except GalleryLocked:
        desk = ask_desk(config.path) if share else None
        if desk is None:
            raise
        if (desk.space, desk.dim) != (space, dim):
            desk.close()
            raise other_space(config.path, desk.space, space) from None
        return desk
    return local if config.server is None else _mirrored(local, config, config.server, wait=share)


def reopen_of(config: GalleryConfig) -> Edited:
    """The same, whatever its space is."""
    if config.server is not None and not gallery_exists(config.path):
        from pipeline.gallery.server import server_space

        kept = server_space(config.server)
        if kept is None:
            raise GalleryError(
                "There is no gallery yet.", saw=config.server.url, fix="enrol somebody: enroll NAME IMAGE…"
            )
        return gallery_of(config, space=kept[0], dim=kept[1])
    try:
        local = _reopened(config)
    except GalleryLocked:
        desk = ask_desk(config.path)
        if desk is None:
            raise
        return desk
    return local if config.server is None else _mirrored(local, config, config.server, wait=True)


def optimized(gallery: Gallery) -> bool:
    """Build the index of a gallery on disk that has grown large: minutes. Small ones and others are left alone."""
    return isinstance(gallery, EdgeGallery) and gallery.count() >= INDEXED_FROM and gallery.optimize()


def _opened(config: GalleryConfig, *, space: str, dim: int) -> Edited:
    _check_seal(config)
    if config.seal.on:
        return open_sealed(config.path, config.seal, space=space, dim=dim)
    return open_edge(config.path, space=space, dim=dim)


def _reopened(config: GalleryConfig) -> Edited:
    _check_seal(config)
    return reopen_sealed(config.path, config.seal) if config.seal.on else reopen_edge(config.path)


def _check_seal(config: GalleryConfig) -> None:
    """A gallery that is encrypted needs its key, and with a key nothing is written unencrypted beside it."""
    if not config.seal.on and is_sealed_gallery(config.path):
        raise SealError(
            "The gallery is encrypted, and there is no key.",
            saw=str(config.path),
            fix="set ENCRYPTION_KEY or ENCRYPTION_KEY_FILE to the key that it was encrypted with",
        )
    if config.seal.on and is_edge_gallery(config.path) and not is_sealed_gallery(config.path):
        raise SealError(
            "There is a key, but the gallery is not encrypted.",
            saw=str(config.path),
            fix="encrypt what there is: python -m app.main keys seal; or take the key out of the settings",
        )


def _mirrored(local: Edited, config: GalleryConfig, server: ServerConfig, *, wait: bool) -> Edited:
    from pipeline.gallery.mirroring import mirrored  # brings Qdrant's client: 70 MB that a gallery on disk does without

    return mirrored(local, config.path, server, wait=wait, seal=config.seal)
