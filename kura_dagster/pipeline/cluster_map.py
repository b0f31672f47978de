"""A day's map as a picture: a dot for each conversation under bubbles for the finest clusters, coloured by their root.

The roots' names stand in the map, where none covers another, and the clusters' in a legend beside it, by number: two
dozen of those would leave no room for what they name.

The installed fonts decide which scripts can be drawn: matplotlib brings Latin, Greek, Cyrillic, Arabic and Hebrew, and
`FALLBACK_FONTS` are used where they are there. Emoji and symbols that no font has are left out of a name; where letters
are missing, the cluster's slug stands for its name, and its id where the slug can't be drawn either. Nothing is
transliterated, which reads worse than a slug, and no boxes are drawn.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kura_dagster.pipeline.hierarchy import get_leaf_clusters, get_root_of
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.pipeline.types import Cluster, ProjectedCluster, ProjectedConversation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

NAMED_CLUSTERS = 24
NAMED_ROOTS = 12
MOST_DOTS = 4_000
"""Of more conversations so many are drawn: dots beyond tell nothing more and make a large picture."""

FALLBACK_FONTS = (
    # Chinese, Japanese and Korean: Linux, then macOS, then Windows.
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "NanumGothic",
    "PingFang SC",
    "Hiragino Sans",
    "Hiragino Sans GB",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    # Other scripts, and symbols.
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Armenian",
    "Noto Sans Georgian",
    "Arial Unicode MS",
    "Noto Sans Symbols",
    "Noto Sans Symbols 2",
    "Noto Emoji",
    "Segoe UI Symbol",
)
"""Families that are asked for what matplotlib's own font lacks, in this order, as far as they are installed."""

# In square points; the map has 190,000.
_BUBBLES_AREA, _LEAST_BUBBLE, _LARGEST_BUBBLE = 12_000, 20, 1_500
_NUMBERS_APART = 15  # pixels between the middles of numbers that can both be read

_OUTLIER_COLOUR = "#b8b8b8"
# The name alone may run from right to left: without these marks it would take the number before it along.
_LEFT_TO_RIGHT = "\u200e"
_JOINER, _VARIANT = "\u200d", "\ufe0f"


@contextmanager
def _any_weight_will_do() -> Iterator[None]:
    """Keep matplotlib from logging, for each heading, that a fallback font has no bold."""

    def keep(record: logging.LogRecord) -> bool:
        return "Failed to find font weight" not in record.getMessage()

    logger = logging.getLogger("matplotlib.font_manager")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


