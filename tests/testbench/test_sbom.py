"""The lock files pin what pyproject.toml asks for, each with hashes; the bill of materials lists all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from testbench.sbom import LOCK, bill, pinned

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["run", "dev"])
def test_every_package_that_is_asked_for_is_pinned_to_a_version_that_fits(name: str) -> None:
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    asked += PROJECT["project"]["optional-dependencies"]["dev"] if name == "dev" else []
    versions: dict[str, list[str]] = {}
    for one in pinned(LOCK.with_name(f"{name}.txt")):
        versions.setdefault(canonicalize_name(one.name), []).append(one.version)
    for text in asked:
        wanted = Requirement(text)
        found = versions.get(canonicalize_name(wanted.name), [])
        assert found, f"{text} is not in requirements/{name}.txt: make it anew, as its first lines say"
        assert all(wanted.specifier.contains(one) for one in found), f"{text}: {found}"


def test_tests_run_with_what_the_program_runs_with() -> None:
    run = {(one.name, one.version) for one in pinned(LOCK)}
    assert run <= {(one.name, one.version) for one in pinned(LOCK.with_name("dev.txt"))}


def test_a_line_without_a_hash_or_a_version_is_refused(tmp_path: Path) -> None:
    for line in ("numpy==2.0", "numpy>=2 --hash=sha256:" + "0" * 64, "-e ."):
        lock = tmp_path / "lock.txt"
        lock.write_text(f"# a comment\n\n{line}\n")
        with pytest.raises(ValueError, match="no version or no hash"):
            list(pinned(lock))


def test_the_bill_lists_packages_and_models_and_is_always_the_same() -> None:
    made = bill()
    packages = {one["name"] for one in made["components"] if one["type"] == "library"}
    models = {one["name"]: one for one in made["components"] if one["type"] == "machine-learning-model"}
    assert {"cryptography", "openvino", "fastapi"} <= packages
    assert models["sface.onnx"]["licenses"] == [{"license": {"name": "Apache-2.0"}}]
    assert all(one["hashes"][0]["content"] for one in models.values())
    references = [(one["bom-ref"], json.dumps(one.get("properties"))) for one in made["components"]]
    assert len(set(references)) == len(references)
    said = subprocess.run(
        [sys.executable, "-m", "testbench.sbom"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(said) == made


@pytest.mark.slow
def test_pip_takes_the_lock_file_as_it_is(tmp_path: Path) -> None:
    """It reads every line and finds a file with one of its hashes for what is installed here already."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--require-hashes", "--quiet"]
    done = subprocess.run([*command, "-r", str(LOCK)], capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stderr or "connection" in done.stderr.lower():
        pytest.skip("the package index is out of reach")
    assert done.returncode == 0, done.stderr
