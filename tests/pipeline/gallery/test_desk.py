"""What only the desk can do: serve who is well, and not wait for who is not."""

from __future__ import annotations

import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints.errors import GalleryError, GalleryLocked
from pipeline.config import GalleryConfig
from pipeline.gallery import desk_client
from pipeline.gallery.desk import Desk
from pipeline.gallery.desk_client import DeskGallery, ask_desk
from pipeline.gallery.desk_frames import address
from pipeline.gallery.embedded import EdgeGallery
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Kept, Picture
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.opening import gallery_of, open_gallery, reopen_gallery
from pipeline.gallery.packing import packed, unpacked

SPACE = "sface@sha256:aa"
DIM = 8


def picture(n: int, jpeg: bytes | None = None) -> Picture:
    cutout = None if jpeg is None else Cutout(jpeg, np.ones((5, 2), np.float32))
    return Picture(np.random.default_rng(n).normal(size=DIM).astype(np.float32), f"{n}", 0.5, cutout)


@pytest.fixture
def gallery() -> MemoryGallery:
    return MemoryGallery(space=SPACE, dim=DIM)


@pytest.fixture
def desk(gallery: MemoryGallery, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(gallery, tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Any]:
    made: list[socket.socket] = []

    def make() -> socket.socket:
        made.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        with address(tmp_path) as place:
            made[-1].connect(place)
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def test_the_lock_leads_to_the_desk(tmp_path: Path, session_holder: Any) -> None:
    path = tmp_path / ("long" * 50) / "gallery"  # longer than the name of a socket may be
    session_holder.tell("open", path, SPACE, DIM)
    for opened in (open_gallery(path, space=SPACE, dim=DIM), reopen_gallery(path)):
        assert isinstance(opened, DeskGallery)
        assert (opened.space, opened.dim, opened.people()) == (SPACE, DIM, [])
        opened.close()
    with pytest.raises(GalleryError, match="another embedder"):
        open_gallery(path, space="facenet@sha256:bb", dim=DIM)
    with pytest.raises(GalleryLocked):
        gallery_of(GalleryConfig(path), space=SPACE, dim=DIM, share=False)
    session_holder.tell("close", path)
    freed = open_gallery(path, space=SPACE, dim=DIM)
    assert isinstance(freed, EdgeGallery)
    freed.close()
    assert not (path / "desk.sock").exists()


def test_only_this_user_may_ask(desk: Desk, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "desk.sock").stat().st_mode) == 0o600


