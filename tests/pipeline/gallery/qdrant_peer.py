"""A small server that speaks the part of Qdrant's REST interface which the gallery uses. It is not Qdrant.

It stores and searches for real, exactly and in memory, and holds each request against Qdrant's published OpenAPI
description (`qdrant_openapi.json`: operations, parameters and request schemas): what the description does not know is
answered 400 and noted in `violations`. It can be told to misbehave.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

DESCRIPTION = json.loads((Path(__file__).parent / "qdrant_openapi.json").read_text(encoding="utf-8"))


@dataclass
class Stored:
    """vectors  by name; the one without a name is called "" """

    vectors: dict[str, NDArray[np.float32]]
    payload: dict[str, Any]


@dataclass
class Collection:
    asked: dict[str, Any]
    points: dict[str, Stored] = field(default_factory=dict)
    indexes: dict[str, Any] = field(default_factory=dict)


class QdrantPeer:
    """fault    "", "hang" (accepts and never answers), "drop" (closes without an answer), "503", "garbage" (half up)
    also_at  another node of the same cluster: what is told to one is told to both
    dead     (shard, node) of replicas that are not well
    """

    def __init__(self, *, api_key: str | None = None, nodes: int = 1, also_at: QdrantPeer | None = None) -> None:
        self.api_key = api_key
        self.nodes = nodes
        self.fault = ""
        self.dead: set[tuple[int, int]] = set()
        self.collections: dict[str, Collection] = {} if also_at is None else also_at.collections
        self.violations: list[str] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.lock = threading.Lock() if also_at is None else also_at.lock
        self.closing = threading.Event()
        self._http = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=lambda: self._http.serve_forever(poll_interval=0.02))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(target)
        found = operation(method, parts.path)
        if found is None:
            return self._violation(f"{method} {parts.path} is not described")
        described, name = found
        wrong = [*query_faults(described["query"], parse_qs(parts.query)), *body_faults(described["body"], body)]
        if wrong:
            return self._violation(f"{method} {parts.path}: {'; '.join(wrong)}")
        with self.lock:
            self.requests.append((method, parts.path, body))
            return self._do(f"{method} {described['path']}", name, body)

    def _violation(self, what: str) -> tuple[int, Any]:
        self.violations.append(what)
        return 400, {"status": {"error": what}, "time": 0.0}

    def _do(self, what: str, name: str, body: Any) -> tuple[int, Any]:
        at = "/collections/{collection_name}"
        if what == "GET /cluster":
            return 200, self._cluster()
        if what == f"GET {at}/exists":
            return 200, {"exists": name in self.collections}
        if what == f"PUT {at}":
            if name in self.collections:
                return 409, f"collection {name} exists"
            self.collections[name] = Collection(body)
            return 200, True
        if name not in self.collections:
            return 404, f"no collection {name}"
        kept = self.collections[name]
        if what == f"GET {at}":
            return 200, _info(kept)
        if what == f"GET {at}/cluster":
            return 200, self._clustered(kept)
        if what == f"PUT {at}/index":
            kept.indexes[body["field_name"]] = body["field_schema"]
            return 200, _DONE
        return _points(what.removeprefix("PUT ").removeprefix("POST ").removeprefix(f"{at}/points"), kept, body)

    def _cluster(self) -> Any:
        if self.nodes == 1:
            return {"status": "disabled"}
        return {
            "status": "enabled",
            "peer_id": 1,
            "peers": {str(n + 1): {"uri": f"http://node{n}:6335/"} for n in range(self.nodes)},
            "raft_info": {"term": 1, "commit": 1, "pending_operations": 0, "is_voter": True},
            "consensus_thread_status": {"consensus_thread_status": "working", "last_update": "2026-01-01T00:00:00Z"},
            "message_send_failures": {},
        }

    def _clustered(self, kept: Collection) -> Any:
        """Replicas go round the nodes; this one is node 1."""
        shards = kept.asked["shard_number"]
        placed = [
            (shard, (shard + copy) % self.nodes + 1)
            for shard in range(shards)
            for copy in range(kept.asked["replication_factor"])
        ]
        said = [
            {"shard_id": shard, "peer_id": node, "state": "Dead" if (shard, node) in self.dead else "Active"}
            for shard, node in placed
        ]
        return {
            "peer_id": 1,
            "shard_count": shards,
            "local_shards": [{**one, "points_count": 0} for one in said if one["peer_id"] == 1],
            "remote_shards": [one for one in said if one["peer_id"] != 1],
            "shard_transfers": [],
        }


_DONE = {"operation_id": 1, "status": "completed"}


def _info(kept: Collection) -> Any:
    told = ("vectors", "shard_number", "replication_factor", "write_consistency_factor", "on_disk_payload")
    config = {
        "params": {key: kept.asked[key] for key in told if key in kept.asked},
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1000,
            "default_segment_number": 0,
            "flush_interval_sec": 5,
        },
        "quantization_config": kept.asked.get("quantization_config"),
        "metadata": kept.asked.get("metadata"),
    }
    return {
        "status": "green",
        "optimizer_status": "ok",
        "segments_count": 1,
        "points_count": len(kept.points),
        "config": config,
        "payload_schema": {name: _index(schema, len(kept.points)) for name, schema in kept.indexes.items()},
    }


def _index(schema: Any, points: int) -> Any:
    if isinstance(schema, dict):
        return {"data_type": schema["type"], "params": schema, "points": points}
    return {"data_type": schema, "points": points}


def _points(what: str, kept: Collection, body: Any) -> tuple[int, Any]:
    if what == "/query/batch":
        return 200, [{"points": _nearest(kept, asked)} for asked in body["searches"]]
    if what == "/scroll":
        return 200, _scrolled(kept, body)
    if what == "/count":
        return 200, {"count": sum(_passes(point, body.get("filter")) for point in kept.points.values())}
    if what == "/payload":
        for one in body["points"]:
            if one in kept.points:
                kept.points[one].payload.update(body["payload"])
        return 200, _DONE
    if what == "/delete":
        selected = body["points"] if "points" in body else list(kept.points)
        for one in [one for one in selected if one in kept.points and _passes(kept.points[one], body.get("filter"))]:
            del kept.points[one]
        return 200, _DONE
    if "ids" in body:
        return 200, [_record(kept, one, body) for one in body["ids"] if one in kept.points]
    for point in body["points"]:
        vectors = _by_name(point["vector"])
        sizes = {name: asked["size"] for name, asked in _named(kept).items()}
        if any(len(vector) != sizes.get(name) for name, vector in vectors.items()):
            return 400, "Wrong input: Vector dimension error"
        unit = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
        kept.points[point["id"]] = Stored(unit, dict(point.get("payload") or {}))
    return 200, _DONE


def _by_name(said: Any) -> dict[str, NDArray[np.float32]]:
    named = said if isinstance(said, dict) else {"": said}
    return {name: np.asarray(vector, np.float32) for name, vector in named.items()}


def _named(kept: Collection) -> dict[str, Any]:
    asked: dict[str, Any] = kept.asked["vectors"]
    return {"": asked} if "size" in asked else asked


def _scrolled(kept: Collection, body: Any) -> Any:
    ids = [one for one in sorted(kept.points) if one >= (body.get("offset") or "")]
    ids = [one for one in ids if _passes(kept.points[one], body.get("filter"))]
    limit = body.get("limit") or 10
    return {
        "points": [_record(kept, one, body) for one in ids[:limit]],
        "next_page_offset": ids[limit] if len(ids) > limit else None,
    }


def _nearest(kept: Collection, asked: Any) -> list[Any]:
    said = asked["query"]
    query = np.asarray(said["nearest"] if isinstance(said, dict) else said, np.float32)
    query /= np.linalg.norm(query)
    name, only, least = asked.get("using") or "", asked.get("filter"), asked.get("score_threshold")
    found = {one: point for one, point in kept.points.items() if name in point.vectors and _passes(point, only)}
    scored = sorted(((float(point.vectors[name] @ query), one) for one, point in found.items()), reverse=True)
    scored = [(score, one) for score, one in scored if least is None or score >= least]
    return [
        {**_record(kept, one, asked), "score": score, "version": 1} for score, one in scored[: asked.get("limit", 10)]
    ]


def _record(kept: Collection, one: str, asked: Any) -> Any:
    point = kept.points[one]
    keys = asked.get("with_payload")
    payload = point.payload if keys is True else {key: point.payload[key] for key in keys or [] if key in point.payload}
    return {"id": one, "payload": payload, "vector": _told(point) if asked.get("with_vector") else None}


def _told(point: Stored) -> Any:
    vectors = {name: vector.tolist() for name, vector in point.vectors.items()}
    return vectors.get("", vectors)


def _passes(point: Stored, only: Any) -> bool:
    if not only:
        return True
    must = all(_meets(point, each) for each in only.get("must") or [])
    should = not only.get("should") or any(_meets(point, each) for each in only["should"])
    return must and should and not any(_meets(point, each) for each in only.get("must_not") or [])


def _meets(point: Stored, condition: Any) -> bool:
    if "is_null" in condition:
        key = condition["is_null"]["key"]
        return key in point.payload and point.payload[key] is None
    value = point.payload.get(condition["key"])
    if condition.get("range"):
        since, until = (condition["range"].get(key) for key in ("gte", "lte"))
        at = _moment_kept(value)
        return at is not None and not (since and at < _moment(since)) and not (until and at > _moment(until))
    match = condition["match"]
    return bool(value in match["any"] if "any" in match else value == match["value"])


def _moment_kept(value: Any) -> datetime | None:
    """Texts that are no times meet no condition."""
    try:
        return _moment(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def operation(method: str, path: str) -> tuple[Any, str] | None:
    """The described operation of this request, and the collection that it names."""
    for described in DESCRIPTION["operations"]:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", described["path"])
        found = re.fullmatch(pattern, path)
        if found and described["method"] == method:
            return described, found.groupdict().get("collection_name", "")
    return None


def query_faults(described: Mapping[str, list[str]], query: Mapping[str, list[str]]) -> list[str]:
    faults = []
    for key, values in query.items():
        kinds = described.get(key)
        if kinds is None:
            faults.append(f"query {key} is not described")
        elif not any(_is_kind(values[0], kind) for kind in kinds):
            faults.append(f"query {key}={values[0]} is none of {kinds}")
    return faults


def _is_kind(value: str, kind: str) -> bool:
    return {"boolean": value in ("true", "false"), "integer": value.isdigit()}.get(kind, value == kind)


def body_faults(schema: Any, body: Any) -> list[str]:
    if schema is None:
        return [] if body is None else ["a body is not described"]
    return _faults(schema, body, "body")


def _faults(schema: Any, value: Any, at: str) -> list[str]:
    if "$ref" in schema:
        return _faults(DESCRIPTION["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, at)
    if "anyOf" in schema:
        tried = [_faults(each, value, at) for each in schema["anyOf"]]
        return [] if any(not faults for faults in tried) else [f"{at} fits nothing: {min(tried, key=len)}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at} is {value!r}"]
    if "const" in schema and value != schema["const"]:
        return [f"{at} is {value!r}"]
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    kind = schema.get("type")
    if kind in ("integer", "number"):
        numbers = (int,) if kind == "integer" else (int, float)
        return [] if isinstance(value, numbers) and not isinstance(value, bool) else [f"{at} is no {kind}"]
    if kind in kinds and not isinstance(value, kinds[kind]):
        return [f"{at} is no {kind}"]
    if kind == "array" and "items" in schema:
        return [fault for n, each in enumerate(value[:200]) for fault in _faults(schema["items"], each, f"{at}[{n}]")]
    return _object_faults(schema, value, at) if kind == "object" else []


def _object_faults(schema: Any, value: Any, at: str) -> list[str]:
    faults = [f"{at}.{key} is missing" for key in schema.get("required", ()) if key not in value]
    more = schema.get("additionalProperties", True)
    for key, each in value.items():
        if key in schema.get("properties", {}):
            faults += _faults(schema["properties"][key], each, f"{at}.{key}")
        elif more is False:
            faults.append(f"{at}.{key} is not described")
        elif isinstance(more, dict):
            faults += _faults(more, each, f"{at}.{key}")
    return faults


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], peer: QdrantPeer) -> None:
        super().__init__(address, _Handler)
        self.peer = peer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _serve(self) -> None:
        peer = self.server.peer
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        if len(text) < length:  # whoever asked was killed in the middle of it
            self.close_connection = True
            return
        if peer.fault == "hang":
            peer.closing.wait()
        if peer.fault in ("hang", "drop"):
            self.close_connection = True
            return
        if peer.fault == "503":
            self._say(503, {"status": {"error": "Service is not ready"}, "time": 0.0})
        elif peer.fault == "garbage":
            self._say(200, {"warming": "up"})
        elif peer.api_key is not None and self.headers.get("api-key") != peer.api_key:
            self._say(401, {"status": {"error": "Must provide an API key"}, "time": 0.0})
        else:
            status, result = peer.answer(self.command, self.path, json.loads(text) if text else None)
            said = result if status == 400 else {"result": result, "status": "ok", "time": 0.0}
            self._say(status, said if status < 400 or status == 400 else {"status": {"error": result}, "time": 0.0})

    do_GET = do_PUT = do_POST = _serve  # noqa: N815

    def _say(self, status: int, what: Any) -> None:
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Tests say what they need to."""
