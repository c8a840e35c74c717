"""The keys of the settings: read once, and handed on as a Seal that shows them nowhere."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings
from checkpoints.errors import SealError, SettingsError
from checkpoints.sealed import Seal, keys_of

_LARGEST_BYTES = 1 << 16


def seal_of(chosen: Settings) -> Seal:
    """Without keys: one that leaves everything as it is."""
    secrecy = chosen.secrecy
    if secrecy.keys and secrecy.key_file is not None:
        raise SettingsError(
            "There are two places for the encryption key.",
            saw="ENCRYPTION_KEY and ENCRYPTION_KEY_FILE",
            fix="set one of them; older keys may follow behind the first",
        )
    return Seal(secrecy.keys if secrecy.key_file is None else read_keys(secrecy.key_file))


def read_keys(path: Path) -> tuple[bytes, ...]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_BYTES).decode("ascii")
        return keys_of(text)
    except OSError as error:
        raise SealError(
            "The encryption key cannot be read.",
            saw=f"ENCRYPTION_KEY_FILE={path}: {error.strerror}",
            fix="name a file that you may read; python -m app.main keys make FILE makes one",
        ) from error
    except UnicodeDecodeError:
        why = "it is not text"
    except ValueError as error:
        why = str(error)
    raise SealError(
        "The encryption key cannot be used.",
        saw=f"ENCRYPTION_KEY_FILE={path}: {why}",
        fix="the file holds 32 bytes as base 64, one key on a line; python -m app.main keys make FILE makes one",
    )
