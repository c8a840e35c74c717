"""The matcher that a support vector machine stands behind, trained anew when the gallery's content is another.

Training takes seconds, so while the program runs it is done beside the work, and the machine that is there answers
until then. With too few people for a machine, or too many, the nearest picture decides, and the log says so.
"""

from __future__ import annotations

import io
import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.array_file import UNREADABLE
from checkpoints.errors import SealError
from checkpoints.manifest import Manifest
from checkpoints.sealed import Seal
from pipeline.config import GalleryConfig
from pipeline.gallery.gallery import Gallery, Match
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.matcher import best_first, vote_settings
from pipeline.gallery.svm import FEWEST_PEOPLE, Machine, Owners, train
from tracker.ballot import VoteSettings

FILE_NAME = "svm.npz"
_ABOUT = "support vector machine"
_UNUSABLE: tuple[type[Exception], ...] = (SealError, *UNREADABLE)
_LOG = logging.getLogger(__name__)
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The gallery at one time.

    rows, ids  (N, D) embeddings and the ids of their pictures
    owners     (N,) number of the person in `names`, -1 for strangers
    """

    content: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    rows: NDArray[np.float32]
    owners: Owners


@dataclass(frozen=True, slots=True)
class _Trained:
    snapshot: _Snapshot
    machine: Machine | None


class SvmMatcher:
    def __init__(self, gallery: Gallery, known: Manifest, config: GalleryConfig) -> None:
        self._gallery = gallery
        self._known = known
        self._config = config
        self._trainer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="svm")
        self._coming: Future[_Trained] | None = None
        snapshot = _snapshot(gallery)
        self._trained = self._answered(_kept_or_trained(config, snapshot))
        self._votes = vote_settings(gallery, known, config)

    @property
    def votes(self) -> VoteSettings:
        return self._votes

    @property
    def threshold(self) -> float:
        return self._votes.threshold

    def match(self, embeddings: NDArray[np.float32], limit: int = 3) -> list[list[Match]]:
        self._take_over()
        machine, snapshot = self._trained.machine, self._trained.snapshot
        if machine is None:
            return self._gallery.search(embeddings, limit)
        rows = unit_rows(embeddings, space=self._gallery.space, dim=self._gallery.dim)
        cosines = rows @ snapshot.rows.T
        return [
            _matches(snapshot, scores, of_row, limit) if row.any() else []
            for row, scores, of_row in zip(rows, machine.scores(rows), cosines, strict=True)
        ]

    def refresh(self) -> bool:
        if self._take_over():
            return True
        if self._coming is None and self._gallery.content_hash() != self._trained.snapshot.content:
            self._coming = self._trainer.submit(_kept_or_trained, self._config, _snapshot(self._gallery))
        return False

    def _take_over(self) -> bool:
        """Whether a machine that was being trained is ready, and answers from now on."""
        if self._coming is None or not self._coming.done():
            return False
        self._trained, self._coming = self._answered(self._coming.result()), None
        self._votes = vote_settings(self._gallery, self._known, self._config)
        return True

    def close(self) -> None:
        self._trainer.shutdown(cancel_futures=True)

    @staticmethod
    def _answered(trained: _Trained) -> _Trained:
        if trained.machine is None and trained.snapshot.names:
            _LOG.warning(
                "No support vector machine for %d people (it takes %d, and not too many): the nearest picture decides.",
                len(trained.snapshot.names),
                FEWEST_PEOPLE,
            )
        return trained


def erase(folder: Path) -> None:
    """What is kept of a machine says something about everybody it was trained with: erased when somebody is."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def _snapshot(gallery: Gallery) -> _Snapshot:
    content = gallery.content_hash()
    kept = [(one.name, one.id, one.picture.embedding) for one in gallery.kept()]
    names = tuple(sorted({name for name, _, _ in kept if name is not None}))
    number = {name: index for index, name in enumerate(names)}
    return _Snapshot(
        content,
        names,
        tuple(one for _, one, _ in kept),
        np.stack([row for _, _, row in kept]) if kept else np.zeros((0, gallery.dim), np.float32),
        np.array([-1 if name is None else number[name] for name, _, _ in kept], np.intp),
    )


def _matches(snapshot: _Snapshot, scores: NDArray[np.float32], cosines: NDArray[np.float32], limit: int) -> list[Match]:
    """People by the machine; the strangers by their nearest picture, since a machine does not know them."""
    found = []
    for who in np.argsort(-scores, kind="stable")[:limit]:
        nearest = _nearest_of(snapshot, cosines, int(who))
        found.append(Match(snapshot.names[who], round(float(scores[who]), _DIGITS), snapshot.ids[nearest]))
    if (snapshot.owners < 0).any():
        nearest = _nearest_of(snapshot, cosines, -1)
        found.append(Match(None, round(float(cosines[nearest]), _DIGITS), snapshot.ids[nearest]))
    return best_first(found, limit)


def _nearest_of(snapshot: _Snapshot, cosines: NDArray[np.float32], owner: int) -> int:
    theirs = np.flatnonzero(snapshot.owners == owner)
    return int(theirs[np.argmax(cosines[theirs])])


def _kept_or_trained(config: GalleryConfig, snapshot: _Snapshot) -> _Trained:
    shape = (len(snapshot.names), snapshot.rows.shape[1] + 1)
    machine = kept_machine(config.path / FILE_NAME, snapshot.content, shape, config.seal)
    if machine is None:
        machine = train(snapshot.rows, snapshot.owners, len(snapshot.names))
        if machine is not None:
            _save(config.path / FILE_NAME, machine, snapshot.content, config.seal)
    return _Trained(snapshot, machine)


def kept_machine(path: Path, content: str, shape: tuple[int, int], seal: Seal) -> Machine | None:
    """`shape` of its weights. None: there is none, or it is of another content, damaged, or under another key."""
    try:
        data = io.BytesIO(seal.open(path.read_bytes(), _ABOUT))
        with np.load(data, allow_pickle=False) as held:
            if str(held["content"]) != content:
                return None
            named = ("centre", "weights", "decisions", "cosines")
            centre, weights, decisions, cosines = (np.asarray(held[name], np.float32) for name in named)
            machine = Machine(centre, weights, decisions, cosines, float(held["cost"]))
    except _UNUSABLE:
        return None
    fits = machine.weights.shape == shape and machine.centre.shape == (shape[1] - 1,)
    is_curve = machine.decisions.ndim == 1 and machine.decisions.shape == machine.cosines.shape
    return machine if fits and is_curve and len(machine.decisions) > 1 else None


def _save(path: Path, machine: Machine, content: str, seal: Seal) -> None:
    """Whole or not at all; a machine that cannot be kept is trained again the next time."""
    fresh = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    data = io.BytesIO()
    np.savez(
        data,
        content=np.array(content),
        centre=machine.centre,
        weights=machine.weights,
        decisions=machine.decisions,
        cosines=machine.cosines,
        cost=np.array(machine.cost),
    )
    try:
        fresh.write_bytes(seal.seal(data.getvalue(), _ABOUT))
        fresh.replace(path)
    except OSError as error:
        _LOG.warning("The support vector machine cannot be kept in %s: %s", path, error.strerror)
        fresh.unlink(missing_ok=True)
