"""The hierarchy as text: for the terminal in Kura's three styles, and as Markdown for the Dagster UI.

Names and descriptions come from conversations, so nothing in them may steer the terminal, Rich or a browser: see
`plain_text`, `_rich_text` and `_markdown_text`. The map as a picture is `cluster_map`'s work.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kura_dagster.pipeline.hierarchy import get_children_by_parent, get_leaf_clusters, get_levels, get_root_clusters
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.pipeline.types import Cluster

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# rich is imported where it is used: a code location, which only needs the Markdown, does without it.

_BAR_WIDTH = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEAST_ROOM = 20
_NO_CLUSTERS = "No clusters."
_TITLE = "All conversations"
_LEVEL_COLORS = ("bright_green", "bright_yellow", "bright_magenta", "bright_blue", "bright_cyan")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:@])")


def visualise_clusters(clusters: Sequence[Cluster], *, console: Console | None = None) -> None:
    """Print the hierarchy with the numbers of conversations, as `render_tree` returns it, as wide as the terminal."""
    _print(render_tree(clusters, width=_width_of(console)), console)


def visualise_clusters_enhanced(clusters: Sequence[Cluster], *, console: Console | None = None) -> None:
    """Print the hierarchy with shares, bars, descriptions and statistics, as `render_tree_enhanced` returns it."""
    _print(render_tree_enhanced(clusters, width=_width_of(console)), console)


def visualise_clusters_rich(clusters: Sequence[Cluster], *, console: Console | None = None) -> None:
    """Print the hierarchy in colour, with a table of statistics and one of the sizes of roots.

    Args:
        clusters: the hierarchy.
        console: where to print; None means standard output.

    Raises:
        HierarchyError: a parent is missing.
    """
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

    console = console or Console()
    branches = list(_branches(clusters))
    total = _total(clusters)
    console.print(Panel(Text(f"{_TITLE}: {total:,}", justify="center", style="bold bright_cyan"), style="bright_cyan"))
    if not branches:
        console.print(Text(_NO_CLUSTERS))
        return
    digits = max(len(f"{branch.cluster.count:,}") for branch in branches)
    # The path of tree nodes from the top to the latest cluster.
    path = [Tree(Text("Clusters", style="bold bright_cyan"))]
    for branch in branches:
        del path[branch.level + 1 :]
        path.append(path[-1].add(_rich_text(branch, total, digits)))
    console.print(path[0])

    statistics = Table(title="Statistics")
    statistics.add_column("Figure")
    statistics.add_column("Value", justify="right")
    for figure, value in _statistics(clusters):
        statistics.add_row(figure, value)
    sizes = Table(title="Sizes of the top level")
    sizes.add_column("Conversations")
    sizes.add_column("Clusters", justify="right")
    counts = [cluster.count for cluster in get_root_clusters(clusters)]
    for label, least, most in (("over 100", 101, None), ("21 to 100", 21, 100), ("6 to 20", 6, 20), ("up to 5", 0, 5)):
        sizes.add_row(label, f"{sum(least <= count and (most is None or count <= most) for count in counts):,}")
    console.print(statistics, sizes)


def visualise_pipeline_results(
    clusters: Sequence[Cluster], *, style: str = "enhanced", console: Console | None = None
) -> None:
    """Print the hierarchy in one of the styles `basic`, `enhanced` and `rich`.

    Raises:
        ValueError: an unknown style.
        HierarchyError: a parent is missing.
    """
    styles = {
        "basic": visualise_clusters,
        "enhanced": visualise_clusters_enhanced,
        "rich": visualise_clusters_rich,
    }
    if style not in styles:
        raise ValueError(f"style is {style!r}; allowed are {', '.join(styles)}")
    styles[style](clusters, console=console)


def render_tree(clusters: Sequence[Cluster], *, width: int | None = None) -> str:
    """Return the hierarchy with names on the left and numbers of conversations in a column on the right.

    The largest comes first, ties go by name.

    Args:
        clusters: the hierarchy.
        width: columns of the terminal; longer names go on in the next line. None means a line a cluster.

    Raises:
        HierarchyError: a parent is missing.
    """
    from rich.cells import cell_len

    branches = list(_branches(clusters))
    if not branches:
        return _NO_CLUSTERS
    total = f"{_total(clusters):,}"
    counts = [f"{branch.cluster.count:,}" for branch in branches]
    digits = max(len(count) for count in [total, *counts])
    room = None if width is None else width - digits - 2
    names = [
        _wrapped(plain_line(branch.cluster.name), None if room is None else room - cell_len(branch.stem))
        for branch in branches
    ]
    column = max(
        [
            len(_TITLE),
            *(
                cell_len(branch.stem) + cell_len(line)
                for branch, name in zip(branches, names, strict=True)
                for line in name
            ),
        ]
    )
    lines = [f"{_TITLE:<{column}}  {total:>{digits}}"]
    for branch, (first, *rest), count in zip(branches, names, counts, strict=True):
        gap = " " * (column - cell_len(branch.stem) - cell_len(first))
        lines.append(f"{branch.stem}{first}{gap}  {count:>{digits}}")
        lines += [f"{branch.below}{line}" for line in rest]
    return "\n".join(lines)


def render_tree_enhanced(clusters: Sequence[Cluster], *, width: int | None = None) -> str:
    """Return the hierarchy with each cluster's share, bar and description, and statistics below.

    Args:
        clusters: the hierarchy.
        width: columns of the terminal; longer names and descriptions go on in the next line. None means no limit.

    Raises:
        HierarchyError: a parent is missing.
    """
    from rich.cells import cell_len

    total = _total(clusters)
    branches = list(_branches(clusters))
    if not branches:
        return _NO_CLUSTERS
    digits = max(len(f"{branch.cluster.count:,}") for branch in branches)
    lines = [f"{_TITLE} ({total:,})"]
    for branch in branches:
        room = None if width is None else width - cell_len(branch.below)
        first, *rest = _wrapped(plain_line(branch.cluster.name), room)
        lines.append(f"{branch.stem}{first}")
        lines += [f"{branch.below}{line}" for line in rest]
        lines.append(f"{branch.below}{_bar(branch.cluster, total)} {_figures(branch, total, digits)}")
        if description := plain_line(branch.cluster.description):
            lines += [f"{branch.below}{line}" for line in _wrapped(description, room)]
    widest = max(len(figure) for figure, _ in _statistics(clusters))
    return "\n".join([*lines, "", *(f"{figure:<{widest}}  {value}" for figure, value in _statistics(clusters))])


def render_markdown(clusters: Sequence[Cluster]) -> str:
    """Return the hierarchy as a nested Markdown list with bold names, counts, shares and descriptions.

    Raises:
        HierarchyError: a parent is missing.
    """
    total = _total(clusters)
    lines = []
    for branch in _branches(clusters):
        description = _markdown_text(branch.cluster.description)
        lines.append(
            f"{'  ' * branch.level}- **{_markdown_text(branch.cluster.name)}** "
            f"({_counted(branch)}, {_share(branch.cluster, total)}){': ' + description if description else ''}"
        )
    return "\n".join(lines) if lines else _NO_CLUSTERS


class _Branch(NamedTuple):
    """A cluster and its place in the drawing: the lines before its name, and those before what stands below it."""

    cluster: Cluster
    level: int
    stem: str
    below: str


def _branches(clusters: Sequence[Cluster]) -> Iterator[_Branch]:
    """Yield the clusters from the top down, each followed by its children, largest first, then by name and id."""
    get_levels(clusters)  # a missing parent or a circle would drop clusters in silence
    children = {
        parent_id: sorted(own, key=lambda cluster: (-cluster.count, cluster.name, cluster.cluster_id))
        for parent_id, own in get_children_by_parent(clusters).items()
    }
    # A stack and no recursion, for hierarchies deeper than Python's stack.
    waiting: list[tuple[Cluster, int, str, bool]] = []

    def push(own: list[Cluster], level: int, trunk: str) -> None:
        waiting.extend((cluster, level, trunk, cluster is own[-1]) for cluster in reversed(own))

    push(children.get(None, []), 0, "")
    while waiting:
        cluster, level, trunk, is_last = waiting.pop()
        below = trunk + ("    " if is_last else "║   ")
        yield _Branch(cluster, level, trunk + ("╚══ " if is_last else "╠══ "), below)
        push(children.get(cluster.cluster_id, []), level + 1, below)


def _total(clusters: Sequence[Cluster]) -> int:
    """Return how many conversations the hierarchy holds."""
    return len({chat_id for cluster in get_root_clusters(clusters) for chat_id in cluster.chat_ids})


def _statistics(clusters: Sequence[Cluster]) -> list[tuple[str, str]]:
    roots, leaves = get_root_clusters(clusters), get_leaf_clusters(clusters)
    total = _total(clusters)
    return [
        ("Conversations", f"{total:,}"),
        ("Clusters", f"{len(clusters):,}"),
        ("Clusters at the top", f"{len(roots):,}"),
        ("Clusters at the bottom", f"{len(leaves):,}"),
        ("Levels", f"{max(get_levels(clusters).values()) + 1:,}"),
        ("Conversations per cluster at the top", f"{total / len(roots):,.1f}"),
    ]


def _counted(branch: _Branch) -> str:
    return f"{branch.cluster.count:,} conversation{'' if branch.cluster.count == 1 else 's'}"


def _share(cluster: Cluster, total: int) -> str:
    return f"{cluster.count / total if total else 0:.1%}"


def _figures(branch: _Branch, total: int, digits: int) -> str:
    """Return share and count, each right-aligned so that siblings' stand below each other."""
    number, _, noun = _counted(branch).partition(" ")
    return f"{_share(branch.cluster, total):>6}  {number:>{digits}} {noun}"


