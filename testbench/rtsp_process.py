"""The RTSP camera of `rtsp_camera` as a process that can be frozen, killed and started again at the same address."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from types import TracebackType

from pipeline.config import CameraConfig, Transport

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_camera.py")
_NEEDED = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
raise SystemExit(not all(map(Gst.ElementFactory.find, ("x264enc", "jpegenc", "rtph264pay", "rtpjpegpay"))))
"""
PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-ugly"
)


def is_there() -> bool:
    """Whether this machine has what the server needs: Debian's packages in PACKAGES."""
    try:
        return subprocess.run([PYTHON, "-c", _NEEDED], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class RtspCamera:
    """words  flags of `rtsp_camera`; prefix  of the command, such as ("ip", "netns", "exec", NAME)"""

    def __init__(self, *words: str, prefix: tuple[str, ...] = (), address: str = "127.0.0.1") -> None:
        self._words = words
        self._prefix = prefix
        self._address = address
        self.port = 0
        self._process = self._begin()

    def config(self, name: str, *, login: str = "", transport: Transport = "tcp", path: str = "/live") -> CameraConfig:
        where = f"{self._address}:{self.port}{path}"
        return CameraConfig(name, f"rtsp://{login}{where}", f"rtsp://{where}", live=True, transport=transport)

    def tell(self, command: str) -> None:
        """Returns when it is obeyed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def start_again(self, *words: str) -> None:
        """At the same port. words: instead of the first ones."""
        self._words = words or self._words
        self._process = self._begin()

    def __enter__(self) -> RtspCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _begin(self) -> subprocess.Popen[str]:
        flags = ["--address", self._address, "--port", str(self.port), *self._words]
        command = [*self._prefix, PYTHON, str(SCRIPT), *flags]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        if not said.isdigit():
            process.kill()
            process.communicate()
            raise RuntimeError(f"the RTSP server did not begin: {said or 'see above'}")
        self.port = int(said)
        return process
