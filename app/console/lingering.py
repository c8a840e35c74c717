"""An answer that comes before the request was read to its end, as to a picture that is too large.

Closing the connection at once would reset it, and the browser, still sending, would never see the answer. So the answer
goes out, what still comes is thrown away for a while, and only then the connection closes.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

LARGEST_BYTES = 256 << 20
SILENCE_S = 2.0  # the other side waits for the answer, or is gone


class Lingering:
    """`receive` and `send` of one request, in the place of those that it is made of."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        self._is_read = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read |= not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._is_read or message["type"] != "http.response.body" or message.get("more_body", False):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._throw_away()
        await self._send({"type": "http.response.body"})

    async def _throw_away(self) -> None:
        thrown = 0
        while not self._is_read and thrown < LARGEST_BYTES:
            try:
                message = await asyncio.wait_for(self.receive(), SILENCE_S)
            except asyncio.TimeoutError:
                return
            thrown += len(message.get("body", b""))
