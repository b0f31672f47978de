"""The pipeline as a library: what it exports, what importing it costs, and the example of its docstring."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import kura_dagster.pipeline
from kura_dagster_tests import rows

HEAVY = {"sklearn", "scipy", "umap", "numba", "hdbscan", "onnxruntime", "onnx", "tokenizers", "openai", "instructor"}
FRAMEWORKS = {"dagster", "duckdb"}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("name", kura_dagster.pipeline.__all__)
def test_every_exported_name_resolves(name: str) -> None:
    exported = getattr(kura_dagster.pipeline, name)
    assert exported.__name__ == name
    assert exported.__doc__


def test_type_checkers_are_told_the_same_names() -> None:
    tree = ast.parse(inspect.getsource(kura_dagster.pipeline))
    imported = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {
        name: f"kura_dagster.pipeline.{module}" for name, module in kura_dagster.pipeline._MODULE_OF.items()
    }


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'KmeansClusteringMethod'"):
        kura_dagster.pipeline.KmeansClusteringMethod  # noqa: B018
    assert "HDBUMAP" in dir(kura_dagster.pipeline)


def test_importing_the_package_loads_nothing() -> None:
    assert not loaded_by("import kura_dagster.pipeline") & (HEAVY | FRAMEWORKS | {"numpy", "pydantic"})


def test_every_name_can_be_imported_without_the_models_libraries_or_a_framework() -> None:
    assert not loaded_by("from kura_dagster.pipeline import *") & (HEAVY | FRAMEWORKS)


def test_the_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documentation = kura_dagster.pipeline.__doc__ or ""
    example = "\n".join(line for line in documentation.splitlines() if line.startswith("    ") or not line.strip())
    requests = ["reset my password", "change the address on my invoice", "book a table for two", "fix a Python error"]
    conversations = [rows.conversation(n, f"Hello, how can I {requests[n % 4]}? I tried {n} times.") for n in range(40)]
    namespace: dict[str, Any] = {"conversations": conversations}
    exec(compile(textwrap.dedent(example), "example", "exec"), namespace)
    projected = namespace["projected"]
    assert isinstance(projected, list)
    assert {chat_id for cluster in projected for chat_id in cluster.chat_ids} == {c.chat_id for c in conversations}
    assert kura_dagster.pipeline.check_tree(projected) == []
    assert "All conversations (40)" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "clusters.jsonl",
        "dimensionality.jsonl",
        "meta_clusters.jsonl",
        "summaries.jsonl",
    ]
