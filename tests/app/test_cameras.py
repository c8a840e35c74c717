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
        ("rtsp://me:SEC@RET@host:554/1", "rtsp://…@host:554/1"),
        ("rtsp://me:SEC RET@host/1", "rtsp://…@host/1"),
        ("rtsp://a:SEC/RET@SECRET#SECRET@host/1", "rtsp://…"),
        ("rtsp://a:SECRET?SECRET@host/1", "rtsp://…"),
        ("rtsp://SECRET/SECRET@host/1", "rtsp://…"),
        ("rtsp://host/h264?username=SECRET&password=SEC@RET", "rtsp://…"),
        ("rtsp://SECRET@host/h264?password=SEC@SECRET", "rtsp://…"),
        ("http://host/v?user=SECRET@SECRET&password=SECRET", "http://…"),
        ("rtsp://host/user=SECRET_password=SEC@SECRET_channel=1.sdp", "rtsp://…"),
        ("http://host/SECRET@SECRET", "http://…"),
        ("http://host/v#SECRET@SECRET", "http://…"),
        ("udp://@239.0.0.1:1234", "udp://…@239.0.0.1:1234"),
        ("http://host/v?user=SECRET&pwd=SECRET&channel=2", "http://host/v?user=…&pwd=…&channel=2"),
        ("http://host/v?SECRET", "http://host/v?…"),
        ("http://host/v?x=SECRET", "http://host/v?x=…"),
        ("http://host/v?channel=1;password=SECRET", "http://host/v?channel=…"),
        ("http://host/v?channel=1#SECRET", "http://host/v?channel=…"),
        ("http://host/v?U0SECRET==", "http://host/v?…"),
        ("rtsp://host:554/user=SECRET_password=SECRET_channel=1.sdp?real_stream", "rtsp://host:554/…"),
        (
            'gst:rtspsrc location=rtsp://a:SECRET@host/1 user-id=SECRET user-pw="SE CRET" ! appsink',
            "gst:rtspsrc location=rtsp://…@host/1 user-id=… user-pw=… ! appsink",
        ),
        (r'gst:rtspsrc user-pw="SE\"C SECRET" user-id=SE\ SECRET ! a', "gst:rtspsrc user-pw=… user-id=… ! a"),
        ('gst:rtspsrc user-pw=(string)"SE SECRET" ! a', "gst:rtspsrc user-pw=… ! a"),
        ('gst:rtspsrc location="rtsp://a:SECRET SECRET@host/1" ! a', 'gst:rtspsrc location="rtsp://…@host/1" ! a'),
        ("gst:rtspsrc location=rtsp://a:SECRETkey=x@host/1 ! a", "gst:rtspsrc location=rtsp://…@host/1 ! a"),
        ('gst:rtspsrc location="rtsp://h/?pw=SEC RET" ! a', 'gst:rtspsrc location="rtsp://h/?pw=… ! a'),
        ('gst:rtspsrc "user-pw=SEC RET" ! a', 'gst:rtspsrc "… ! a'),
        ("gst:rtspsrc location=rtsp://host user-pw=SEC@SECRET ! a", "gst:rtspsrc location=rtsp://host user-pw=… ! a"),
        ("gst:rtspsrc location=rtsp://a:SEC/SECkey=x@host ! a", "gst:rtspsrc location=rtsp://… ! a"),
        ("gst:rtspsrc location=rtsp://h/?x=SECRET@SECRET ! a", "gst:rtspsrc location=rtsp://… ! a"),
    ],
)
def test_credentials_are_hidden(source: str, shown: str) -> None:
    assert cameras.shown(source) == shown
    (camera,) = cameras.cameras([source])
    assert camera.source == source
    for part in ("SECRET", "SEC", "RET"):
        assert part not in camera.name + camera.shown


@pytest.mark.parametrize(
    "word", ["--sorce=rtsp://u:SECRET@h/1", "'rtsp://u:SECRET@h/1'", "ftp://u:SECRET@h", "a b://SECRET@h"]
)
def test_an_address_is_hidden_in_any_word_of_a_command_line(word: str) -> None:
    assert "SECRET" not in cameras.shown(word)
    assert "…@h" in cameras.shown(word)


def test_names() -> None:
    sources = [
        "0",
        "videos/front door.mp4",
        "rtsp://u:p@cam.lan:554/1",
        "http://[::1]:80/a",
        "http://[::1]/a",
        "gst:x",
        "demo",
        "http://[fe80::1%eth0]:80/a",
        "udp://@239.0.0.1:1234",
        "udp://:1234",
        "rtsp://h/h264?username=admin&password=P@ssw0rd",
        "rtsp://admin:12/34@host/1",
        "rtsp://user=admin",
    ]
    names = [camera.name for camera in cameras.cameras(sources)]
    assert names[:7] == ["0", "front door", "cam.lan", "[::1]", "[::1]-2", "gst", "demo"]
    assert names[7:] == ["[fe80::1%eth0]", "239.0.0.1", "camera", "camera-2", "camera-3", "camera-4"]


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
