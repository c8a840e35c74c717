"""Runs another tracker over detections and writes down which track it gave each of them.

    python peer_track.py supervision|trackers DETECTIONS.npz OUT.npz [JSON of options of its ByteTrack]

It is run as a file by the Python that has the peer's packages, which has none of this project's.

DETECTIONS.npz  boxes (N, 4) and scores (N,) of all frames, counts (F,) of each frame, scenes (F,) of which scene it is
OUT.npz         ids (N,), -1 for a detection that has no track
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def make_supervision(options: dict[str, Any]) -> Callable[[Any], Any]:
    tracker: Any = importlib.import_module("supervision").ByteTrack(**options)
    return lambda seen: tracker.update_with_detections(seen)


def make_trackers(options: dict[str, Any]) -> Callable[[Any], Any]:
    tracker: Any = importlib.import_module("trackers").ByteTrackTracker(**options)
    return lambda seen: tracker.update(seen)


PEERS = {"supervision": make_supervision, "trackers": make_trackers}


def main() -> None:
    peer, source, out, *more = sys.argv[1:]
    options = json.loads(more[0]) if more else {}
    given = np.load(source)
    ids = np.full(len(given["scores"]), -1, np.int64)
    detections: Any = importlib.import_module("supervision").Detections
    took_ms, start, scene, follow = [], 0, -1, None
    for count, now in zip(given["counts"], given["scenes"], strict=True):
        if now != scene or follow is None:
            scene, follow = now, PEERS[peer](options)
        rows = np.arange(start, start + count)
        start += count
        # `data` comes back with the detections that have a track: that is how one knows which they are.
        seen = detections(
            xyxy=given["boxes"][rows],
            confidence=given["scores"][rows],
            class_id=np.zeros(count, int),
            data={"row": rows},
        )
        start_s = time.perf_counter()
        told = follow(seen)
        took_ms.append(1000 * (time.perf_counter() - start_s))
        if told.tracker_id is not None and len(told):
            ids[told.data["row"]] = told.tracker_id
    np.savez(out, ids=ids)
    version = importlib.import_module("importlib.metadata").version(peer)
    told_of = {"peer": f"{peer} {version}", "ms_per_frame": float(np.median(took_ms))}
    sys.stdout.write(json.dumps(told_of | {"mean_ms_per_frame": float(np.mean(took_ms))}) + "\n")


if __name__ == "__main__":
    main()
