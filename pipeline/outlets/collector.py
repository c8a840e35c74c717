"""Events of one camera of a fleet, told to the one store of the fleet: many at once, and all that ever were.

What is told twice has the same `uid` both times, so the store keeps it once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.config import CollectorConfig
from pipeline.outlets.outlet import Away
from pipeline.outlets.posting import Posting, signed_headers
from pipeline.outlets.stored import StoredEvent


class Collector:
    name = "collector"
    at_once = 200

    def __init__(self, config: CollectorConfig) -> None:
        self._config = config
        self._posting = Posting(config.url, config.timeout_s)

    def tell(self, events: Sequence[StoredEvent]) -> None:
        lines = [json.dumps({**event.body, "uid": uid_of(event)}, ensure_ascii=False) for event in events]
        body = "\n".join(lines).encode()
        headers = {"Content-Type": "application/x-ndjson", **signed_headers(self._config.secret, body)}
        status = self._posting.post(body, headers)
        if not 200 <= status < 300:
            raise Away(f"the fleet's store at {self._posting.host} answers {status}")

    def tend(self) -> None:
        """Nothing: whether the store is there is known when there is something to tell."""

    def close(self) -> None:
        self._posting.close()


def uid_of(event: StoredEvent) -> str:
    """Of all cameras, machines and runs: frames and tracks begin at 0 again wherever a camera is moved to."""
    return f"{event.body.get('run', '')}/{event.key}"