@_any_weight_will_do()
def draw_map(clusters: Sequence[ProjectedCluster], conversations: Sequence[ProjectedConversation] = ()) -> bytes:
    """Return a PNG of about 1,100 x 640 pixels, 64 colours to keep it small.

    The area of a bubble is the number of conversations. The largest clusters are numbered and named, by root; the rest
    are drawn without a number. The largest roots' names stand in the map, as far as there is room. Names are text and
    nothing else: a dollar sign begins no formula.

    Args:
        clusters: the hierarchy with its places.
        conversations: theirs, drawn as dots. Of more than `MOST_DOTS` those are drawn whose ids' hashes come first.
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
    fonts = _Fonts()
    if leaves:
        _set_limits(axes, leaves, conversations)
    dots = _some_of(conversations)
    root_of_cluster = {leaf.cluster_id: roots[leaf.cluster_id].cluster_id for leaf in leaves}
    axes.scatter(
        [dot.x_coord for dot in dots],
        [dot.y_coord for dot in dots],
        s=5,
        c=[colours[root_of_cluster[dot.cluster_id]] for dot in dots],
        alpha=0.6,
        linewidths=0,
    )
    scale = _BUBBLES_AREA / max(sum(leaf.count for leaf in leaves), 1)
    bubbles = axes.scatter(
        [leaf.x_coord for leaf in leaves],
        [leaf.y_coord for leaf in leaves],
        s=[min(max(leaf.count * scale, _LEAST_BUBBLE), _LARGEST_BUBBLE) for leaf in leaves],
        c=[colours[roots[leaf.cluster_id].cluster_id] for leaf in leaves],
        alpha=0.45,
        linewidths=0.8,
        edgecolors="white",
    )
    numbers = {
        leaf.cluster_id: number
        for number, leaf in enumerate((each for of_root in by_root.values() for each in of_root), start=1)
    }
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color("#dddddd")
    names = _root_names(leaves, roots, colours, fonts)
    _write_beside(axes, bubbles, [*names, *_write_numbers(axes, named, numbers)], fonts)
    # Last, because finding places draws the figure twice, and the legend has most of its text.
    legend = figure.add_axes((0.57, 0.02, 0.42, 0.96))
    legend.set_axis_off()
    lines: list[tuple[str, str, bool]] = []
    for root_id, members in by_root.items():
        root = roots[members[0].cluster_id]
        if root.cluster_id != members[0].cluster_id:
            lines.append((f"{fonts.marked(fonts.name_of(root, 52))} ({root.count})", colours[root_id], True))
        for leaf in members:
            alone = leaf.parent_id is None  # its own root: it stands as a heading, not under the one before
            name = fonts.marked(fonts.name_of(leaf, 54))
            lines.append((f"{numbers[leaf.cluster_id]:>2}  {name} ({leaf.count})", colours[root_id], alone))
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
            fontfamily=fonts.families,
            va="center",
            parse_math=False,
            transform=legend.transAxes,
        )
    return _small_png(figure)


def _some_of(conversations: Sequence[ProjectedConversation]) -> Sequence[ProjectedConversation]:
    if len(conversations) <= MOST_DOTS:
        return conversations

    def by_hash(row: ProjectedConversation) -> bytes:
        return hashlib.blake2b(row.chat_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()

    return sorted(conversations, key=by_hash)[:MOST_DOTS]


def _set_limits(axes: Axes, leaves: Sequence[ProjectedCluster], conversations: Sequence[ProjectedConversation]) -> None:
    """Show all places, with room around them for names."""
    bubbles, dots = ([(each.x_coord, each.y_coord) for each in some] for some in (leaves, conversations))
    placed = np.array([*bubbles, *dots])
    low, high = placed.min(axis=0), placed.max(axis=0)
    extent = np.where(high > low, high - low, 1.0)
    # A cluster alone would be a small thing among its widely scattered conversations.
    margin = (0.12 if len(leaves) > 1 else 1.0) * extent
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])


@dataclass(frozen=True)
class _Label:
    """A text, and the bubble that it belongs beside."""

    text: str
    of: ProjectedCluster
    colour: str


def _root_names(
    leaves: Sequence[ProjectedCluster],
    roots: Mapping[str, ProjectedCluster],
    colours: Mapping[str, str],
    fonts: _Fonts,
) -> list[_Label]:
    """Return the largest roots' names, largest first, each for the middlemost of its bubbles."""
    leaves_of: dict[str, list[ProjectedCluster]] = {}
    for leaf in leaves:
        if not leaf.is_outlier:
            leaves_of.setdefault(roots[leaf.cluster_id].cluster_id, []).append(leaf)
    by_size = sorted(leaves_of.items(), key=lambda item: (-sum(leaf.count for leaf in item[1]), item[0]))
    return [
        _Label(
            _wrapped(fonts.name_of(roots[members[0].cluster_id], 60), 24), _middlemost(members), _darker(colours[root])
        )
        for root, members in by_size[:NAMED_ROOTS]
    ]


def _write_numbers(axes: Axes, leaves: Sequence[ProjectedCluster], numbers: Mapping[str, int]) -> list[_Label]:
    """Write numbers onto their bubbles, and return those that would cover the number of a larger one."""
    covering: list[_Label] = []
    written: list[tuple[float, float]] = []
    for leaf in leaves:
        text = str(numbers[leaf.cluster_id])
        x, y = axes.transData.transform((leaf.x_coord, leaf.y_coord)).tolist()
        if any(math.dist((x, y), other) < _NUMBERS_APART for other in written):
            covering.append(_Label(text, leaf, "black"))
        else:
            axes.text(leaf.x_coord, leaf.y_coord, text, ha="center", va="center", fontsize=8, fontweight="bold")
            written.append((x, y))
    return covering


