"""The README says what is true: its settings table is the settings, and its library example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from kura_dagster.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def settings_table() -> list[str]:
    """The rows that the README should have, one a setting."""
    rows = []
    for name, field in Settings.model_fields.items():
        assert field.default is not PydanticUndefined
        default = "unset" if field.default is None else f"`{field.default}`"
        rows.append(f"| `KURA_{name.upper()}` | {default} | {field.description} |")
    return rows


@pytest.mark.parametrize("row", settings_table(), ids=lambda row: row.split("`")[1])
def test_each_setting_stands_in_the_table_as_it_is(row):
    assert row in README


def test_the_library_example_runs(tmp_path):
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "asyncio.run" in block]
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.match(r"All conversations +60\n", done.stdout)
