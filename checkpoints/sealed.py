"""Bytes that say nothing without a key, and that nobody can change unseen: AES-256-GCM.

    magic (4) | first bytes of the key's hash (8) | nonce (12) | encrypted bytes and their tag (16 more)

Sealing takes `about`, a text that says what the bytes are and whose: they open only where they belong. The first key
seals, all keys open, so a key can be replaced while things under the old one are still about.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field

from checkpoints.errors import SealBroken, SealError

KEY_BYTES = 32
MAGIC = b"FWS1"
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD_BYTES = len(MAGIC) + _ID_BYTES + _NONCE_BYTES
_LINE = b"sealed "


@dataclass(frozen=True, slots=True)
class Seal:
    """Without keys everything is left as it is: one way for those who wish to encrypt and those who do not."""

    keys: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if any(len(key) != KEY_BYTES for key in self.keys):
            raise ValueError(f"a key has {KEY_BYTES} bytes")

    @property
    def on(self) -> bool:
        return bool(self.keys)

    def seal(self, data: bytes, about: str) -> bytes:
        if not self.keys:
            return data
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 10 MB that a run without a key does without

        key, nonce = self.keys[0], os.urandom(_NONCE_BYTES)
        return MAGIC + id_of(key) + nonce + AESGCM(key).encrypt(nonce, data, about.encode())

    def open(self, data: bytes, about: str) -> bytes:
        """What was kept before there was a key is given back as it is. SealError when no key is the right one."""
        if not is_sealed(data):
            return data
        return self.opened(data, about)

    def opened(self, data: bytes, about: str) -> bytes:
        """The same for what must be sealed."""
        if not is_sealed(data) or len(data) < _HEAD_BYTES:
            raise _broken(about)
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._key_of(data, about)
        nonce = data[_HEAD_BYTES - _NONCE_BYTES : _HEAD_BYTES]
        try:
            return AESGCM(key).decrypt(nonce, data[_HEAD_BYTES:], about.encode())
        except InvalidTag:
            raise _broken(about) from None

    def is_current(self, data: bytes) -> bool:
        """Whether `seal` would use the same key, or none, as was used for this."""
        if not self.keys:
            return not is_sealed(data)
        return is_sealed(data) and data[len(MAGIC) : len(MAGIC) + _ID_BYTES] == id_of(self.keys[0])

    def line(self, line: bytes, about: str) -> bytes:
        """A line of a text file, without its end."""
        return _LINE + base64.b64encode(self.seal(line, about)) if self.keys else line

    def open_line(self, line: bytes, about: str) -> bytes:
        if not line.startswith(_LINE):
            return line
        try:
            data = base64.b64decode(line[len(_LINE) :], validate=True)
        except binascii.Error:
            raise _broken(about) from None
        return self.opened(data, about)

    def is_current_line(self, line: bytes) -> bool:
        if not line.startswith(_LINE):
            return not self.keys
        # The first 12 bytes, magic and key, are 16 letters of base 64.
        head = line[len(_LINE) : len(_LINE) + 16]
        return len(head) == 16 and self.is_current(_decoded_head(head))

    def _key_of(self, data: bytes, about: str) -> bytes:
        wanted = data[len(MAGIC) : len(MAGIC) + _ID_BYTES]
        for key in self.keys:
            if id_of(key) == wanted:
                return key
        if not self.keys:
            raise SealError(
                "This is encrypted, and there is no key.",
                saw=f"{about}, under the key {wanted.hex()}",
                fix="set ENCRYPTION_KEY or ENCRYPTION_KEY_FILE to the key that it was encrypted with",
            )
        raise SealError(
            "The encryption key is another one.",
            saw=f"{about} is under the key {wanted.hex()}, there is {', '.join(id_of(key).hex() for key in self.keys)}",
            fix="give the key that it was encrypted with, as ENCRYPTION_KEY or behind the new one; nothing was changed",
        )


UNSEALED = Seal()


def is_sealed(data: bytes) -> bool:
    return data[: len(MAGIC)] == MAGIC


def id_of(key: bytes) -> bytes:
    """Tells keys apart, and nothing of the key: may be shown."""
    return hashlib.sha256(b"facewire key\0" + key).digest()[:_ID_BYTES]


def new_key() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def keys_of(text: str) -> tuple[bytes, ...]:
    """Keys as base 64 with commas or white space between, the one that seals first. ValueError never shows them."""
    found = []
    for place, word in enumerate(text.replace(",", " ").split(), 1):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"key {place} is not base 64") from None
        if len(key) != KEY_BYTES:
            raise ValueError(f"key {place} has {len(key)} bytes instead of {KEY_BYTES}")
        if key not in found:
            found.append(key)
    if not found:
        raise ValueError("there is no key in it")
    return tuple(found)


def _decoded_head(head: bytes) -> bytes:
    try:
        return base64.b64decode(head, validate=True)
    except binascii.Error:
        return b""


def _broken(about: str) -> SealBroken:
    return SealBroken(
        "Something encrypted is damaged, or somebody has changed it.",
        saw=about,
        fix="bring it back from a backup, or move it away; nothing was changed",
    )
