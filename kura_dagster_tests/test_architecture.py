"""Who may import whom, as docs/architecture.md says it; imports inside of functions count as well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kura_dagster

PACKAGE = Path(kura_dagster.__file__).parent
GUIDE = PACKAGE.parent / "docs" / "architecture.md"

FLOORS = (
    {"kura_dagster.pipeline.types", "kura_dagster.pipeline.plain_text", "kura_dagster.pipeline.prices"},
    {"kura_dagster.settings"},
    {"kura_dagster.pipeline"},
    {"kura_dagster.storage", "kura_dagster.sample"},
    {"kura_dagster.orchestration"},
    {"kura_dagster.cli", "kura_dagster.definitions"},
)
"""From the ground up: a module imports from its own floor's room and from lower floors."""

ONLY = {
    "duckdb": ("kura_dagster.storage",),
    "dagster": (
        "kura_dagster.storage.io_manager",
        "kura_dagster.storage.materialisations",
        "kura_dagster.orchestration",
        "kura_dagster.cli",
    ),
}
"""Which rooms may import a library at all."""


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(module: str) -> Iterator[str]:
    """Yield what a module imports, down to modules where the name is one; without what only the type checker sees."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def floor_and_room(module: str) -> tuple[int, str]:
    for floor, rooms in enumerate(FLOORS):
        for room in rooms:
            # Single modules of the ground floor stand in the pipeline's folder.
            if module == room or (room not in FLOORS[0] and is_in(module, room)):
                return floor, room
    raise AssertionError(f"{module} is in no room of docs/architecture.md")


@pytest.mark.parametrize("module", [name for name in MODULES if name != "kura_dagster"])
def test_imports_run_down(module: str) -> None:
    floor, room = floor_and_room(module)
    for imported in imports(module):
        if not is_in(imported, "kura_dagster") or imported == "kura_dagster":
            continue
        other_floor, other_room = floor_and_room(imported)
        assert other_floor < floor or other_room == room, f"{module} imports {imported}"


@pytest.mark.parametrize(("library", "rooms"), ONLY.items())
def test_only_some_rooms_know(library: str, rooms: tuple[str, ...]) -> None:
    importing = [name for name in MODULES if any(is_in(imported, library) for imported in imports(name))]
    assert importing
    assert not [name for name in importing if not any(is_in(name, room) for room in rooms)]


def test_no_imports_go_in_circles_between_the_rooms_of_the_pipeline() -> None:
    """A room is a folder or a module of `kura_dagster/pipeline`."""

    def room_of(module: str) -> str:
        return ".".join(module.split(".")[:3])

    below: dict[str, set[str]] = {}
    for module in MODULES:
        if is_in(module, "kura_dagster.pipeline") and module != "kura_dagster.pipeline":
            others = {room_of(other) for other in imports(module) if other.startswith("kura_dagster.pipeline.")}
            below.setdefault(room_of(module), set()).update(others - {room_of(module)})
    left = dict(below)
    while left:
        free = [room for room, others in left.items() if not others & left.keys()]
        assert free, f"these rooms import each other in a circle: {sorted(left)}"
        for room in free:
            del left[room]


def test_the_pipeline_names_no_other_room() -> None:
    for module, path in MODULES.items():
        if is_in(module, "kura_dagster.pipeline"):
            found = re.search(r"kura_dagster\.(?:storage|orchestration|cli|sample)\b", path.read_text(encoding="utf-8"))
            assert found is None, f"{module} names {found and found[0]}"


def test_the_guide_names_each_room() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for rooms in FLOORS:
        for room in rooms:
            assert f"`{room.removeprefix('kura_dagster.').replace('.', '/')}" in text, f"{room} is not in {GUIDE.name}"
    for folder in sorted(path.name for path in (PACKAGE / "pipeline").iterdir() if (path / "__init__.py").exists()):
        assert f"`pipeline/{folder}/`" in text, f"pipeline/{folder} is not in {GUIDE.name}"
