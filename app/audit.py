"""Who has enrolled, named, changed, taken out and deleted whom: one line of JSON for each, in the gallery's folder.

The file tells of people, so it forgets them: when a person is deleted, the name is replaced in every line by a word
that was never used before. Then it still says that somebody was enrolled and deleted, when and by whom, but not who.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from app import sealing
from app.settings import Settings
from checkpoints import json_text
from checkpoints.errors import OutputError, SealBroken
from checkpoints.sealed import Seal
from pipeline.clock import utc_iso
from pipeline.lines import Lines, WholeLines, rewrite

_PEOPLE = ("person", "into")
_ABOUT = "audit"


@dataclass(frozen=True, slots=True)
class Audit:
    """by  who asks: {"via": "command", "user": …} or {"via": "console", "role": …, "address": …}"""

    path: Path
    by: dict[str, str]
    days: float
    seal: Seal = Seal()

    def tell(self, action: str, *, person: str | None = None, into: str | None = None, **more: object) -> None:
        """When it returns it is on the disk. OutputError when it cannot be: what it tells of has been done."""
        named = {"person": person} | ({} if into is None else {"into": into})
        line = _packed({"t": utc_iso(), "by": self.by, "action": action, **named, **more})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lines = Lines(self.path, mode=0o600)
            try:
                lines.append(self.seal.line(line, _ABOUT), sync=True)
            finally:
                lines.close()
            self._drop_old()
        except OSError as error:
            raise _unusable(self.path, error) from error

    def forget(self, name: str) -> str:
        """Take a name out of all lines; return what stands there instead."""
        instead = f"erased-{secrets.token_hex(4)}"
        self._rewrite(lambda said: _without(said, name, instead))
        return instead

    def earlier_names(self, name: str) -> list[str]:
        """What a person was called before it was renamed or merged into this one."""
        known = [name]
        for said in reversed(list(self.entries())):
            if said.get("action") in ("renamed", "merged") and said.get("into") in known:
                known.append(str(said["person"]))
        return list(dict.fromkeys(known[1:]))

    def reseal(self) -> int:
        """Put all under the first key; return how many lines were not."""
        if not self.path.exists() or all(map(self.seal.is_current_line, WholeLines(self.path))):
            return 0
        self._rewrite(lambda said: said)
        return len(list(self.entries()))

    def entries(self) -> Iterator[dict[str, Any]]:
        """Oldest first."""
        try:
            lines = list(WholeLines(self.path)) if self.path.exists() else []
        except OSError as error:
            raise _unusable(self.path, error) from error
        yield from (said for line in lines if (said := self._said(line)))

    def _drop_old(self) -> None:
        oldest = (datetime.now(timezone.utc) - timedelta(days=self.days)).isoformat()[:19]
        first = next(iter(WholeLines(self.path)), b"")
        if str(self._said(first).get("t", "9")) < oldest:
            self._rewrite(lambda said: said if str(said.get("t", "9")) >= oldest else None)

    def _rewrite(self, changed: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Lines that are damaged stay as they are."""

        def chosen(lines: Iterable[bytes]) -> Iterator[bytes]:
            for line in lines:
                before = self._said(line)
                after = changed(before)
                if after is not None:
                    yield self.seal.line(_packed(after), _ABOUT) if before else line

        try:
            if self.path.exists():
                rewrite(self.path, chosen)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def _said(self, line: bytes) -> dict[str, Any]:
        """Empty for a line that is damaged."""
        try:
            said = json_text.read(self.seal.open_line(line, _ABOUT))
        except (SealBroken, ValueError):
            return {}
        return said if isinstance(said, dict) else {}


def here(chosen: Settings) -> Audit:
    """For what is done by a command."""
    return _audit(chosen, {"via": "command", "user": _user()})


def of_console(chosen: Settings, role: str, address: str) -> Audit:
    return _audit(chosen, {"via": "console", "role": role, "address": address})


def _audit(chosen: Settings, by: dict[str, str]) -> Audit:
    return Audit(chosen.gallery_dir / "audit.jsonl", by, chosen.secrecy.audit_days, sealing.seal_of(chosen))


def _user() -> str:
    """The name of the one who runs it; the number where the system has no name for it, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def _without(said: dict[str, Any], name: str, instead: str) -> dict[str, Any]:
    return {key: instead if key in _PEOPLE and value == name else value for key, value in said.items()}


def _packed(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def _unusable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        "It was done, but it cannot be written down who has done it.",
        saw=f"{path}: {error.strerror}",
        fix="see that the disk has room and the file is yours",
    )
