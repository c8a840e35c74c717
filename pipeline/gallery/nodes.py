"""The nodes of a Qdrant server or cluster, asked in turn until one answers.

A request is tried once at each node, so a cluster that has lost one is as good as before, and one that is gone is
known to be so after as many timeouts as it has addresses. A node that did not answer comes last for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from checkpoints.errors import GalleryAway, GalleryError
from pipeline.clock import now_ns
from pipeline.config import ServerConfig

T = TypeVar("T")
_RETRY_LATER = (408, 429)
_REST_NS = 10_000_000_000
_LONGEST_REST_NS = 300_000_000_000


class NoCollection(GalleryError):
    """The server does not know the collection."""


class _Away(Exception):
    """One node does not answer; the text says how."""


@dataclass(slots=True)
class Node:
    """silent_ns  when it last did not answer; 0: it did
    silences   how often in a row; each makes its rest twice as long
    """

    url: str
    client: QdrantClient = field(repr=False)
    silent_ns: int = 0
    silences: int = 0

    def rested(self, now: int) -> bool:
        return now - self.silent_ns >= min(_LONGEST_REST_NS, _REST_NS << min(self.silences, 16) >> 1)


class Nodes:
    """Says nothing to anybody before it is asked. Threads may share it."""

    def __init__(self, config: ServerConfig) -> None:
        self._collection = config.collection
        self._nodes = [Node(url, client_of(config, url)) for url in config.urls]

    def asked(self, action: Callable[[QdrantClient], T]) -> T:
        """What the first node that answers says; GalleryAway when none does."""
        silent: list[str] = []
        for node in self._in_turn():
            try:
                answer = _answered(action, node, self._collection)
            except _Away as away:
                node.silent_ns, node.silences = now_ns(), node.silences + 1
                silent.append(f"{node.url}, collection {self._collection}: {away}")
            else:
                node.silent_ns = node.silences = 0
                return answer
        raise GalleryAway(
            "The gallery's server does not answer.",
            saw="\n".join(silent),
            fix="see that it runs and can be reached: QDRANT_URL; changes wait and are told it later",
        )

    def each(self, action: Callable[[QdrantClient], T]) -> dict[str, T | None]:
        """What every node says, by its address; None: it does not answer."""
        said: dict[str, T | None] = {}
        for node in self._nodes:
            try:
                said[node.url] = _answered(action, node, self._collection)
            except _Away:
                said[node.url] = None
        return said

    def close(self) -> None:
        for node in self._nodes:
            node.client.close()

    def _in_turn(self) -> list[Node]:
        """As they were given, but those that were silent of late at the end, the latest last."""
        now = now_ns()
        return sorted(self._nodes, key=lambda node: 0 if node.rested(now) else node.silent_ns)


def _answered(action: Callable[[QdrantClient], T], node: Node, collection: str) -> T:
    try:
        return action(node.client)
    except UnexpectedResponse as error:
        if error.status_code is None or error.status_code >= 500 or error.status_code in _RETRY_LATER:
            raise _Away(f"answer {error.status_code}") from error
        raise _refused(f"{node.url}, collection {collection}", error.status_code, error) from error
    except (ApiException, QdrantException, grpc.RpcError, ConnectionError, AssertionError) as error:
        # The client asserts that an answer has a result: one of a server that is half up has none.
        raise _Away(_short(error)) from error


def client_of(config: ServerConfig, url: str) -> QdrantClient:
    try:
        if not urlsplit(url).hostname:
            raise ValueError("it names no host")
        return QdrantClient(
            url=url,
            # As a header, where the client does not warn on the terminal of a key over http in one's own network.
            headers={"api-key": config.api_key} if config.api_key else None,
            timeout=max(1, round(config.timeout_s)),
            prefer_grpc=config.grpc_port is not None,
            grpc_port=config.grpc_port or 6334,
            check_compatibility=False,  # asks the server at once, and it may be away
        )
    except ValueError as error:
        raise GalleryError(
            "The address of the gallery's server cannot be used.",
            saw=f"{url}: {error}",
            fix="give http://HOST:PORT or https://HOST:PORT in QDRANT_URL",
        ) from error


def _refused(at: str, status: int, error: UnexpectedResponse) -> GalleryError:
    saw = f"{at}: {status} {error.content[:200].decode('utf-8', 'replace')}"
    what, fix = "The gallery's server refuses.", "see the server's log"
    if status == 404:
        return NoCollection(what, saw=saw, fix=fix)
    if status in (401, 403):
        fix = "set QDRANT_API_KEY to a key that may write to this collection"
    return GalleryError(what, saw=saw, fix=fix)


def _short(error: Exception) -> str:
    source = getattr(error, "source", error)
    if isinstance(source, grpc.RpcError):
        return str(getattr(source, "code", lambda: source)())
    return f"{type(source).__name__}: {str(source)[:120]}"
