"""The settings of archives: where their index lies, who works on it, and how sure a find has to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app import values
from app.about import about


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Archives of recordings (index and find)"""

    path: Path | None = field(
        default=None,
        metadata=about(
            "ARCHIVE_DIR",
            values.path,
            "Folder of the index of archives; if empty, archive in DATA_DIR; with QDRANT_URL it is on the server",
        ),
    )
    collection: str = field(
        default="facewire-archive",
        metadata=about("ARCHIVE_COLLECTION", values.word, "What the index is called on a Qdrant server"),
    )
    workers: int | None = field(
        default=None,
        metadata=about(
            "INDEX_WORKERS",
            values.whole(1, 100_000),
            "Recordings that are watched at the same time; if empty, one for each processor",
        ),
    )
    false_sightings: float = field(
        default=0.1,
        metadata=about(
            "FALSE_SIGHTINGS",
            values.number(0.000001, 1000),
            "How many sightings of somebody else a find may list, on average over many finds; the more there are in "
            "the archive, the more alike a face has to be",
        ),
    )
