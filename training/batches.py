"""Which pieces make a batch, and how they are varied: the same for the same seed and step, whatever happened before."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.course import Course
from training.nets import normal
from training.samples import KINDS, Pieces

_MIRRORED = [1, 0, 2, 4, 3]  # which landmark each one becomes
_COLOUR_SPREAD = 0.12
_GREY = 0.1  # share of the pictures without colours


class Batch(NamedTuple):
    """As `Pieces`, but pictures (N, 3, S, S) as the networks take them; teacher_odds (N,) or None."""

    pictures: Tensor
    kinds: Tensor
    offsets: Tensor
    landmarks: Tensor
    teacher_odds: Tensor | None


class Batches:
    """Each kind goes round in an order of its own, so that no piece comes twice before all of its kind have come."""

    def __init__(
        self, pieces: Pieces, course: Course, teacher_odds: NDArray[np.float32] | None, *, rank: int, world: int
    ) -> None:
        self._pieces, self._course, self._teacher_odds = pieces, course, teacher_odds
        self._rank, self._world = rank, world
        kinds = np.asarray(pieces.kinds)
        self._of_kind = [np.flatnonzero(kinds == kind) for kind in range(len(KINDS))]
        shares = [share if len(own) else 0.0 for share, own in zip(course.shares, self._of_kind, strict=True)]
        counts = [round(course.batch * share / sum(shares)) for share in shares]
        counts[int(np.argmax(counts))] += course.batch - sum(counts)
        self._counts = counts
        self._orders: dict[tuple[int, int], NDArray[np.intp]] = {}

    def at(self, step: int) -> Batch:
        indices = np.concatenate([self._of_kind_at(kind, step) for kind in range(len(KINDS))])
        indices = np.sort(indices)[self._rank :: self._world]
        random = torch.Generator().manual_seed((self._course.seed * 1_000_003 + step) * 64 + self._rank)
        return varied(self._pieces.at(indices), self._told(indices), random)

    def _told(self, indices: NDArray[np.intp]) -> Tensor | None:
        return None if self._teacher_odds is None else torch.from_numpy(self._teacher_odds[indices].copy())

    def _of_kind_at(self, kind: int, step: int) -> NDArray[np.intp]:
        count, own = self._counts[kind], self._of_kind[kind]
        places = np.arange(step * count, (step + 1) * count)
        if not count:
            return own[:0]
        rounds = places // len(own)
        return np.concatenate(
            [own[self._order(kind, int(turn))[places[rounds == turn] % len(own)]] for turn in np.unique(rounds)]
        )

    def _order(self, kind: int, turn: int) -> NDArray[np.intp]:
        if (kind, turn) not in self._orders:
            self._orders.pop((kind, turn - 2), None)
            random = np.random.default_rng([self._course.seed, kind, turn])
            self._orders[kind, turn] = random.permutation(len(self._of_kind[kind]))
        return self._orders[kind, turn]


class Ahead:
    """Makes the next batch while the network learns from this one."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[int, Future[Batch]] | None = None

    def at(self, step: int) -> Batch:
        if self._next is None or self._next[0] != step:
            self._next = step, self._worker.submit(self._batches.at, step)
        batch = self._next[1].result()
        self._next = step + 1, self._worker.submit(self._batches.at, step + 1)
        return batch

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)


def plain(pieces: Pieces, teacher_odds: Tensor | None = None) -> Batch:
    kinds, offsets, landmarks = (
        torch.from_numpy(np.array(each)) for each in (pieces.kinds, pieces.offsets, pieces.landmarks)
    )
    return Batch(normal(torch.from_numpy(np.array(pieces.pictures))), kinds, offsets, landmarks, teacher_odds)


def varied(pieces: Pieces, teacher_odds: Tensor | None, random: torch.Generator) -> Batch:
    """Half of the pictures mirrored; brightness, contrast and the balance of the colours changed."""
    batch = plain(pieces, teacher_odds)
    count = len(batch.kinds)
    flipped = torch.rand(count, generator=random) < 0.5
    pictures = torch.where(flipped[:, None, None, None], batch.pictures.flip(3), batch.pictures)
    offsets = torch.where(flipped[:, None], mirrored_offsets(batch.offsets), batch.offsets)
    landmarks = torch.where(flipped[:, None], mirrored_landmarks(batch.landmarks), batch.landmarks)
    return Batch(_coloured(pictures, random), batch.kinds, offsets, landmarks, batch.teacher_odds)


def mirrored_offsets(offsets: Tensor) -> Tensor:
    signs = offsets.new_tensor([-1, 1, -1, 1])
    return offsets[:, [2, 1, 0, 3]] * signs


def mirrored_landmarks(landmarks: Tensor) -> Tensor:
    return torch.cat([1 - landmarks[:, _MIRRORED], landmarks[:, [5 + place for place in _MIRRORED]]], dim=1)


def _mixed(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Colours run a little into each other, as under lamps and with other cameras."""
    count = len(pictures)
    into = torch.eye(3) + _COLOUR_SPREAD * torch.randn((count, 3, 3), generator=random)
    into = into / into.sum(2, keepdim=True)
    return torch.bmm(into, pictures.flatten(2)).view(pictures.shape)


def _coloured(pictures: Tensor, random: torch.Generator) -> Tensor:
    count = len(pictures)

    def between(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand((count, channels, 1, 1), generator=random)

    grey = torch.rand((count, 1, 1, 1), generator=random) < _GREY
    pictures = torch.where(grey, pictures.mean(1, keepdim=True), pictures)
    pictures = _mixed(pictures, random)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    pictures = (pictures - middle) * between(0.55, 1.3) * between(0.88, 1.14, 3) + middle + between(-0.25, 0.25)
    return pictures.clamp(-1, 127 / 128)
