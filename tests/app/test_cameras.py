from __future__ import annotations

import pytest

from app import cameras


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("demo", "demo"),
        ("0", "camera"),
        ("12", "camera"),
        ("a.mp4", "file"),
        ("C:\\videos\\a.mp4", "file"),
        ("/videos/0", "file"),
        ("rtsp://host/1", "address"),
        ("HTTP://host/1", "address"),
        ("gst:videotestsrc ! appsink", "gst"),
    ],
)
def test_kinds(source: str, kind: str) -> None:
    assert cameras.kind(source) == kind
    assert cameras.live(source) == (kind in ("camera", "address", "gst"))


@pytest.mark.parametrize("source", ["-1", "ftp://host/a", "gst:", "gst:  ", "rtsp://", "rtsp:///path", "rtsp://u:p@"])
def test_what_cannot_be_watched(source: str) -> None:
    with pytest.raises(ValueError, match="is|has"):
        cameras.kind(source)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("0", "0"),
        ("demo", "demo"),
        ("/videos/me@home.mp4", "/videos/me@home.mp4"),
        ("rtsp://host:554/1", "rtsp://host:554/1"),
        ("rtsp://SECRET:SECRET@host:554/1", "rtsp://…@host:554/1"),
        ("rtsp://SECRET@host/1", "rtsp://…@host/1"),
        ("rtsp://a:SEC/RET@SECRET#SECRET@host/1", "rtsp://…@host/1"),
        ("rtsp://a:SECRET?SECRET@host/1", "rtsp://…@host/1"),
        ("http://host/v?user=SECRET&pwd=SECRET&channel=2", "http://host/v?user=…&pwd=…&channel=2"),
        ("http://host/v?SECRET", "http://host/v?…"),
        ("http://host/v?x=SECRET", "http://host/v?x=…"),
        ("rtsp://host:554/user=SECRET_password=SECRET_channel=1.sdp?real_stream", "rtsp://host:554/…"),
        (
            'gst:rtspsrc location=rtsp://a:SECRET@host/1 user-id=SECRET user-pw="SE CRET" ! appsink',
            "gst:rtspsrc location=rtsp://…@host/1 user-id=… user-pw=… ! appsink",
        ),
    ],
)
def test_credentials_are_hidden(source: str, shown: str) -> None:
    assert cameras.shown(source) == shown
    (camera,) = cameras.cameras([source])
    assert camera.source == source
    assert "SECRET" not in camera.name + camera.shown


def test_names() -> None:
    sources = [
        "0",
        "videos/front door.mp4",
        "rtsp://u:p@cam.lan:554/1",
        "http://[::1]:80/a",
        "http://[::1]/a",
        "gst:x",
        "demo",
    ]
    names = [camera.name for camera in cameras.cameras(sources)]
    assert names == ["0", "front door", "cam.lan", "[::1]", "[::1]-2", "gst", "demo"]


def test_names_always_differ() -> None:
    names = [camera.name for camera in cameras.cameras(["a.mp4", "x/a.mp4", "a-2.mp4", "a.avi", "a-2.mp4"])]
    assert len(set(names)) == 5
    assert names[:2] == ["a", "a-2"]


def test_a_text_of_any_length_is_judged_at_once() -> None:
    """Looking for secrets must not take longer than reading: a command line may hold anything."""
    for text in ("rtsp://h/" + "9" * 1_000_000, "gst:" + "pass" * 250_000, "rtsp://" + "user" * 2000 + "@h"):
        assert "9999" not in cameras.shown(text) and "passpass" not in cameras.shown(text)
    with pytest.raises(ValueError, match="1000009 characters"):
        cameras.kind("rtsp://h/" + "9" * 1_000_000)
