from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training import labels, toy
from training.composed import Composed, SceneRules
from training.labels import Labelled


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Labelled], list[Labelled]]:
    people, backgrounds = toy.make(Path(tmp_path_factory.mktemp("toy")))
    return labels.read(people), labels.read(backgrounds)


def test_a_scene_depends_on_its_number_and_the_seed_alone(pictures: tuple[list[Labelled], list[Labelled]]) -> None:
    one, again, other = (Composed(*pictures, SceneRules(), seed) for seed in (1, 1, 2))
    again.scene(5)
    np.testing.assert_array_equal(one.scene(7).image_bgr, again.scene(7).image_bgr)
    np.testing.assert_array_equal(one.scene(7).boxes_xyxy, again.scene(7).boxes_xyxy)
    assert not np.array_equal(one.scene(7).image_bgr, other.scene(7).image_bgr)
    assert not np.array_equal(one.scene(7).image_bgr, one.scene(8).image_bgr)


def test_faces_lie_in_the_scene_and_come_in_all_sizes(pictures: tuple[list[Labelled], list[Labelled]]) -> None:
    composed = Composed(*pictures, SceneRules(worn=False), 1)
    scenes = [composed.scene(number) for number in range(20)]
    boxes = np.concatenate([scene.boxes_xyxy[~scene.ignored] for scene in scenes])
    heights = boxes[:, 3] - boxes[:, 1]
    assert boxes.min() >= 0
    assert (boxes[:, 2] <= 640).all()
    assert (boxes[:, 3] <= 480).all()
    assert heights.min() < 25
    assert heights.max() > 100
    assert any(not len(scene.boxes_xyxy) for scene in scenes)


def test_landmarks_stay_on_the_face(pictures: tuple[list[Labelled], list[Labelled]]) -> None:
    """Eyes above the mouth, the left ones on the left, about where they are in the box."""
    composed = Composed(*pictures, SceneRules(worn=False), 1)
    seen = 0
    for number in range(20):
        scene = composed.scene(number)
        for box, points in zip(scene.boxes_xyxy, scene.landmarks, strict=True):
            if min(box[:2]) <= 0 or box[2] >= 640 or box[3] >= 480:
                continue
            sides = box[2:] - box[:2]
            places = (points - box[:2]) / sides
            assert np.all((places > -0.25) & (places < 1.25))
            assert places[0, 0] < places[1, 0]
            assert places[:2, 1].mean() < places[3:, 1].mean()
            seen += 1
    assert seen > 10
