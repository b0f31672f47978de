"""A day's map as a picture: bubbles for the finest clusters, coloured by their root, numbered, with a legend.

Names stand in the legend and not beside the bubbles, where two dozen of them would cover each other.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence

from kura_dagster.pipeline.hierarchy import get_leaf_clusters, get_root_of
from kura_dagster.pipeline.types import ProjectedCluster

NAMED_CLUSTERS = 24
_OUTLIER_COLOUR = "#b8b8b8"


def draw_map(clusters: Sequence[ProjectedCluster]) -> bytes:
    """Return a PNG of about 1,100 x 640 pixels, 64 colours to keep it small.

    The area of a bubble is the number of conversations. The largest clusters are numbered and named, by root; the rest
    are drawn without a number.
    """
    # matplotlib takes half a second to import, and a code location that only loads does not draw.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    leaves = sorted(get_leaf_clusters(list(clusters)), key=lambda cluster: (-cluster.count, cluster.cluster_id))
    roots = get_root_of(list(clusters))
    named = leaves[:NAMED_CLUSTERS]
    by_root: dict[str, list[ProjectedCluster]] = {}
    for leaf in named:
        by_root.setdefault(roots[leaf.cluster_id].cluster_id, []).append(leaf)
    colours = _colours({roots[leaf.cluster_id].cluster_id: leaf.is_outlier for leaf in leaves})

    figure = Figure(figsize=(11, 6.4), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.01, 0.02, 0.55, 0.96))
    largest = max((leaf.count for leaf in leaves), default=1)
    axes.scatter(
        [leaf.x_coord for leaf in leaves],
        [leaf.y_coord for leaf in leaves],
        s=[120 + 1400 * leaf.count / largest for leaf in leaves],
        c=[colours[roots[leaf.cluster_id].cluster_id] for leaf in leaves],
        alpha=0.75,
        linewidths=0.8,
        edgecolors="white",
    )
    legend = figure.add_axes((0.57, 0.02, 0.42, 0.96))
    legend.set_axis_off()
    lines: list[tuple[str, str, bool]] = []
    number = 0
    for root_id, members in by_root.items():
        root = roots[members[0].cluster_id]
        if root.cluster_id != members[0].cluster_id:
            lines.append((f"{_plain(root.name, 52)} ({root.count})", colours[root_id], True))
        for leaf in members:
            number += 1
            axes.annotate(
                str(number), (leaf.x_coord, leaf.y_coord), ha="center", va="center", fontsize=9, fontweight="bold"
            )
            alone = leaf.parent_id is None  # its own root: it stands as a heading, not under the one before
            lines.append((f"{number:>2}  {_plain(leaf.name, 54)} ({leaf.count})", colours[root_id], alone))
    if len(leaves) > len(named):
        lines.append((f"and {len(leaves) - len(named)} smaller clusters", "#555555", False))
    height = 1 / max(len(lines), 22)
    for position, (text, colour, heading) in enumerate(lines):
        legend.text(
            0 if heading else 0.02,
            1 - (position + 0.5) * height,
            text,
            color=_darker(colour) if heading else "#222222",
            fontsize=9 if len(lines) <= 30 else 8,
            fontweight="bold" if heading else "normal",
            va="center",
            parse_math=False,
            transform=legend.transAxes,
        )
    axes.margins(0.12)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color("#dddddd")
    return _small_png(figure)


def _colours(is_outlier_by_root: dict[str, bool]) -> dict[str, str]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    palette = [to_hex(colour) for name in ("tab10", "Dark2") for colour in colormaps[name].colors]  # type: ignore[attr-defined]
    palette.remove("#7f7f7f")
    return {
        root_id: _OUTLIER_COLOUR if is_outlier else palette[position % len(palette)]
        for position, (root_id, is_outlier) in enumerate(is_outlier_by_root.items())
    }


def _darker(colour: str) -> str:
    """The colour with a third less light: the bubbles' own is too pale to read as text."""
    red, green, blue = (int(int(colour[start : start + 2], 16) * 0.67) for start in (1, 3, 5))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _plain(name: str, width: int) -> str:
    return textwrap.shorten("".join(letter for letter in name if letter.isprintable()), width, placeholder="…")


def _small_png(figure) -> bytes:  # type: ignore[no-untyped-def]
    from PIL import Image

    figure.canvas.draw()
    image = Image.frombuffer("RGBA", figure.canvas.get_width_height(), figure.canvas.buffer_rgba())
    buffer = io.BytesIO()
    image.convert("RGB").quantize(64).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
