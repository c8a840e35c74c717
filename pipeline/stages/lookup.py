"""lookup: whose face it is, by the votes of its best shots, asked from the gallery."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.models import embedder_model
from pipeline.gallery.opening import open_gallery
from pipeline.messages import Identities, NamedFace, TrackedFace, Tracks
from pipeline.stage import StageContext
from tracker.vote import Ballots, Verdict, VoteSettings


def open_stage(context: StageContext) -> Lookup:
    return Lookup(context)


class Lookup:
    def __init__(self, context: StageContext) -> None:
        config = context.config
        embedder = embedder_model(config.engines).known
        assert embedder.embedding_dim is not None
        assert embedder.match_threshold is not None
        self._space = embedder.embedding_space
        self._gallery = open_gallery(config.gallery.path, space=self._space, dim=embedder.embedding_dim)
        threshold = config.gallery.match_threshold
        self._settings = VoteSettings(
            threshold=embedder.match_threshold if threshold is None else threshold, margin=config.gallery.match_margin
        )
        self._ballots: dict[str, Ballots] = {}

    def work(self, records: Sequence[Tracks]) -> list[Identities]:
        return [self._name(tracks) for tracks in records]

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        self._gallery.close()

    def _name(self, tracks: Tracks) -> Identities:
        ballots = self._ballots.setdefault(tracks.ref.camera, Ballots(self._settings))
        shots = [face for face in tracks.faces if face.embedding is not None]
        if shots:
            found = self._gallery.search(np.stack([face.embedding for face in shots if face.embedding is not None]))
            for face, matches in zip(shots, found, strict=True):
                ballots.add(face.track, [(match.name, match.score) for match in matches], face.quality)
        verdicts = ballots.verdicts([face.track for face in tracks.faces])
        ballots.forget(tracks.ended)
        named = tuple(_named(face, verdicts[face.track]) for face in tracks.faces)
        return Identities(tracks.ref, self._space, named)


def _named(face: TrackedFace, verdict: Verdict) -> NamedFace:
    return NamedFace(
        track=face.track,
        box_xyxy=face.box_xyxy,
        landmarks=face.landmarks,
        quality=face.quality,
        name=verdict.name,
        state=verdict.state,
        score=verdict.score,
        margin=verdict.margin,
        votes=verdict.votes,
    )
