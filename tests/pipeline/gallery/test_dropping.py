"""A copy of a server's gallery is erased where it is not used any more, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints.sealed import UNSEALED, Seal, keys_of, new_key
from pipeline.config import GalleryConfig, ServerConfig
from pipeline.gallery.dropping import drop_copy
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.lock import Lock
from pipeline.gallery.opening import gallery_exists, gallery_of

SPACE = "sface@sha256:aa"
DIM = 8
AWAY = ServerConfig("http://127.0.0.1:1", timeout_s=0.2)


def picture(place: int) -> Picture:
    cutout = Cutout(f"jpeg {place}".encode(), np.full((5, 2), place, np.float32))
    return Picture(np.random.default_rng(place).normal(size=DIM).astype(np.float32), f"h{place}", 0.5, cutout)


def enrolled(config: GalleryConfig, *names: str) -> None:
    with closing(gallery_of(config, space=SPACE, dim=DIM)) as gallery:
        for place, name in enumerate(names):
            gallery.add(name, [picture(place)])


def known(config: GalleryConfig) -> list[str | None]:
    with closing(gallery_of(config, space=SPACE, dim=DIM)) as gallery:
        return sorted(person.name or "" for person in gallery.people())


@pytest.mark.parametrize("reads", ["copy", "server"])
@pytest.mark.parametrize("seal", [UNSEALED, Seal(keys_of(new_key()))], ids=["open", "sealed"])
def test_nothing_of_anybody_is_left_and_all_are_pulled_again(
    tmp_path: Path, make_peer: Callable[..., Any], seal: Seal, reads: Any
) -> None:
    config = GalleryConfig(tmp_path / "g", server=ServerConfig(make_peer().url, timeout_s=5.0, reads=reads), seal=seal)
    enrolled(config, "Ann", "Bob")
    (config.path / "sightings.jsonl").write_bytes(b"")
    assert drop_copy(config)
    assert not gallery_exists(config.path)
    left = {path.name for path in config.path.rglob("*")}
    assert left <= {"journal", "lock", "mirrored.json", "sightings.jsonl"}
    assert known(config) == ["Ann", "Bob"]


def test_what_the_server_has_not_been_told_yet_is_told_first(tmp_path: Path, make_peer: Callable[..., Any]) -> None:
    server = ServerConfig(make_peer().url, timeout_s=5.0)
    there = GalleryConfig(tmp_path / "g", server=server)
    enrolled(there, "Ann")
    away = GalleryConfig(tmp_path / "g", server=AWAY)
    enrolled(away, "Bob")
    assert not drop_copy(away)
    assert gallery_exists(away.path)
    assert drop_copy(there)
    assert known(GalleryConfig(tmp_path / "elsewhere", server=server)) == ["Ann", "Bob"]


def test_a_copy_in_use_is_left_alone(tmp_path: Path, server_config: ServerConfig) -> None:
    config = GalleryConfig(tmp_path / "g", server=server_config)
    enrolled(config, "Ann")
    with Lock(config.path / "lock"):
        assert not drop_copy(config)
    assert gallery_exists(config.path)


def test_what_a_crash_has_left_of_a_copy_is_erased(tmp_path: Path, server_config: ServerConfig) -> None:
    config = GalleryConfig(tmp_path / "g", server=server_config)
    enrolled(config, "Ann")
    (config.path / "shard").rename(config.path / "making")
    assert drop_copy(config)
    assert not (config.path / "making").exists() and not (config.path / "cutouts").exists()


def test_where_there_is_none_nothing_is_made(tmp_path: Path, server_config: ServerConfig) -> None:
    assert drop_copy(GalleryConfig(tmp_path / "g", server=server_config))
    assert not (tmp_path / "g").exists()
