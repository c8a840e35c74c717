"""What every answer tells the browser not to do, and which names of this machine are listened to."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.addresses import is_loopback
from app.console.problem import answer

ALWAYS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


def host_of(header: str) -> str:
    """Without the port."""
    return header.partition("]")[0] + "]" if header.startswith("[") else header.partition(":")[0]


class SecureHeaders:
    """only_loopback  refuse other names than this machine's own: a page elsewhere may have made its name point here"""

    def __init__(self, app: ASGIApp, *, only_loopback: bool) -> None:
        self._app = app
        self._only_loopback = only_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                if scope.get("by_ticket"):  # a picture, for a page elsewhere that may show it
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            await send(message)

        host = Headers(scope=scope).get("host", "")
        if self._only_loopback and not is_loopback(host_of(host)):
            refused = answer(
                421,
                "The console does not listen to this name.",
                host[:80],
                "open it as http://127.0.0.1, or say with --host which address it is to be reached at",
            )
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)
