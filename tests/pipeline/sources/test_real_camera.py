"""The whole way with a real RTSP server, which is treated badly."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

import pytest

from pipeline.clock import now_ns
from pipeline.config import SuperviseConfig
from testbench import camera_network, rtsp_process
from testbench.camera_network import CameraNetwork
from testbench.camera_watch import CameraWatch, watched_system
from testbench.rtsp_process import RtspCamera

if not rtsp_process.is_there():
    pytest.skip(f"GStreamer's RTSP server is not installed: {rtsp_process.PACKAGES}", allow_module_level=True)

NAME, LOGIN = "door", "me:s3cret"
HASTE = SuperviseConfig(reconnect_s=0.05, longest_reconnect_s=0.2, camera_timeout_s=3.0)
PATIENT = replace(HASTE, wait_for_cameras=True)  # a network that has just been put up may take a moment


class Scene(NamedTuple):
    watch: CameraWatch
    camera: RtspCamera

    def lost_and_back(self, fault: Callable[[], object], cure: Callable[[], object] | None = None) -> list[str]:
        """The kinds of losses that were told of this fault until pictures came again."""
        begun_ns = now_ns()
        fault()
        self.watch.until(lambda: self.watch.known_ns(begun_ns))
        if cure is not None:
            cure()
        cured_ns = now_ns()
        self.watch.until(lambda: self.watch.fresh(NAME, cured_ns))
        return self.watch.troubles(begun_ns)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        camera = stack.enter_context(RtspCamera("--login", LOGIN, "--size", "320x240"))
        system = stack.enter_context(watched_system((camera.config(NAME, login=f"{LOGIN}@"),), HASTE))
        watch = CameraWatch(system)
        watch.until(lambda: watch.seen)
        yield Scene(watch, camera)


def test_a_camera_that_hangs_up_or_is_killed_is_known_as_closed(scene: Scene) -> None:
    assert scene.lost_and_back(lambda: scene.camera.tell("hang up"))[0] == "closed"
    troubles = scene.lost_and_back(scene.camera.kill, scene.camera.start_again)
    assert troubles[0] == "closed"


def test_a_camera_that_is_frozen_is_known_as_stalled(scene: Scene) -> None:
    assert scene.lost_and_back(scene.camera.freeze, scene.camera.thaw)[0] == "stalled"


def test_a_camera_whose_encoder_stops_is_known_as_stalled(scene: Scene) -> None:
    tell = scene.camera.tell
    assert scene.lost_and_back(lambda: tell("stall"), lambda: tell("go on"))[0] == "stalled"


def test_our_own_process_is_killed_when_it_hangs(scene: Scene) -> None:
    pid = scene.watch.system.supervisor.pids()[f"capture:{NAME}"]
    assert scene.lost_and_back(lambda: os.kill(pid, signal.SIGSTOP)) == ["stalled"]


def test_another_password_is_waited_out(scene: Scene) -> None:
    def change() -> None:
        scene.camera.kill()
        scene.camera.start_again("--login", "me:other", "--size", "320x240")
        scene.watch.until(lambda: "authentication" in scene.watch.troubles(0))

    def change_back() -> None:
        scene.camera.kill()
        scene.camera.start_again("--login", LOGIN, "--size", "320x240")

    troubles = scene.lost_and_back(change, change_back)
    assert "authentication" in troubles
    assert not any("s3cret" in what.text + str(what.error) for _, what in scene.watch.aways)


def test_another_size_is_no_loss_and_another_codec_a_short_one(scene: Scene) -> None:
    scene.camera.tell("size 640x360")
    scene.watch.until(lambda: scene.watch.seen[NAME][-1].size_wh == (640, 360))
    assert not scene.watch.aways
    assert scene.lost_and_back(lambda: scene.camera.tell("codec jpeg"))[0] == "closed"


def test_a_camera_without_the_stream_is_told_at_the_start() -> None:
    with RtspCamera() as camera, watched_system((camera.config(NAME, path="/other"),), HASTE) as system:
        happened = []
        while system.supervisor.running:
            happened += system.poll(0.1)[0]
        assert [what.kind for what in happened] == ["error"]
        assert getattr(happened[0].error, "trouble", None) == "no such stream"


@pytest.mark.skipif(not camera_network.is_there(), reason="networks need root, ip and iptables")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_lost_packets_are_no_loss_of_the_camera_and_a_pulled_cable_is(transport: rtsp_process.Transport) -> None:
    with ExitStack() as stack:
        network = stack.enter_context(CameraNetwork())
        camera = stack.enter_context(RtspCamera(prefix=network.prefix, address=network.address))
        watch = CameraWatch(stack.enter_context(watched_system((camera.config(NAME, transport=transport),), PATIENT)))
        watch.until(lambda: watch.seen)
        network.lose(0.02)
        watch.until(lambda: len(watch.seen[NAME]) > 100)
        assert not watch.aways
        scene = Scene(watch, camera)
        assert scene.lost_and_back(network.pull_cable, network.plug_in)[0] == "stalled"
