"""What tells people apart: the nearest picture, or a support vector machine trained on the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from checkpoints.manifest import Manifest
from pipeline.config import GalleryConfig
from pipeline.gallery import calibration
from pipeline.gallery.chance import Likeness
from pipeline.gallery.gallery import Gallery, Match
from tracker.ballot import VoteSettings

# Cosines lie close together in some spaces and far apart in others. The margins of the votes were set in SFace's, where
# so much lies between what one of ten strangers has in common with a picture and what one of a thousand has.
_USUAL_SPREAD = 0.156
_SAME_SIZE = 0.001
_WIDEST = 1.0  # no margin becomes wider than it was set: in a wide space it would cost more names than it saves


class Matcher(Protocol):
    """Answers as a gallery's search does, in scores that one threshold fits."""

    @property
    def votes(self) -> VoteSettings:
        """By which tracks are to be judged, with the threshold for the gallery as it is."""

    @property
    def threshold(self) -> float: ...

    def match(self, embeddings: NDArray[np.float32], limit: int = 3) -> list[list[Match]]:
        """For each row of (N, D) the best `limit` people, best first, each once; the name None: a stranger."""

    def refresh(self) -> bool:
        """Follow the gallery; True when it has changed, and with it perhaps the threshold. Costs little when not."""

    def close(self) -> None:
        """Before the gallery is closed."""


class NearestMatcher:
    """Whose enrolled picture is nearest."""

    def __init__(self, gallery: Gallery, known: Manifest, config: GalleryConfig) -> None:
        self._gallery = gallery
        self._known = known
        self._config = config
        self._content = gallery.content_hash()
        self._votes = vote_settings(gallery, known, config)

    @property
    def votes(self) -> VoteSettings:
        return self._votes

    @property
    def threshold(self) -> float:
        return self._votes.threshold

    def match(self, embeddings: NDArray[np.float32], limit: int = 3) -> list[list[Match]]:
        return self._gallery.search(embeddings, limit)

    def refresh(self) -> bool:
        content = self._gallery.content_hash()
        if content == self._content:
            return False
        self._content = content
        self._votes = vote_settings(self._gallery, self._known, self._config)
        return True

    def close(self) -> None:
        """Holds nothing."""


class FarMatcher:
    """Whose picture is nearest in a gallery that is too large to be listed.

    How alike its people are is not looked at, and each picture counts as a person: a name is missed rather than given
    to a stranger.
    """

    def __init__(self, gallery: Gallery, known: Manifest, config: GalleryConfig) -> None:
        self._gallery = gallery
        self._known = known
        self._config = config
        self._pictures = gallery.count()
        self._votes = self._settings()

    @property
    def votes(self) -> VoteSettings:
        return self._votes

    @property
    def threshold(self) -> float:
        return self._votes.threshold

    def match(self, embeddings: NDArray[np.float32], limit: int = 3) -> list[list[Match]]:
        return self._gallery.search(embeddings, limit)

    def refresh(self) -> bool:
        """Only where the size is clearly another: to judge faces anew costs the cluster a search for each look.

        What a few enrolments or another name change is seen with the next face that is looked up.
        """
        pictures = self._gallery.count()
        if abs(pictures - self._pictures) <= _SAME_SIZE * self._pictures:
            return False
        self._pictures = pictures
        self._votes = self._settings()
        return True

    def close(self) -> None:
        """Holds nothing."""

    def _settings(self) -> VoteSettings:
        config, margin = self._config, self._config.match_margin * margin_scale(self._known)
        made = None
        if config.match_threshold is None:
            made = calibration.threshold_for_size(self._known, self._pictures, config.false_names, margin=margin)
        return _settings(self._known, config, margin, made)


def open_matcher(gallery: Gallery, known: Manifest, config: GalleryConfig) -> Matcher:
    if config.server is not None and config.server.reads == "server":
        if config.matcher == "svm":
            raise GalleryError(
                "A support vector machine needs the whole gallery on this disk.",
                saw="MATCHER=svm with QDRANT_READS=server",
                fix="set MATCHER=nearest, or QDRANT_READS=copy",
            )
        return FarMatcher(gallery, known, config)
    if config.matcher == "svm":
        from pipeline.gallery.svm_matcher import SvmMatcher

        return SvmMatcher(gallery, known, config)
    return NearestMatcher(gallery, known, config)


def vote_settings(gallery: Gallery, known: Manifest, config: GalleryConfig) -> VoteSettings:
    """The threshold set by hand counts first, then that of this gallery's size, then the manifest's."""
    margin = config.match_margin * margin_scale(known)
    made = None
    if config.match_threshold is None:
        made = calibration.for_gallery(config.path, gallery, known, config.false_names, margin=margin)
    return _settings(known, config, margin, None if made is None else made.threshold)


def _settings(known: Manifest, config: GalleryConfig, margin: float, calibrated: float | None) -> VoteSettings:
    found = (config.match_threshold, calibrated, known.match_threshold)
    threshold = next(one for one in found if one is not None)
    usual = VoteSettings(threshold)
    return VoteSettings(threshold, margin=margin, strong_by=usual.strong_by * margin_scale(known))


def margin_scale(known: Manifest) -> float:
    """What a margin set for SFace's cosines is worth in this space."""
    if known.impostors is None:
        return 1.0
    strangers = Likeness(known.impostors.of_shots(1).strangers, shares_above=True)
    return min((strangers.cosine_of(1e-3) - strangers.cosine_of(1e-1)) / _USUAL_SPREAD, _WIDEST)


def best_first(matches: Sequence[Match], limit: int) -> list[Match]:
    """Strangers before people where the score is the same."""
    return sorted(matches, key=lambda one: (-one.score, one.name is not None, one.name or ""))[:limit]
