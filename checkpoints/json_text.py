"""JSON that somebody else may have written: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
import re
from typing import Any

# Half of a pair of escapes is a text that no file and no terminal takes.
_MAY_BE_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def read(text: str | bytes | bytearray) -> Any:  # noqa: ANN401 - JSON may hold anything; every reader checks
    written = text if isinstance(text, str) else text.decode()
    try:
        found = json.loads(written)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _MAY_BE_HALF.search(written):
        json.dumps(found, ensure_ascii=False).encode()
    return found
