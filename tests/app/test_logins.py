"""Logins of cameras beside the settings they belong to."""

from __future__ import annotations

import pickle

from app import settings


def test_settings_with_logins_reach_a_process_that_is_spawned() -> None:
    chosen = settings.load({"CAMERA_USER": "ann", "CAMERA_PASSWORD": "a b"})
    assert pickle.loads(pickle.dumps(chosen)) == chosen