def _bar(cluster: Cluster, total: int) -> str:
    """Return the share as a bar, exact to an eighth of a character; some of it shows of any share but none."""
    eighths = round(8 * _BAR_WIDTH * cluster.count / total) if total else 0
    if 0 < cluster.count < total:
        eighths = min(max(eighths, 1), 8 * _BAR_WIDTH - 1)
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[part] if part else "")).ljust(_BAR_WIDTH, "░")


def _wrapped(text: str, room: int | None) -> list[str]:
    """Return the text in lines of at most `room` terminal columns, broken between words where there are any."""
    from rich.cells import cell_len, chop_cells

    if room is None:
        return [text]
    room = max(room, _LEAST_ROOM)
    lines = [""]
    for word in text.split():
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) <= room:
            lines[-1] += f" {word}"
        else:
            # Scripts without spaces and long addresses are cut wherever the line ends.
            lines += chop_cells(word, room)
    return lines[1:] or lines


def _width_of(console: Console | None) -> int | None:
    """Return the columns to keep to: a terminal's; a file or a pipe has no width."""
    if console is not None:
        return console.width if console.is_terminal else None
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _print(text: str, console: Console | None) -> None:
    if console is None:
        print(text)
    else:
        # Neither wrapped again, which would break the lines of the tree, nor read as markup.
        console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _rich_text(branch: _Branch, total: int, digits: int) -> Text:
    # Text is never read as markup, unlike a string.
    from rich.text import Text

    color = _LEVEL_COLORS[branch.level % len(_LEVEL_COLORS)]
    text = Text.assemble(
        (plain_line(branch.cluster.name), f"bold {color}"),
        (f"\n{_bar(branch.cluster, total)}", color),
        (f" {_figures(branch, total, digits)}", "dim"),
    )
    if description := plain_line(branch.cluster.description):
        text.append(f"\n{description}", style="italic dim")
    return text


def _markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no link."""
    escaped = _MARKDOWN_SPECIAL.sub(r"\\\1", plain_line(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
