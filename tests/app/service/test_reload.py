from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.service.reload import LIVE, reload
from pipeline.config import (
    CameraConfig,
    CaptureConfig,
    GalleryConfig,
    OutletsConfig,
    OutputConfig,
    RunConfig,
    WebhookConfig,
)

DOOR = CameraConfig("door", "rtsp://a:b@door/1", "rtsp://…@door/1", live=True)
GATE = CameraConfig("gate", "rtsp://gate/1", "rtsp://gate/1", live=True)
OLD = RunConfig((DOOR, GATE), capture=CaptureConfig(lossless=False), outlets=OutletsConfig())


def test_nothing_has_changed() -> None:
    assert reload(OLD, OLD).stages == reload(OLD, OLD).changed == reload(OLD, OLD).needs_start == ()


def test_a_threshold_concerns_lookup_alone() -> None:
    found = reload(OLD, replace(OLD, gallery=GalleryConfig(match_threshold=0.5)))
    assert (found.stages, found.changed, found.needs_start) == (("lookup",), ("gallery.match_threshold",), ())
    assert found.config.gallery.match_threshold == 0.5


def test_a_password_of_a_camera_concerns_that_camera_alone() -> None:
    found = reload(OLD, replace(OLD, cameras=(replace(DOOR, source="rtsp://a:c@door/1"), GATE)))
    assert (found.stages, found.changed) == (("capture:door",), ("cameras.door.source",))
    assert found.config.cameras == (replace(DOOR, source="rtsp://a:c@door/1"), GATE)


def test_what_memory_was_made_for_stays_until_a_new_start() -> None:
    new = replace(
        OLD,
        placement="fused",
        capture=CaptureConfig(lossless=False, size_wh=(320, 180)),
        gallery=GalleryConfig(path=Path("elsewhere"), match_margin=0.1),
        cameras=(replace(DOOR, size_wh=(64, 64)), GATE),
    )
    found = reload(OLD, new)
    assert found.config == replace(OLD, gallery=GalleryConfig(match_margin=0.1))
    assert found.needs_start == ("cameras.door.size_wh", "placement", "capture.size_wh", "gallery.path")


def test_other_cameras_need_a_new_start() -> None:
    found = reload(OLD, replace(OLD, cameras=(DOOR,)))
    assert (found.config, found.needs_start) == (OLD, ("cameras",))
    file = replace(DOOR, source="a.mp4", shown="a.mp4", live=False)
    assert reload(OLD, replace(OLD, cameras=(file, GATE))).config == OLD


def test_outlets_may_change_but_not_come_and_go() -> None:
    hook = WebhookConfig("http://a/")
    found = reload(OLD, replace(OLD, outlets=OutletsConfig(webhook=hook, days=1)))
    assert (found.stages, found.changed) == (("outlets",), ("outlets.days", "outlets.webhook"))
    assert reload(OLD, replace(OLD, outlets=None)).needs_start == ("outlets",)


def test_every_setting_that_may_change_is_there() -> None:
    kinds = {"gallery": GalleryConfig, "output": OutputConfig, "outlets": OutletsConfig}
    assert {section: set(rules) - set(kinds[section].__slots__) for section, rules in LIVE.items()} == {
        "gallery": set(),
        "output": set(),
        "outlets": set(),
    }
