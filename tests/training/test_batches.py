from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from training.batches import Ahead, Batches, mirrored_landmarks, mirrored_offsets, varied  # noqa: E402
from training.course import Course  # noqa: E402
from training.samples import NEGATIVE, POSITIVE, Pieces  # noqa: E402


def pieces(count: int = 200) -> Pieces:
    random = np.random.default_rng(0)
    return Pieces(
        np.repeat(np.arange(count, dtype=np.uint8), 12 * 12 * 3).reshape(count, 12, 12, 3),
        np.where(np.arange(count) % 4, NEGATIVE, POSITIVE).astype(np.uint8),
        np.repeat(np.arange(count, dtype=np.float32), 4).reshape(count, 4),
        random.normal(size=(count, 10)).astype(np.float32),
    )


def batches(**changed: object) -> Batches:
    course = Course(batch=20, shares=(0.5, 0.2, 0.3, 0.1), seed=1)
    rank, world = int(str(changed.pop("rank", 0))), int(str(changed.pop("world", 1)))
    return Batches(pieces(), course, None, rank=rank, world=world)


def numbers(batch: object) -> list[int]:
    """Which pieces they are: mirrored offsets have other signs."""
    return [round(abs(float(each[0]))) for each in batch.offsets]  # type: ignore[attr-defined]


def test_kinds_that_are_missing_give_way() -> None:
    kinds = batches().at(0).kinds.tolist()
    assert (kinds.count(NEGATIVE), kinds.count(POSITIVE)) == (13, 7) or (kinds.count(NEGATIVE), len(kinds)) == (12, 20)


def test_no_piece_comes_twice_before_all_of_its_kind_have_come() -> None:
    made = batches()
    of_kind = [number for step in range(7) for number in numbers(made.at(step)) if number % 4 == 0]
    assert len(set(of_kind[:49])) == len(of_kind[:49])


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, other = batches(), batches()
    for step in range(30):
        one.at(step)
    assert torch.equal(one.at(30).pictures, other.at(30).pictures)
    assert not torch.equal(other.at(30).pictures, other.at(31).pictures)


def test_processes_share_a_batch() -> None:
    whole = numbers(batches().at(3))
    shared = numbers(batches(rank=0, world=2).at(3)) + numbers(batches(rank=1, world=2).at(3))
    assert sorted(shared) == sorted(whole)


def test_batches_made_ahead_are_the_same() -> None:
    ahead = Ahead(batches())
    try:
        for step in (0, 1, 2, 7, 8):
            assert torch.equal(ahead.at(step).pictures, batches().at(step).pictures)
    finally:
        ahead.close()


def test_mirroring_twice_changes_nothing() -> None:
    offsets, landmarks = torch.rand(5, 4), torch.rand(5, 10)
    assert torch.allclose(mirrored_offsets(mirrored_offsets(offsets)), offsets)
    assert torch.allclose(mirrored_landmarks(mirrored_landmarks(landmarks)), landmarks, atol=1e-6)


def test_mirrored_eyes_change_places() -> None:
    landmarks = torch.tensor([[0.3, 0.7, 0.5, 0.35, 0.6, 0.1, 0.2, 0.5, 0.8, 0.9]])
    expected = torch.tensor([[0.3, 0.7, 0.5, 0.4, 0.65, 0.2, 0.1, 0.5, 0.9, 0.8]])
    assert torch.allclose(mirrored_landmarks(landmarks), expected)
    assert torch.allclose(
        mirrored_offsets(torch.tensor([[0.1, 0.2, -0.3, 0.4]])), torch.tensor([[0.3, 0.2, -0.1, 0.4]])
    )


def test_varied_pictures_stay_what_int8_can_hold() -> None:
    seen = varied(pieces(), None, torch.Generator().manual_seed(0)).pictures
    assert seen.min() >= -1
    assert seen.max() <= 127 / 128
