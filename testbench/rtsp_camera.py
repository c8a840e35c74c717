"""A camera that speaks RTSP, for tests: GStreamer's RTSP server, H.264 or MJPEG, over TCP or UDP, with a login or not.

Runs by the system's Python, which has GStreamer's bindings (Debian: see PACKAGES in `rtsp_process`), and needs nothing
else of this project:

    /usr/bin/python3 testbench/rtsp_camera.py --port 0 --size 640x360 --fps 25 [--login USER:PASSWORD] [--codec jpeg]

Prints its port, then obeys lines on its standard input: `size 320x240`, `codec jpeg`, `hang up`, `stall`, `go on`.
Each picture carries the moment it was made (`testbench.moment`).
"""

# ruff: noqa: ANN401  (GStreamer's bindings have no types)
from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))  # not the project: the system's Python lacks what it needs
from moment import stamped_grey  # noqa: E402

PATH = "/live"
_ENCODERS = {
    # One thread: the slices of several reach FFmpeg as pictures of their own.
    "h264": "x264enc tune=zerolatency sliced-threads=false threads=1 speed-preset=ultrafast bitrate=1500 "
    "key-int-max={fps} ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "jpeg": "jpegenc quality=85 ! rtpjpegpay name=pay0 pt=26",
}


class Camera:
    """What the server's viewers see; changed by commands while they look."""

    def __init__(self, size_wh: tuple[int, int], fps: int, codec: str) -> None:
        self.size_wh = size_wh
        self.fps = fps
        self.codec = codec
        self.stalls = False

    def description(self) -> str:
        source = "appsrc name=pictures is-live=true format=time block=false max-buffers=2 leaky-type=downstream"
        return f"( {source} ! videoconvert ! video/x-raw,format=I420 ! {_ENCODERS[self.codec].format(fps=self.fps)} )"

    def caps(self) -> Any:
        width, height = self.size_wh
        return Gst.Caps.from_string(f"video/x-raw,format=GRAY8,width={width},height={height},framerate={self.fps}/1")


class Factory(GstRtspServer.RTSPMediaFactory):
    """One encoder for all viewers of the camera."""

    def __init__(self, camera: Camera) -> None:
        super().__init__()
        self._camera = camera
        self.set_shared(True)

    def do_create_element(self, _url: Any) -> Any:
        return Gst.parse_launch(self._camera.description())

    def do_configure(self, media: Any) -> None:
        source = media.get_element().get_child_by_name("pictures")
        threading.Thread(target=_feed, args=(self._camera, source), daemon=True).start()


def _feed(camera: Camera, source: Any) -> None:
    """Until the viewers are gone."""
    began_s, count, at_ns, size_wh = time.monotonic(), 0, 0, None
    while True:
        if size_wh != camera.size_wh:
            size_wh = camera.size_wh
            source.set_property("caps", camera.caps())
        if not camera.stalls:
            buffer = Gst.Buffer.new_wrapped(stamped_grey(size_wh, time.monotonic_ns()))
            buffer.pts = at_ns
            if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
        count += 1
        at_ns += Gst.SECOND // camera.fps
        time.sleep(max(0.0, began_s + count / camera.fps - time.monotonic()))


def _obey(camera: Camera, server: Any) -> None:
    for line in sys.stdin:
        match line.split():
            case ["size", size]:
                camera.size_wh = size_wh(size)
            case ["codec", codec]:
                camera.codec = codec
                GLib.idle_add(_hang_up, server)
            case ["hang", "up"]:
                GLib.idle_add(_hang_up, server)
            case ["stall"]:
                camera.stalls = True
            case ["go", "on"]:
                camera.stalls = False
        print("done", line.strip(), flush=True)  # noqa: T201
    os._exit(0)  # whoever started it is gone


def _hang_up(server: Any) -> bool:
    server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
    return False


def _demand_login(server: Any, factory: Any, login: str) -> None:
    user, _, password = login.partition(":")
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", user)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    role = Gst.Structure.new_empty(user)
    role.set_value("media.factory.access", True)
    role.set_value("media.factory.construct", True)
    factory.add_role_from_structure(role)


def size_wh(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", default="0")
    parser.add_argument("--size", type=size_wh, default=(640, 360))
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--codec", choices=tuple(_ENCODERS), default="h264")
    parser.add_argument("--login", help="USER:PASSWORD")
    args = parser.parse_args()
    Gst.init(None)
    camera = Camera(args.size, args.fps, args.codec)
    server = GstRtspServer.RTSPServer()
    server.set_address(args.address)
    server.set_service(args.port)
    factory = Factory(camera)
    if args.login:
        _demand_login(server, factory, args.login)
    server.get_mount_points().add_factory(PATH, factory)
    if not server.attach(None):
        raise SystemExit(f"port {args.port} cannot be used")
    print(server.get_bound_port(), flush=True)  # noqa: T201
    threading.Thread(target=_obey, args=(camera, server), daemon=True).start()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
