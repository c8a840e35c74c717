"""What a measurement found: on the terminal, and in a file for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from checkpoints.errors import OutputError


def tell(figures: Mapping[str, object], out: Path | None) -> None:
    text = json.dumps(figures, indent=2) + "\n"
    sys.stdout.write(text)
    if out is None:
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            "The figures cannot be written.",
            saw=f"--json {out}: {error.strerror}",
            fix="Give a file in a writable folder.",
        ) from error
