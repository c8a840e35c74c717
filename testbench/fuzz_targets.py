"""Everything that reads what somebody else has written, with inputs that it takes and the errors that it may answer.

Any other error is a crash: a person would see a traceback, or a process would be started again and again.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from app import addresses, camera_list, cameras, photographs, settings, values
from app.audit import Audit
from app.logins import Logins
from checkpoints import activation_ranges, dlib_dat, manifest, onnx_file, protobuf, tensorflow_graph
from checkpoints.dlib_dat import DlibError
from checkpoints.errors import UserError
from checkpoints.protobuf import ProtobufError
from checkpoints.sealed import UNSEALED, Seal, keys_of, new_key
from engines.blob import BlobDamaged, read_blob, write_blob
from pipeline.erasure import erase_events
from pipeline.gallery import calibration, desk_frames, layout
from pipeline.gallery.arrivals import read_arrivals
from pipeline.gallery.edits import Put
from pipeline.gallery.journal import Journal
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.packing import packed, packed_change, said_change, unpacked, unpacked_whole
from pipeline.gallery.sealed_log import FILE_NAME, SealedLog
from pipeline.gallery.sightings import Sighting
from pipeline.gallery.svm_matcher import kept_machine
from pipeline.gallery.transfer import export
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from testbench import fuzz_seeds
from testbench.fuzz_seeds import DIM, TIME

_KEY = Seal((bytes(range(32)),))
_SPACE = "test@sha256:1"
_PASSWORD = "Pl4nted"


@dataclass(frozen=True, slots=True)
class Target:
    """read      takes one input
    refusals  what it may raise
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = (UserError,)


def targets(folder: Path) -> Iterator[Target]:
    """`folder`  for what reads files"""
    folder.mkdir(parents=True, exist_ok=True)
    yield from _settings(folder)
    yield from _models(folder)
    yield from _records(folder)
    yield from _exports(folder / "export")
    yield from _faces(folder)
    yield from _events(folder)


def _settings(folder: Path) -> Iterator[Target]:
    lines = [line[1:] for line in settings.example().splitlines() if line[:1] == "#" and "=" in line]
    some = b'VIDEO_SOURCE=rtsp://{user}:{password}@10.0.0.5:554/s?channel=1\nTHREADS=2\nQDRANT_URL="http://q:6333"\n'
    yield Target("settings", ("\n".join(lines).encode(), some), _load_settings)
    sources = (b"rtsp://user:p%40ss@host:554/stream?token=x", b"gst:v4l2src ! appsink password=x", b"0", b"film.mp4")
    yield Target("camera addresses", sources, _address, (ValueError, UserError))
    passwords = (b"x@y", b"a/b?c#d@", b"pass=1&user=2", b"http://u:p@h/", b"'a b\\\"c!", b"channel=1;token=[::1]:554")
    yield Target("passwords in camera addresses", passwords, _addresses_with_password, (ValueError,))
    yield Target("cameras.toml", (fuzz_seeds.CAMERAS,), _of_file(folder / "cameras.toml", camera_list.read))
    urls = (
        b"mqtts://broker:8883",
        b"https://host:443/hook?key=1",
        b"http://[::1]:6333",
        b"home/faces",
        b"1280x720",
    )
    yield Target("addresses and values", urls, _value, ())
    yield Target("keys", (f"{new_key()},{new_key()}\n".encode(),), _text(keys_of), (ValueError,))


def _models(folder: Path) -> Iterator[Target]:
    here = Path(manifest.__file__).parent
    found = tuple(path.read_bytes() for path in sorted((here / "manifests").glob("*.json")))
    yield Target("manifests", found, _text(lambda text: manifest.parse(text, "a manifest")))
    found = tuple(path.read_bytes() for path in sorted((here / "ranges").glob("*.json")))
    yield Target("ranges", found, _text(lambda text: activation_ranges.parse(text, "ranges")))
    yield Target("protobuf", (fuzz_seeds.onnx(),), protobuf.read, (ProtobufError,))
    yield Target("ONNX files", (fuzz_seeds.onnx(),), onnx_file.read, (ProtobufError,))
    yield Target("TensorFlow graphs", (fuzz_seeds.tensorflow(),), tensorflow_graph.read, (ProtobufError,))
    yield Target(".dat files of dlib", (fuzz_seeds.dlib(),), dlib_dat.read, (DlibError,))
    write_blob(folder / "blob", "key", b"engine" * 9)
    found = ((folder / "blob").read_bytes(),)
    yield Target("engines", found, _of_file(folder / "blob", lambda path: read_blob(path, "key")), (BlobDamaged,))
    yield Target("photographs", (fuzz_seeds.jpeg(),), photographs.decoded, (photographs.Unreadable,))


