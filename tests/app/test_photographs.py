from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from app import photographs
from app.photographs import Unreadable
from checkpoints.errors import EnrolmentError


def save(path: Path, height: int = 20, width: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


def test_files_come_in_the_order_given_and_folders_by_name(tmp_path: Path) -> None:
    z, b, a = save(tmp_path / "z.png"), save(tmp_path / "folder/b.JPG"), save(tmp_path / "folder/a.jpeg")
    (tmp_path / "folder/notes.txt").write_text("x", encoding="utf-8")
    save(tmp_path / "folder/deeper/c.jpg")
    assert photographs.find([z, tmp_path / "folder", z, a]) == [z, a, b]


def test_all_paths_without_pictures_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EnrolmentError) as caught:
        photographs.find([tmp_path / "none.jpg", save(tmp_path / "a.png"), tmp_path / "empty"])
    saw = (caught.value.saw or "").splitlines()
    assert [line.split(": ")[0] for line in saw] == [str(tmp_path / "none.jpg"), str(tmp_path / "empty")]


def test_a_picture_and_the_hash_of_its_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    photograph = photographs.read(path)
    assert photograph.image_bgr.shape == (20, 30, 3)
    assert photograph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", [cv2.IMREAD_GRAYSCALE, cv2.IMREAD_UNCHANGED])
def test_grey_and_transparent_pictures_have_three_channels(tmp_path: Path, kind: int) -> None:
    channels = 1 if kind == cv2.IMREAD_GRAYSCALE else 4
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((20, 30, channels), 90, np.uint8))
    assert photographs.read(path).image_bgr.shape == (20, 30, 3)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_of_16_bits_the_upper_8_are_kept(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "deep.png"
    values = np.random.default_rng(0).integers(0, 256, (6, 8, channels), np.uint8)
    cv2.imwrite(str(path), values.astype(np.uint16) * 257)
    image_bgr = photographs.read(path).image_bgr
    assert image_bgr.dtype == np.uint8
    assert image_bgr.tolist() == np.broadcast_to(values[..., :3], (6, 8, 3)).tolist()


def test_a_turned_photograph_is_put_upright(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    plain = path.read_bytes()
    # An EXIF block that says "turn by 90 degrees": APP1, big-endian TIFF, one entry (orientation, short, 6).
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    block = b"Exif\x00\x00" + tiff
    path.write_bytes(plain[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + plain[2:])
    assert photographs.read(path).image_bgr.shape == (30, 20, 3)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a picture", encoding="utf-8")
    for name, why in (("empty.jpg", "empty"), ("text.jpg", "not a picture"), ("none.jpg", "No such file")):
        with pytest.raises(Unreadable, match=why):
            photographs.read(tmp_path / name)
