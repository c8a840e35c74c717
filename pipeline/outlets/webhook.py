"""Each event posted to a web address as JSON, one after the other, signed if there is a key.

X-Facewire-Delivery   the same for an event that is posted again
X-Facewire-Timestamp  seconds since 1970
X-Facewire-Signature  sha256=HEX of HMAC-SHA256(key, timestamp + "." + body)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from pipeline.config import WebhookConfig
from pipeline.outlets.outlet import Away, Refused
from pipeline.outlets.posting import Posting, signed_headers
from pipeline.outlets.stored import StoredEvent

# What the receiver says of the event itself. All else may be put right at its side.
_NEVER = frozenset({400, 413, 415, 422})


class Webhook:
    name = "webhook"
    at_once = 1

    def __init__(self, config: WebhookConfig) -> None:
        self._secret = config.secret
        self._posting = Posting(config.url, config.timeout_s)

    def tell(self, events: Sequence[StoredEvent]) -> None:
        (event,) = events
        body = json.dumps({**event.body, "uid": event.key}, ensure_ascii=False).encode()
        status = self._posting.post(body, self._headers(event, body))
        if status in _NEVER:
            raise Refused(f"{self._posting.host} answers {status} to event {event.id}")
        if not 200 <= status < 300:
            raise Away(f"{self._posting.host} answers {status}")

    def tend(self) -> None:
        """Nothing: who is there is known when there is something to tell."""

    def close(self) -> None:
        self._posting.close()

    def _headers(self, event: StoredEvent, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-Facewire-Delivery": sha256(event.key.encode()).hexdigest()[:32],
            **signed_headers(self._secret, body),
        }
