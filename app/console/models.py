"""The models that look at pictures people send: loaded when the first one comes, one picture at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app import belonging, flags, photographs
from app.audit import Audit
from app.console.held import HeldGallery
from app.enrolment import Enroller, Report
from app.looking import Looker, Naming, SeenFace
from app.one_face import SEEN_FACE_PX
from app.photographs import Photograph, Sent
from app.settings import Settings
from app.square import SQUARE_PX
from engines.detector import Detector
from engines.embedder import Embedder
from engines.load import load_detector, load_embedder
from engines.models import embedder_model
from pipeline.gallery.matcher import open_matcher


@dataclass(frozen=True, slots=True)
class _Loaded:
    detector: Detector
    embedder: Embedder


class Models:
    def __init__(self, chosen: Settings, gallery: HeldGallery) -> None:
        options = flags.engine_options(chosen)
        self._options = replace(options, min_face_px=min(options.min_face_px, SEEN_FACE_PX))
        self._config = flags.gallery_config(chosen)
        self._known = embedder_model(options).known
        self._gallery = gallery
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def enrol(
        self,
        name: str | None,
        pictures: Sequence[Sent],
        *,
        even_if_unlike: bool,
        even_if_known: bool,
        audit: Audit | None = None,
    ) -> Report:
        with self._lock:
            loaded = self._load()
            with self._gallery() as gallery:
                enroller = Enroller(
                    gallery,
                    loaded.detector,
                    loaded.embedder,
                    belonging.limits_of(self._known),
                    even_if_unlike,
                    even_if_known,
                    audit,
                )
                return enroller.enrol(name, pictures)

    def identify(self, content: bytes) -> tuple[Photograph, list[SeenFace]]:
        """Raises photographs.Unreadable."""
        with self._lock:
            photograph = photographs.decoded(content)
            loaded = self._load()
            with self._gallery() as gallery:
                matcher = open_matcher(gallery, self._known, self._config)
                try:
                    naming = Naming(loaded.embedder, matcher)
                    looker = Looker(loaded.detector, loaded.embedder.crop, naming)
                    return photograph, looker.look(photograph.image_bgr)
                finally:
                    matcher.close()

    def _load(self) -> _Loaded:
        if self._loaded is None:
            embedder = load_embedder(self._options, batch=1)
            self._loaded = _Loaded(load_detector(self._options, size_wh=(SQUARE_PX, SQUARE_PX)), embedder)
        return self._loaded