def test_a_holder_that_does_not_serve_is_told_as_the_one_who_holds_it(
    tmp_path: Path, own_holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_holder.tell("open", tmp_path, SPACE, DIM)
    own_holder.tell("stall")
    monkeypatch.setattr(desk_client, "_FIRST_PATIENCE_S", 0.05)
    with pytest.raises(GalleryLocked, match=str(own_holder.process.pid)):
        open_gallery(tmp_path, space=SPACE, dim=DIM)


def test_a_holder_that_is_killed_in_between(tmp_path: Path, own_holder: Any) -> None:
    own_holder.tell("open", tmp_path, SPACE, DIM)
    desk = open_gallery(tmp_path, space=SPACE, dim=DIM)
    assert desk.add("Ann", [picture(1)]) == 1
    own_holder.process.kill()
    own_holder.process.wait()
    with pytest.raises(GalleryError, match="does not answer"):
        desk.people()
    desk.close()
    gallery = open_gallery(tmp_path, space=SPACE, dim=DIM)  # what it left, its socket too, stands in nobody's way
    assert [person.name for person in gallery.people()] == ["Ann"]
    assert isinstance(gallery, EdgeGallery)
    again = Desk(gallery, tmp_path)
    again.close()
    gallery.close()


def test_nobody_listens(tmp_path: Path) -> None:
    assert ask_desk(tmp_path) is None
    (tmp_path / "desk.sock").write_text("no socket", encoding="utf-8")
    assert ask_desk(tmp_path) is None


def test_a_client_that_does_not_read_holds_up_nobody(
    desk: Desk, gallery: MemoryGallery, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.restore([Kept(f"00000000-0000-4000-8000-{n:012}", f"p{n}", "t" * 200, picture(n)) for n in range(20_000)])
    deaf, other = connect(), connect()
    deaf.sendall(packed({"do": "entries", "names": None}) * 20)
    for _ in range(30):
        desk.serve_waiting()
    other.sendall(packed({"do": "about"}))
    other.settimeout(0)
    answer = b""
    for _ in range(200):
        desk.serve_waiting(0.001)
        try:
            answer += other.recv(1 << 16)
            break
        except BlockingIOError:
            continue
    assert b'"count":20000' in answer
    monkeypatch.setattr("pipeline.gallery.desk._PATIENCE_NS", -1)
    desk.serve_waiting()
    with pytest.raises(ConnectionError):
        deaf.sendall(b"x" * 10_000_000)


@pytest.mark.parametrize(
    "record",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        struct.pack("!II", 1 << 31, 0),
        struct.pack("!II", 3, 0) + b"{{{",
        struct.pack("!II", 2, 0) + b"[]",
        packed({"do": "search", "dim": 7, "limit": 1}, tail=b"123"),
        packed({"do": "entries"}),
        packed({"do": "kept_of", "ids": 5}),
        packed({"do": "apply", "change": "rename"}),
        packed({"do": "search", "dim": "x", "limit": None}),
        packed({"do": "name_face", "camera": "door", "track": "7", "name": "Ann"}),
        packed({"do": "name_face", "camera": "door", "track": 7, "name": None}),
    ],
)
def test_who_says_nonsense_is_dropped(desk: Desk, gallery: MemoryGallery, connect: Any, record: bytes) -> None:
    gallery.add("Ann", [picture(1)])
    client = connect()
    client.sendall(record)
    for _ in range(5):
        desk.serve_waiting()
    client.settimeout(5)
    with suppress(ConnectionError):
        assert client.recv(1000) == b""
    well = connect()
    well.sendall(packed({"do": "about"}))
    for _ in range(5):
        desk.serve_waiting()
    assert b'"count":1' in well.recv(1000)


@pytest.mark.parametrize(
    ("said", "face"), [("dance", {}), ("name_face", {"camera": "door", "track": 7, "name": "Ann"})]
)
def test_a_request_that_is_not_known_is_told(desk: Desk, connect: Any, said: str, face: dict[str, Any]) -> None:
    """A holder that follows no faces knows none to name."""
    client = connect()
    client.sendall(packed({"do": said} | face))
    for _ in range(5):
        desk.serve_waiting()
    answer = client.recv(10_000)
    assert "error" in unpacked(answer[8:], b"")[0]


def test_a_large_gallery_goes_through_the_desk(tmp_path: Path, session_holder: Any) -> None:
    path = tmp_path / "gallery"
    source = MemoryGallery(space=SPACE, dim=DIM)
    source.add("Ann", [picture(n, b"\xff\xd8" + bytes(30_000)) for n in range(400)])
    session_holder.tell("open", path, SPACE, DIM)
    desk = open_gallery(path, space=SPACE, dim=DIM)
    assert desk.restore(list(source.kept())) == 400
    assert desk.content_hash() == source.content_hash()
    assert sum(len(kept.picture.cutout.jpeg) for kept in desk.kept() if kept.picture.cutout) == 400 * 30_002
    rows = np.stack([picture(n).embedding for n in range(40)])
    assert [found[0].score for found in desk.search(rows)] == [1.0] * 40
    desk.close()
    session_holder.tell("close", path)


def test_records_that_are_cut_short_are_none() -> None:
    record = packed({}, [Kept("id", "Ann", "t", picture(1, b"jpeg"))])
    head_bytes, _ = struct.unpack("!II", record[:8])
    head, rest = record[8 : 8 + head_bytes], record[8 + head_bytes :]
    assert unpacked(head, rest)[1][0].id == "id"
    for short in (rest[:-1], rest[:3], b""):
        with pytest.raises(ValueError, match="cut short"):
            unpacked(head, short)


def test_the_edge_gallery_and_its_desk_see_the_same(tmp_path: Path) -> None:
    edge = open_edge(tmp_path, space=SPACE, dim=DIM)
    desk = Desk(edge, tmp_path)
    edge.add("Ann", [picture(1)])
    desk.serve_waiting()  # nobody waits
    desk.close()
    desk.close()
    edge.close()
