"""What one run is to do: built by `app` from settings and flags, handed to every process as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checkpoints.sealed import UNSEALED, Seal
from engines.options import EngineOptions

Placement = Literal["split", "fused"]
Matcher = Literal["nearest", "svm"]
Display = Literal["window", "none"]
Transport = Literal["tcp", "udp"]
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """name          what events and windows call it
    source        0 (camera index), a file, rtsp://…, http://…, gst:PIPELINE, demo; credentials filled in
    shown         the source without its credentials: the only form that may be printed
    live          it goes away and comes back at its own will: a stream or a device
    transport     of rtsp://
    size_wh       None: as for all cameras
    fps           more pictures a second than these are not looked at; None: all
    min_face_px   smaller faces are not looked at; None: as for all cameras
    zone          faces elsewhere are not looked at; corners as shares of the picture's width and height
    masks         of each the corners: what lies in them is blackened before any other process sees the picture
    pixel_format  four letters, asked of a camera at this machine: MJPG, YUYV
    """

    name: str
    source: str = field(repr=False)
    shown: str
    live: bool = False
    transport: Transport = "tcp"
    size_wh: tuple[int, int] | None = None
    fps: float | None = None
    min_face_px: int | None = None
    zone: Corners | None = None
    masks: tuple[Corners, ...] = ()
    pixel_format: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    size_wh: tuple[int, int] | None = None  # None: as it comes, at most 1280×720
    lossless: bool = True
    realtime_fps: float | None = None
    loop: bool = False
    frames: int | None = None
    open_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A Qdrant server or cluster.

    url         http(s)://host:port
    further     other nodes of the same cluster, asked when that one does not answer
    reads       where faces are looked up: in a whole copy on this disk, or there
    api_key     never printed
    grpc_port   None: REST
    timeout_s   for one request
    collection  what the gallery is called there
    """

    url: str
    api_key: str | None = None
    grpc_port: int | None = None
    timeout_s: float = 5.0
    collection: str = "facewire"
    further: tuple[str, ...] = ()
    reads: Literal["copy", "server"] = "copy"

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url, *self.further)


@dataclass(frozen=True, slots=True)
class GalleryConfig:
    """path             folder of the gallery; with a server, of its local copy and of what it has not been told yet
    server           None: the gallery is only on disk
    matcher          what tells people apart
    match_threshold  None: what calibration of this gallery says, else what the embedder's manifest says
    false_names      wished rate of strangers that are given a name, for calibration
    unknown_days     how long unknown faces are kept; 0: never
    seal             what encrypts it on disk
    """

    path: Path = Path("data/gallery")
    server: ServerConfig | None = None
    matcher: Matcher = "nearest"
    match_threshold: float | None = None
    match_margin: float = 0.05
    false_names: float = 0.001
    unknown_days: float = 30.0
    seal: Seal = UNSEALED


@dataclass(frozen=True, slots=True)
class ClipsConfig:
    """folder   of short films, of which those older than so many days are erased
    seconds  before and after what happened
    """

    folder: Path
    seconds: float = 5.0
    days: float = 30.0


@dataclass(frozen=True, slots=True)
class RecordingsConfig:
    """folder  of all that the cameras show, in films of so many minutes; those older than `days` are erased"""

    folder: Path
    minutes: float = 60.0
    days: float = 7.0


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """record      one file
    recordings  many, one after the other
    event_days  for which older parts of the file of events are kept, where there are no `outlets` to erase them
    """

    display: Display = "none"
    record: Path | None = None
    recordings: RecordingsConfig | None = None
    clips: ClipsConfig | None = None
    events: Path | None = None
    event_every_s: float = 1.0  # a track whose name does not change is told again after this long
    snapshots: Path = Path("data/snapshots")  # folder, for those that are taken in the window
    event_part_bytes: int = 100_000_000  # a file of events that is so long goes on in a new one
    event_days: float = 30.0
    event_run: str | None = None  # what tells this run's events from those of all others of a fleet


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """topic      where all topics begin
    discovery  topic at which Home Assistant looks for devices; None: it is told nothing
    """

    host: str
    port: int = 1883
    encrypted: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    topic: str = "facewire"
    discovery: str | None = "homeassistant"


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """url and secret  never printed
    timeout_s       for one event
    """

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """Where a fleet keeps the events of all its cameras.

    secret     what is posted is signed with it; never printed
    timeout_s  for many events at once
    """

    url: str
    secret: str = field(repr=False)
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class OutletsConfig:
    """store  folder in which events are kept to be searched
    days   for which they are
    crops  whether with pictures of the faces
    seal   what encrypts those
    """

    store: Path = Path("data/events")
    days: float = 30.0
    crops: bool = True
    mqtt: MqttConfig | None = None
    webhook: WebhookConfig | None = None
    seal: Seal = UNSEALED
    collector: CollectorConfig | None = None


@dataclass(frozen=True, slots=True)
class SuperviseConfig:
    """camera_timeout_s  a live camera without a picture for so long is begun anew
    wait_for_cameras  also for those that cannot be reached at the start
    reconnect_s       before the first try to reach a camera again; the pauses double
    memory_limit_mb   a process of an endless run with more memory of its own is started anew; 0: what suits the machine
    disk_reserve_mb   an endless run erases clips to keep so much free
    rest_s            of a process of an endless run that dies more than max_restarts times; the rests double
    """

    hang_timeout_s: float = 10.0
    start_timeout_s: float = 120.0
    camera_timeout_s: float = 10.0
    max_restarts: int = 5
    restart_window_s: float = 60.0
    stop_timeout_s: float = 3.0
    wait_for_cameras: bool = False
    reconnect_s: float = 1.0
    longest_reconnect_s: float = 30.0
    rest_s: float = 30.0
    longest_rest_s: float = 300.0
    memory_limit_mb: float = 0.0
    disk_reserve_mb: float = 500.0


@dataclass(frozen=True, slots=True)
class RunConfig:
    cameras: tuple[CameraConfig, ...]
    placement: Placement = "split"
    capture: CaptureConfig = CaptureConfig()
    engines: EngineOptions = EngineOptions()
    gallery: GalleryConfig = GalleryConfig()
    output: OutputConfig = OutputConfig()
    outlets: OutletsConfig | None = None
    supervise: SuperviseConfig = SuperviseConfig()

    @property
    def endless(self) -> bool:
        """Nothing but a person ends it: it has a live camera, and no number of frames."""
        return any(camera.live for camera in self.cameras) and self.capture.frames is None
