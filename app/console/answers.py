"""Answers that are no JSON, as the description of the API tells them."""

from __future__ import annotations

from typing import Any

Described = dict[int | str, dict[str, Any]]


def described(*media_types: str) -> Described:
    return {200: {"content": {kind: {} for kind in media_types}, "description": ", ".join(media_types)}}


JPEG = described("image/jpeg")
# A browser that asks for a picture which is not there would note an error in its console.
JPEG_OR_NONE: Described = {**JPEG, 204: {"description": "This person has no picture to show"}}
MULTIPART = described("multipart/x-mixed-replace")
EVENT_STREAM = described("text/event-stream")
LINES = described("text/csv", "application/jsonl")
TRACE = described("application/json")
TEXT = described("text/plain")
