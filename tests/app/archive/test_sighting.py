from __future__ import annotations

import json

import numpy as np

from app.archive.sighting import Point, Sighting, id_of, packed, point_of, sighting_of, unpacked
from pipeline.gallery.gallery import Cutout


def sighting(number: int = 0, **more: object) -> Sighting:
    vector = np.random.default_rng(number).normal(size=8).astype(np.float32)
    said = {
        "id": id_of("test", number),
        "part": id_of("part", number),
        "recording": "f" * 64,
        "file": f"/recordings/{number}.mp4",
        "camera": "door",
        "first": f"2026-01-{number % 28 + 1:02}T12:00:00.000Z",
        "last": f"2026-01-{number % 28 + 1:02}T12:00:09.500Z",
        "from_s": 1.25,
        "to_s": 10.75,
        "best_s": 4.0,
        "box": (0.1, 0.2, 0.3, 0.4),
        "frames": 200,
        "shots": 5,
        "quality": 0.75,
        "space": "painted@1",
        "embedding": vector / np.linalg.norm(vector),
        "cutout": Cutout(b"\xff\xd8 a picture", np.arange(10, dtype=np.float32).reshape(5, 2)),
    }
    return Sighting(**{**said, **more})  # type: ignore[arg-type]


def test_a_sighting_comes_back_from_its_point_as_it_was() -> None:
    seen = sighting()
    point = point_of(seen)
    assert point.vector is not None
    again = sighting_of(point.id, json.loads(json.dumps(point.payload)), point.vector)
    for name in Sighting.__slots__:
        if name not in ("embedding", "cutout"):
            assert getattr(again, name) == getattr(seen, name), name
    assert again.cutout.jpeg == seen.cutout.jpeg
    np.testing.assert_array_equal(again.cutout.landmarks, seen.cutout.landmarks)


def test_points_come_through_text_to_the_last_bit() -> None:
    points = [point_of(sighting()), Point("an id", {"kind": "part", "to_s": None})]
    again = unpacked(packed(points))
    assert [(one.id, one.payload) for one in again] == [(one.id, one.payload) for one in points]
    assert again[0].vector is not None
    assert points[0].vector is not None
    assert again[0].vector.tobytes() == points[0].vector.tobytes()
    assert again[1].vector is None


def test_ids_follow_from_what_they_are_made_of() -> None:
    assert id_of("a", 1) == id_of("a", 1)
    assert len({id_of("a", 1), id_of("a", 2), id_of("b", 1), id_of("a/1")}) == 3
