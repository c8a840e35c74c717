"""What Facewire is made of, as CycloneDX: every package of the lock file with its hashes, every model with its licence.

python -m testbench.sbom > facewire.cdx.json

Made of files of this repository alone, so it needs no network and the same commit gives the same list.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from checkpoints import manifest

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "run.txt"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]*\S))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pinned:
    """marker  on which machines it is installed; empty: on all
    hashes  sha256 of every file that pip may take
    """

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def pinned(lock: Path = LOCK) -> Iterator[Pinned]:
    """ValueError for a line that pins nothing, or without a hash."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found, hashes = _PIN.match(line), tuple(_HASH.findall(line))
        if found is None or not hashes:
            raise ValueError(f"{lock}: {line[:80]} has no version or no hash")
        marker = (found["marker"] or "").partition(" --hash")[0].strip()
        yield Pinned(found["name"], found["version"], marker, hashes)


def bill() -> dict[str, Any]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "facewire",
                "version": version("facewire"),
                "bom-ref": "facewire",
            }
        },
        "components": [*map(_package, pinned()), *_models()],
    }


def _package(one: Pinned) -> dict[str, Any]:
    purl = f"pkg:pypi/{one.name.lower().replace('_', '-')}@{one.version}"
    properties = [{"name": "facewire:sha256", "value": digest} for digest in one.hashes]
    if one.marker:
        properties.append({"name": "facewire:installed-where", "value": one.marker})
    return {
        "type": "library",
        "name": one.name,
        "version": one.version,
        "purl": purl,
        "bom-ref": purl,
        "properties": properties,
    }


def _models() -> Iterator[dict[str, Any]]:
    for name in manifest.names():
        known = manifest.load(name)
        for file in known.files:
            yield {
                "type": "machine-learning-model",
                "name": file.name,
                "description": known.title,
                "bom-ref": f"model:{file.name}",
                "licenses": [{"license": {"name": known.licence}}],
                "hashes": [{"alg": "SHA-256", "content": file.sha256}],
                "properties": [{"name": "facewire:origin", "value": known.origin}],
            }


def main() -> int:
    json.dump(bill(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
