"""The gallery on disk written anew, so that nothing of what was deleted is left in its files.

The engine only marks what is deleted: embeddings stay in its segments and names in its log until it happens to merge
them. Here all that is still kept goes into a new shard, which takes the old one's place as after a migration.
"""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.embedded import INDEXED_FROM, EdgeGallery
from pipeline.gallery.folder import make_shard, open_edge, reopen_edge
from pipeline.gallery.migration import cleared, swap
from pipeline.gallery.sealed_gallery import is_sealed_gallery, reopen_sealed

_PORTION = 256


def purge(path: Path, seal: Seal = UNSEALED) -> int:
    """Return how many pictures are kept; GalleryLocked while somebody holds the gallery."""
    if is_sealed_gallery(path):
        with closing(reopen_sealed(path, seal)) as sealed:
            sealed.write_anew()
            return sealed.count()
    with closing(reopen_edge(path)) as old:
        making = cleared(path)
        make_shard(making / "shard", space=old.space, dim=old.dim)
        with closing(open_edge(making, space=old.space, dim=old.dim)) as new:
            _copy(old, new)
            if new.count() >= INDEXED_FROM:
                new.optimize()
            count = new.count()
        with old.at_rest():
            swap(path, making, keep_old=False)
    return count


def _copy(old: EdgeGallery, new: EdgeGallery) -> None:
    pictures = old.kept()
    while portion := list(islice(pictures, _PORTION)):
        new.restore(portion)
