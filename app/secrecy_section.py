"""The settings of what is encrypted on disk, and of who is asked about later."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app import values
from app.about import about
from checkpoints.sealed import keys_of


def _keys(text: str) -> tuple[bytes, ...]:
    try:
        return keys_of(text)
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}; python -m app.main keys make prints a key") from None


@dataclass(frozen=True, slots=True)
class SecrecySettings:
    """What is secret on disk"""

    keys: tuple[bytes, ...] = field(
        default=(),
        repr=False,
        metadata=about(
            "ENCRYPTION_KEY",
            _keys,
            "Key that embeddings and pictures of faces are encrypted with on disk: 32 bytes as base 64, as "
            "`keys make` prints them; older keys may follow after commas. If this and ENCRYPTION_KEY_FILE are empty, "
            "they are not encrypted",
            secret=True,
        ),
    )
    key_file: Path | None = field(
        default=None,
        metadata=about(
            "ENCRYPTION_KEY_FILE",
            values.path,
            "File that holds the key, one on a line: the newest first, older ones below",
        ),
    )
    audit_days: float = field(
        default=730.0,
        metadata=about(
            "AUDIT_RETENTION_DAYS",
            values.number(1, 36500, "days"),
            "Days for which it is kept who has enrolled, named and deleted whom",
        ),
    )
