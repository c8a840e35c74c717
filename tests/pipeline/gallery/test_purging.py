from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import GalleryError, GalleryLocked
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.purging import purge


def picture(place: int) -> Picture:
    cutout = Cutout(f"jpeg {place}".encode(), np.full((5, 2), place, np.float32))
    return Picture(np.random.default_rng(place).normal(size=8).astype(np.float32), f"h{place}", 0.5, cutout, "a.jpg")


def test_all_but_what_was_erased_stays_as_it_was(tmp_path: Path) -> None:
    gallery = open_edge(tmp_path / "g", space="s", dim=8)
    for place, name in enumerate(["Ann", "Bob", None]):
        gallery.add(name, [picture(place)])
    gallery.delete("Ann")
    before, content = list(gallery.kept()), gallery.content_hash()
    gallery.close()
    assert purge(tmp_path / "g") == 2
    gallery = open_edge(tmp_path / "g", space="s", dim=8)
    after = list(gallery.kept())
    assert gallery.content_hash() == content
    assert [(k.id, k.name, k.time, k.picture.image_hash) for k in after] == [
        (k.id, k.name, k.time, k.picture.image_hash) for k in before
    ]
    for old, new in zip(before, after, strict=True):
        assert new.picture.embedding == pytest.approx(old.picture.embedding, abs=1e-6)
        assert old.picture.cutout is not None and new.picture.cutout is not None
        assert new.picture.cutout.jpeg == old.picture.cutout.jpeg
    gallery.close()


def test_a_gallery_in_use_is_left_alone(tmp_path: Path) -> None:
    gallery = open_edge(tmp_path / "g", space="s", dim=8)
    gallery.add("Ann", [picture(1)])
    with pytest.raises(GalleryLocked):
        purge(tmp_path / "g")
    assert len(list(gallery.kept())) == 1
    gallery.close()


def test_where_there_is_no_gallery_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="no gallery yet"):
        purge(tmp_path / "g")
    assert not (tmp_path / "g").exists()
