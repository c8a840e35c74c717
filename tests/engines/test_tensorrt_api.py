"""Every name that the two TensorRT files use exists in each version that they serve; and the fake has no others.

`tensorrt_api.json` is the used part of tables that were read from the real bindings.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import tensorrt_build, tensorrt_engine
from tests.engines.fake_cuda import FakeGpu
from tests.engines.fake_tensorrt import fake_tensorrt

TABLES = json.loads(Path(__file__).with_name("tensorrt_api.json").read_text(encoding="utf-8"))
SOURCES = [Path(str(module.__file__)) for module in (tensorrt_build, tensorrt_engine)]
# Which class a name in the two files stands for.
CLASSES = {
    "builder": "Builder",
    "network": "INetworkDefinition",
    "config": "IBuilderConfig",
    "parser": "OnnxParser",
    "profile": "IOptimizationProfile",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "context": "IExecutionContext",
    "_engine": "ICudaEngine",
    "_runtime": "Runtime",
    "_context": "IExecutionContext",
}
RETURNED = {"get_timing_cache": "ITimingCache", "get_error": "ParserError"}
# Functions that serve some versions only.
ONLY = {
    "_with_explicit_batch": {"8.6.1"},
    "_allow_precisions": {"8.6.1"},
    "_strongly_typed": {"10.3.0", "10.16.1", "11.4.0"},
    "_build_watched": {"10.3.0", "10.16.1", "11.4.0"},
}


def _uses(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(class, member) of every use; the module itself is the class "top"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = [base.attr for base in node.bases if isinstance(base, ast.Attribute) and _is_module(base.value)]
            for method in (part for part in node.body if isinstance(part, ast.FunctionDef) and bases):
                if not method.name.startswith("__"):
                    yield bases[0], method.name
        if not isinstance(node, ast.Attribute) or node.attr.startswith("__"):
            continue
        owner = node.value
        if _is_module(owner):
            yield "top", node.attr
        elif isinstance(owner, ast.Attribute) and _is_module(owner.value):
            yield owner.attr, node.attr
        elif isinstance(owner, ast.Name) and owner.id in CLASSES:
            yield CLASSES[owner.id], node.attr
        elif isinstance(owner, ast.Attribute) and owner.attr in CLASSES:
            yield CLASSES[owner.attr], node.attr
        elif isinstance(owner, ast.Call) and isinstance(owner.func, ast.Attribute) and owner.func.attr in RETURNED:
            yield RETURNED[owner.func.attr], node.attr


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "trt"


def _missing(source: str, version: str) -> list[str]:
    tree = ast.parse(source)
    tree.body = [
        part
        for part in tree.body
        if not (isinstance(part, ast.FunctionDef) and version not in ONLY.get(part.name, {version}))
    ]
    table = TABLES[version]
    return [f"{kind}.{member}" for kind, member in _uses(tree) if member not in table.get(kind, [])]


@pytest.mark.parametrize("version", TABLES)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_name_exists_in_every_version(version: str, source: Path) -> None:
    assert _missing(source.read_text(encoding="utf-8"), version) == []


def test_uses_are_found() -> None:
    names = {f"{kind}.{member}" for path in SOURCES for kind, member in _uses(ast.parse(path.read_text("utf-8")))}
    assert {
        "top.Runtime",
        "Builder.build_serialized_network",
        "BuilderFlag.TF32",
        "IBuilderConfig.set_timing_cache",
        "IExecutionContext.execute_async_v3",
        "IProgressMonitor.step_complete",
        "ITimingCache.serialize",
        "ParserError.desc",
        "ILogger.log",
    } <= names


@pytest.mark.parametrize(
    ("wrong", "version", "missing"),
    [
        ("import tensorrt as trt\ntrt.BuilderFlag.FP16", "11.4.0", "BuilderFlag.FP16"),
        ("import tensorrt as trt\ntrt.IProgressMonitor", "8.6.1", "top.IProgressMonitor"),
        ("context.execute_async_v2(1)", "10.3.0", "IExecutionContext.execute_async_v2"),
        ("config.max_workspace_size = 1", "10.3.0", "IBuilderConfig.max_workspace_size"),
    ],
)
def test_a_name_that_is_gone_is_noticed(wrong: str, version: str, missing: str) -> None:
    assert missing in _missing(wrong, version)


@pytest.mark.parametrize("version", TABLES)
def test_the_fake_has_no_names_that_the_real_one_lacks(version: str) -> None:
    module = fake_tensorrt(version, FakeGpu())
    for kind, members in TABLES[version].items():
        if kind == "top" or kind not in TABLES[version]["top"]:
            continue
        offered = {name for name in vars(getattr(module, kind)) if not name.startswith("_")}
        assert offered <= set(members), f"{kind}: {offered - set(members)}"
    top = {name for name in vars(module) if not name.startswith("_")} - {"built"}
    assert top <= set(TABLES[version]["top"])
