"""How well a network does on pieces that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from training.batches import Batch, plain
from training.checkpoint import AnyNet
from training.course import Course
from training.losses import losses, weighted
from training.samples import NEGATIVE, PART, POSITIVE, Pieces

_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Trial:
    """loss       as in training, without a teacher and of all pieces
    accuracy   share of the faces and of the others that are taken for what they are
    recall     share of the faces; at the same threshold of one half
    box        mean error of an edge, in sides of the piece
    landmarks  mean distance of a landmark from its place, in sides of the piece
    """

    loss: float
    accuracy: float
    recall: float
    box: float
    landmarks: float

    def __str__(self) -> str:
        return (
            f"loss {self.loss:.4f}, accuracy {self.accuracy:.4f}, recall {self.recall:.4f}, "
            f"box {self.box:.4f}, landmarks {self.landmarks:.4f}"
        )


@torch.no_grad()
def try_out(net: AnyNet, pieces: Pieces, course: Course, device: torch.device) -> Trial:
    was_training = net.training
    net.eval()
    whole = Course(weights=course.weights, landmark_loss=course.landmark_loss, hardest=1.0)
    found: dict[str, list[torch.Tensor]] = {name: [] for name in ("loss", "face", "other", "box", "landmarks")}
    for batch in _batches(pieces, device):
        said = net(batch.pictures)
        errors = losses(said, batch.kinds, batch.offsets, batch.landmarks, whole)
        found["loss"].append(weighted(errors, whole)[None])
        odds = said.odds.reshape(-1)
        found["face"].append((odds[batch.kinds == POSITIVE] > 0).float())
        found["other"].append((odds[batch.kinds == NEGATIVE] <= 0).float())
        framed = (batch.kinds == PART) | (batch.kinds == POSITIVE)
        found["box"].append((said.offsets.reshape(-1, 4) - batch.offsets)[framed].abs().mean(1))
        known = torch.isfinite(batch.landmarks).all(1)
        away = (said.landmarks.reshape(-1, 10) - batch.landmarks)[known].reshape(-1, 2, 5)
        found["landmarks"].append(away.norm(dim=1).mean(1))
    net.train(was_training)
    faces, others = torch.cat(found["face"]), torch.cat(found["other"])
    return Trial(
        loss=_mean(torch.cat(found["loss"])),
        accuracy=_mean(torch.cat([faces, others])),
        recall=_mean(faces),
        box=_mean(torch.cat(found["box"])),
        landmarks=_mean(torch.cat(found["landmarks"])),
    )


def _mean(numbers: torch.Tensor) -> float:
    return float(numbers.mean()) if len(numbers) else float("nan")


def _batches(pieces: Pieces, device: torch.device) -> Iterator[Batch]:
    for start in range(0, len(pieces), _BATCH):
        batch = plain(pieces.at(np.arange(start, min(start + _BATCH, len(pieces)))))
        yield Batch(*(None if each is None else each.to(device) for each in batch))