def _write_beside(axes: Axes, bubbles: PathCollection, labels: Sequence[_Label], fonts: _Fonts) -> None:
    """Write texts where they cover no bubble and no other text, the first one first; without a place, not at all."""
    if not labels:
        return
    # It takes half a second to import, as matplotlib does.
    import textalloc
    from matplotlib.patheffects import withStroke

    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    inset = 0.01
    textalloc.allocate(
        axes,
        [label.of.x_coord for label in labels],
        [label.of.y_coord for label in labels],
        [label.text for label in labels],
        scatter_plot=bubbles,
        textsize=8,
        fontweight="bold",
        textcolor=[label.colour for label in labels],
        linecolor=[label.colour for label in labels],
        linewidth=0.7,
        max_distance=0.3,
        draw_all=False,
        avoid_label_lines_overlap=True,
        xlims=(left + inset * (right - left), right - inset * (right - left)),
        ylims=(bottom + inset * (top - bottom), top - inset * (top - bottom)),
        fontfamily=fonts.families,
        parse_math=False,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )


def _middlemost(leaves: Sequence[ProjectedCluster]) -> ProjectedCluster:
    """Return the leaf nearest to the mean place of all their conversations."""
    total = sum(leaf.count for leaf in leaves)
    x_mean = sum(leaf.x_coord * leaf.count for leaf in leaves) / total
    y_mean = sum(leaf.y_coord * leaf.count for leaf in leaves) / total
    return min(leaves, key=lambda leaf: (math.hypot(leaf.x_coord - x_mean, leaf.y_coord - y_mean), leaf.cluster_id))


def _wrapped(text: str, columns: int) -> str:
    """Return the text in lines of at most so many columns, broken between words where there are any."""
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for word in text.split(" "):
        for piece in chop_cells(word, columns) if cell_len(word) > columns else [word]:
            if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(piece) <= columns:
                lines[-1] += f" {piece}"
            elif lines[-1]:
                lines.append(piece)
            else:
                lines[-1] = piece
    return "\n".join(lines)


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


class _Fonts:
    """The installed font families that names are drawn with, and the characters they have."""

    def __init__(self) -> None:
        from matplotlib import rcParams
        from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

        installed = {font.name for font in fontManager.ttflist}
        default = FontProperties(family=rcParams["font.family"]).get_name()
        self.families = [default, *(family for family in FALLBACK_FONTS if family in installed and family != default)]
        # A name is drawn in bold or not, and the bold file of a family may have fewer characters.
        self._drawable = frozenset.intersection(
            *(
                frozenset().union(
                    *(
                        get_font(findfont(FontProperties(family=family, weight=weight))).get_charmap()
                        for family in self.families
                    )
                )
                for weight in ("normal", "bold")
            )
        )

    def name_of(self, cluster: Cluster, columns: int) -> str:
        """Return what the picture calls a cluster, at most `columns` wide (ideographs count twice)."""
        for text in (cluster.name, cluster.slug):
            shown = plain_line(text)
            missing = {letter for letter in shown if ord(letter) not in self._drawable}
            if any(letter.isalnum() for letter in missing):
                continue
            if missing:
                missing |= {_JOINER, _VARIANT}  # they held emoji together and would leave gaps
            shown = plain_line("".join(letter for letter in shown if letter not in missing))
            if shown:
                return _shortened(shown, columns)
        return cluster.cluster_id

    def marked(self, name: str) -> str:
        """Return a name that takes nothing of the line it stands in along where it runs from right to left."""
        mark = _LEFT_TO_RIGHT if ord(_LEFT_TO_RIGHT) in self._drawable else ""
        return f"{mark}{name}{mark}"


def _shortened(text: str, columns: int) -> str:
    from rich.cells import cell_len, chop_cells

    if cell_len(text) <= columns:
        return text
    cut = chop_cells(text, columns - 1)[0]
    between_words = cut.rpartition(" ")[0]
    # A long word at the end is cut in the middle rather than lost.
    return (between_words if len(between_words) > len(cut) / 2 else cut).rstrip() + "…"


def _small_png(figure) -> bytes:  # type: ignore[no-untyped-def]
    from PIL import Image

    figure.canvas.draw()
    image = Image.frombuffer("RGBA", figure.canvas.get_width_height(), figure.canvas.buffer_rgba())
    buffer = io.BytesIO()
    # Others give small dots a neighbour's colour, and make a larger file of it.
    colours = image.convert("RGB").quantize(64, method=Image.Quantize.FASTOCTREE)
    colours.save(buffer, format="PNG", compress_level=8)  # 9 takes three times as long for 2% less
    return buffer.getvalue()