def _records(folder: Path) -> Iterator[Target]:
    kept = tuple(fuzz_seeds.kept(place) for place in range(3))
    yield Target("records of the desk", (packed({"do": "put", "names": ["Ada"]}, kept),), _desk, (ValueError,))
    changes = (packed_change(Put(kept)),)
    yield Target("changes", changes, lambda data: said_change(*unpacked_whole(data)), (ValueError,))
    journal = (fuzz_seeds.journal(folder / "a", kept),)
    yield Target("journal", journal, _of_file(folder / "journal", _read_journal))
    (folder / "sealed").mkdir(exist_ok=True)
    SealedLog(folder / "sealed", _KEY).write_anew([Put(kept)], space=_SPACE, dim=DIM)
    sealed = folder / "sealed" / FILE_NAME
    read = _of_file(sealed, lambda path: SealedLog(path.parent, _KEY).read())
    yield Target("encrypted gallery", (sealed.read_bytes(),), read)
    space = _of_file(folder / "space.json", lambda path: layout.read_space(path.parent))
    yield Target("space.json", (b'{"version": 2, "space": "s@sha256:1", "dim": 128}',), space)
    load = _of_file(folder / calibration.FILE_NAME, lambda it: calibration.load(it.parent, space="s", content_hash="h"))
    yield Target("calibration", (fuzz_seeds.CALIBRATION,), load)
    machine = _of_file(folder / "svm.npz", lambda path: kept_machine(path, "content", (2, DIM + 1), UNSEALED))
    yield Target("support vector machine", (fuzz_seeds.machine(),), machine)


def _exports(folder: Path) -> Iterator[Target]:
    gallery = MemoryGallery(space=_SPACE, dim=DIM)
    gallery.restore([fuzz_seeds.kept(place) for place in range(3)])

    def read(path: Path) -> object:
        return list(read_arrivals(path.parent, space=_SPACE, dim=DIM).portions(2))

    for name in ("people.jsonl", "vectors.npy"):
        file = folder / name / name
        folder.mkdir(exist_ok=True)
        export(gallery, file.parent)
        yield Target(f"import of {name}", (file.read_bytes(),), _of_file(file, read))


def _faces(folder: Path) -> Iterator[Target]:
    for name, seal in (("unknown faces", UNSEALED), ("encrypted unknown faces", _KEY)):
        home = folder / name.replace(" ", "_")
        _keep_unknowns(home, seal)
        for file in (home / "unknowns" / "faces.jsonl", home / "sightings.jsonl"):
            yield Target(f"{name}, {file.name}", (file.read_bytes(),), _of_file(file, _clusters(home, seal)))


def _events(folder: Path) -> Iterator[Target]:
    yield Target("events", (fuzz_seeds.EVENTS,), _of_file(folder / "log.jsonl", lambda path: erase_events(path, "Ada")))
    store = Store(folder / "store")
    received = _of_file(folder / "events.jsonl", lambda path: Reception(store, path).take_all())
    yield Target("events into the store", (fuzz_seeds.EVENTS,), received)
    book = Audit(folder / "audit.jsonl", {"via": "command"}, 30)
    book.tell("enrolled", person="Ada")
    yield Target("audit log", (book.path.read_bytes(),), _of_file(book.path, lambda _: book.forget("Ada")))


def _load_settings(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return settings.load({}, dotenv_values(stream=io.StringIO(text), interpolate=False))


def _address(data: bytes) -> object:
    text = cameras.source(data.decode("utf-8", "replace"))
    logins = Logins({"CAMERA_USER": "me", "CAMERA_PASSWORD": "p/@?"})
    return [(one.shown, one.name, logins.filled(one.source, one.name)) for one in cameras.cameras([text])]


def _addresses_with_password(data: bytes) -> None:
    """Neither what is shown nor the name has it, whatever stands around it, at each place where people write it."""
    around = data.decode("utf-8", "replace")[:1000]
    half = len(around) // 2
    password = around[:half] + _PASSWORD + around[half:]
    of_query = password.replace("&", "")  # which ends the password, there for the camera as well
    of_pipeline = password.replace("\\", "\\\\").replace('"', '\\"')
    for text in (
        f"rtsp://me:{password}@host:554/stream?channel=1",
        f"rtsp://host/h264?username=me@example.org&password={of_query}&channel=1",
        f"rtsp://host:554/user=me_password={password}_channel=1.sdp",
        f'gst:rtspsrc location=rtsp://host/1 user-id=me user-pw="{of_pipeline}" ! appsink',
        f'gst:rtspsrc location="rtsp://me:{of_pipeline}@host/1" ! appsink',
    ):
        (camera,) = cameras.cameras([text])
        if _PASSWORD in camera.shown + camera.name:
            raise AssertionError(f"{camera.shown} {camera.name}")


def _value(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    for parse in (addresses.topic, addresses.web, values.url, values.host, values.size, values.thresholds, values.path):
        with suppress(ValueError):
            parse(text)
    with suppress(ValueError):
        return addresses.parts_of_broker(addresses.broker(text))
    return None


def _desk(data: bytes) -> object:
    inbox = bytearray(data)
    found = []
    while (record := desk_frames.cut(inbox)) is not None:
        found.append(unpacked(*record))
    return found


def _read_journal(path: Path) -> object:
    with closing(Journal(path)) as journal:
        return journal.changes()


def _keep_unknowns(home: Path, seal: Seal) -> None:
    with closing(Unknowns(home, near=0.9, seal=seal)) as unknowns:
        for place in range(3):
            picture = fuzz_seeds.kept(place).picture
            sighting = Sighting(f"s{place}", "", "door", f"door/{place}/1", TIME, TIME)
            unknowns.keep(sighting, [Shot(picture.embedding, TIME, 0.5, picture.cutout)], _SPACE)


def _clusters(home: Path, seal: Seal) -> Callable[[Path], object]:
    def read(_: Path) -> object:
        with closing(Unknowns(home, near=0.9, seal=seal)) as unknowns:
            return [unknowns.pictures(cluster) for cluster in unknowns.clusters()]

    return read


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _of_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def it(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return it
