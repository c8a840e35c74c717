"""The settings of the gallery, of its server, and of what tells people apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from app import values
from app.about import about
from pipeline.config import GalleryConfig, Matcher, ServerConfig

Reads = Literal["copy", "server"]
_GALLERY, _SERVER = GalleryConfig(), ServerConfig(url="")


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """The gallery of known people"""

    path: Path | None = field(
        default=None,
        metadata=about(
            "GALLERY_DIR",
            values.path,
            "Folder of the gallery, and of the copy of the one on a server; if empty, gallery in DATA_DIR",
            "--gallery DIR",
        ),
    )
    matcher: Matcher = field(
        default=_GALLERY.matcher,
        metadata=about(
            "MATCHER",
            values.one_of(*get_args(Matcher)),
            "What tells people apart: nearest compares with every picture, svm learns a border for each person",
            "--matcher NAME",
        ),
    )
    match_threshold: float | None = field(
        default=_GALLERY.match_threshold,
        metadata=about(
            "MATCH_THRESHOLD",
            values.number(-1, 1),
            "Score from which a face is somebody known; if empty, what calibration of the gallery says, "
            "else what suits the embedder",
        ),
    )
    match_margin: float = field(
        default=_GALLERY.match_margin,
        metadata=about("MATCH_MARGIN", values.number(0, 2), "How much better the best name must be than the second"),
    )
    false_names: float = field(
        default=_GALLERY.false_names,
        metadata=about(
            "FALSE_NAMES",
            values.number(0.00001, 0.5),
            "Wished share of strangers that are given a name, for calibration",
        ),
    )
    unknown_days: float = field(
        default=_GALLERY.unknown_days,
        metadata=about(
            "UNKNOWN_RETENTION_DAYS",
            values.number(0, 3650, "days"),
            "Days for which faces of unknown people are kept, to find them again and to give them a name; "
            "0: never, and what was kept is erased",
        ),
    )
    qdrant_urls: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "QDRANT_URL",
            values.urls,
            "Address of a Qdrant server that keeps the gallery, or addresses of nodes of one cluster with commas "
            "between, which are asked in turn; if this and QDRANT_HOST are empty, it is on disk",
            "--server URL",
        ),
    )
    qdrant_host: str | None = field(
        default=None,
        metadata=about("QDRANT_HOST", values.host, "Host of the Qdrant server; QDRANT_URL says more, and wins"),
    )
    qdrant_port: int = field(
        default=6333,
        metadata=about("QDRANT_PORT", values.whole(1, 65535), "Port of QDRANT_HOST"),
    )
    qdrant_api_key: str | None = field(
        default=None,
        metadata=about(
            "QDRANT_API_KEY", values.secret, "Key that the server asks for; it is shown nowhere", secret=True
        ),
    )
    qdrant_grpc_port: int | None = field(
        default=_SERVER.grpc_port,
        metadata=about("QDRANT_GRPC_PORT", values.whole(1, 65535), "Speak gRPC at this port; if empty, REST"),
    )
    qdrant_timeout_s: float = field(
        default=_SERVER.timeout_s,
        metadata=about("QDRANT_TIMEOUT", values.number(0.1, 600, "seconds"), "Seconds that one request may take"),
    )
    qdrant_reads: Reads = field(
        default=_SERVER.reads,
        metadata=about(
            "QDRANT_READS",
            values.one_of(*get_args(Reads)),
            "Where faces are looked up: copy, in a copy of the whole gallery on this disk; server, on the server, for "
            "galleries that are too large for a copy, and only while it is away among those who come here often",
        ),
    )
    qdrant_collection: str = field(
        default=_SERVER.collection,
        metadata=about("QDRANT_COLLECTION", values.word, "What the gallery is called on the server"),
    )
