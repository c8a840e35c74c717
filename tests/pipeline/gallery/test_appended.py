from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.gallery.appended import Appended
from tests.pipeline.gallery.full_disk import full


@pytest.mark.parametrize("left", [0, 1, 5])
def test_what_does_not_fit_is_not_there_at_all(tmp_path: Path, left: int) -> None:
    file = Appended(tmp_path / "a")
    file.append(b"one", sync=True)
    with full(tmp_path / "a", left), pytest.raises(OSError, match="large"):
        file.append(b"refused", sync=True)
    assert (tmp_path / "a").read_bytes() == b"one"
    file.append(b"two", sync=False)
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert file.size == 6
    file.close()


def test_what_could_not_be_cut_off_at_once_is_cut_off_before_the_next_entry(tmp_path: Path) -> None:
    file = Appended(tmp_path / "a")
    file.append(b"one", sync=True)

    def stays(_size: int, **_: Any) -> None:
        raise OSError("a disk that fails")

    file.cut = stays  # type: ignore[method-assign]
    with full(tmp_path / "a", 2), pytest.raises(OSError, match="fails"):
        file.append(b"refused", sync=True)
    with pytest.raises(OSError, match="fails"):
        file.append(b"nor this", sync=True)
    del file.cut
    assert (tmp_path / "a").read_bytes() == b"onere"
    file.append(b"two", sync=True)
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    file.close()
