from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from testbench.live_viewer import Viewer

PART = b"--facewire-frame\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n"


class Camera:
    """Sends what it is told, in the pieces that it is told, to one browser."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._pieces = pieces
        self.asked = b""
        self.gone = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.getsockname()
        return host, port

    def _serve(self) -> None:
        browser, _ = self._server.accept()
        with browser:
            self.asked = browser.recv(1000)
            browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):  # who never read leaves without a farewell
                for piece in self._pieces:
                    browser.sendall(piece)
                browser.shutdown(socket.SHUT_WR)
                while browser.recv(1000):
                    continue
        self.gone.set()

    def close(self) -> None:
        self._thread.join()
        self._server.close()


@pytest.mark.parametrize("cut", range(1, 25))
def test_pictures_are_counted_wherever_the_network_cuts_them(cut: int) -> None:
    sent = b"HTTP/1.1 200 OK\r\n\r\n" + 3 * PART
    at = sent.index(PART) + len(PART) + cut
    camera = Camera([sent[:at], sent[at:]])
    with Viewer(camera.address) as viewer:
        viewer.join()
    camera.close()
    assert camera.asked.startswith(b"GET /api/live HTTP/1.1\r\n")
    assert viewer.pictures == 3
    assert viewer.fps > 0


def test_who_never_reads_counts_nothing_and_can_be_left() -> None:
    camera = Camera([3 * PART])
    with Viewer(camera.address, deaf=True) as viewer:
        pass
    camera.close()
    assert camera.gone.is_set()
    assert viewer.pictures == 0
