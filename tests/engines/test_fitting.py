from __future__ import annotations

from pathlib import Path

import pytest

from checkpoints.errors import SettingsError
from engines import backends, fitting
from engines.options import Backend

AVX2 = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu sse sse2 avx avx2 avx_vnni\n"


@pytest.mark.parametrize(
    ("cpuinfo", "precision"),
    [
        (AVX2, "int8"),
        (AVX2.replace("avx_vnni", "avx512f avx512_bf16 avx512_vnni"), "int8"),
        ("processor : 0\nFeatures\t: fp asimd fphp asimdhp\n", "fp16"),
        ("processor : 0\nFeatures\t: fp asimd\n", "int8"),
        ("nothing of the kind\n", "int8"),
    ],
)
def test_int8_but_on_arm_processors_with_sixteen_bits(cpuinfo: str, precision: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    assert fitting.precision("openvino", tmp_path / "cpuinfo") == precision


def test_a_gpu_runs_int8_whatever_the_processor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(backends, "choose", lambda backend: "tensorrt")
    (tmp_path / "cpuinfo").write_text("Features : asimdhp\n")
    assert fitting.precision("auto", tmp_path / "cpuinfo") == "int8"


def test_a_backend_that_is_not_here_is_complained_of_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(backend: Backend) -> str:
        raise SettingsError(f"no {backend}")

    monkeypatch.setattr(backends, "choose", refuse)
    assert fitting.precision("tensorrt") == "fp16"
