"""GStreamer pipelines that need not be written by hand, chosen by the first word after gst:

gst:csi 0                   a camera at a Jetson's CSI connector, by its number
gst:nvdec rtsp://host/path  a network camera, decoded by the GPU
gst:usb /dev/video0         a USB camera's JPEG pictures, decoded by the GPU

Everything else after gst: is a pipeline as gst-launch-1.0 takes it. docs/cameras.md tells of each.
"""

from __future__ import annotations

from checkpoints.errors import SourceError
from pipeline.config import Transport

GST = "gst:"
READY = ("csi", "nvdec", "usb")

# The newest picture is all that is kept: what nobody takes in time is dropped, and nothing waits for a clock.
_SINK = "videoconvert ! video/x-raw,format=BGR ! appsink max-buffers=1 drop=true sync=false"
_CSI_SIZE_WH = (1280, 720)
_CSI_FPS = 30.0


def pipeline_of(
    source: str, *, size_wh: tuple[int, int] | None = None, fps: float | None = None, transport: Transport = "tcp"
) -> str:
    """What stands after gst:, or the pipeline that it names."""
    text = source.removeprefix(GST).strip()
    kind, _, which = text.partition(" ")
    which = which.strip()
    if kind not in READY or "!" in text:
        return text
    if not which or '"' in which:
        raise SourceError(
            "This pipeline needs to know which camera.",
            saw=f"{GST}{kind}",
            fix="write for example gst:csi 0, gst:nvdec rtsp://host/path or gst:usb /dev/video0",
        )
    make = {"csi": _csi, "nvdec": _nvdec, "usb": _usb}[kind]
    return make(which, size_wh, fps, transport)


def _csi(number: str, size_wh: tuple[int, int] | None, fps: float | None, _: Transport) -> str:
    width, height = size_wh or _CSI_SIZE_WH
    raw = f"video/x-raw(memory:NVMM),width={width},height={height},framerate={round(fps or _CSI_FPS)}/1"
    return f"nvarguscamerasrc sensor-id={number} ! {raw} ! {_from_gpu(None)} ! {_SINK}"


def _nvdec(address: str, size_wh: tuple[int, int] | None, _: float | None, transport: Transport) -> str:
    # decodebin takes what the camera sends, H.264 or H.265, to nvv4l2decoder by its rank.
    source = f'rtspsrc location="{address}" protocols={transport} latency=100 drop-on-latency=true'
    return f"{source} ! application/x-rtp,media=video ! decodebin ! {_from_gpu(size_wh)} ! {_SINK}"


def _usb(device: str, size_wh: tuple[int, int] | None, fps: float | None, _: Transport) -> str:
    asked = "image/jpeg"
    if size_wh is not None:
        asked += f",width={size_wh[0]},height={size_wh[1]}"
    if fps is not None:
        asked += f",framerate={round(fps)}/1"
    return f"v4l2src device={device} ! {asked} ! nvv4l2decoder mjpeg=1 ! {_from_gpu(None)} ! {_SINK}"


def _from_gpu(size_wh: tuple[int, int] | None) -> str:
    """Scaled on the way out of the GPU's memory, which costs nothing there."""
    size = "" if size_wh is None else f",width={size_wh[0]},height={size_wh[1]}"
    return f"nvvidconv ! video/x-raw,format=BGRx{size}"
