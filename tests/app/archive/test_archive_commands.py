"""index and find, as far as they need neither engines nor Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import settings
from app.archive.commands import ray_key
from app.commands import main
from app.fleet import keys
from checkpoints.errors import OutputError


def test_a_cluster_is_asked_with_its_key_and_this_machine_alone_with_one_of_this_run(tmp_path: Path) -> None:
    here = settings.load({"DATA_DIR": str(tmp_path)})
    with pytest.raises(OutputError, match="key of the cluster"):
        ray_key(here, "10.0.0.1:6379")
    made = keys.kept(tmp_path / "fleet", keys.CLUSTER)
    assert ray_key(here, "10.0.0.1:6379") == made
    said = settings.load({"DATA_DIR": str(tmp_path), "FLEET_KEY": "x" * 16})
    assert ray_key(said, "10.0.0.1:6379") == said.fleet.key
    alone = {ray_key(said, None) for _ in range(2)}
    assert len(alone) == 2
    assert said.fleet.key not in alone


@pytest.mark.parametrize("limit", ["-1", "0", "10001", "many"])
def test_a_limit_that_is_none_is_told(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", "ada.jpg", "--limit", limit]) == 2
    assert "valid are 1 to 10000" in capsys.readouterr().err
