"""A day's map as a picture: bubbles for the finest clusters, coloured by their root, numbered, with a legend.

Names stand in the legend and not beside the bubbles, where two dozen of them would cover each other.

The installed fonts decide which scripts can be drawn: matplotlib brings Latin, Greek, Cyrillic, Arabic and Hebrew, and
`FALLBACK_FONTS` are used where they are there. Emoji and symbols that no font has are left out of a name; where letters
are missing, the cluster's slug stands for its name, and its id where the slug can't be drawn either. Nothing is
transliterated, which reads worse than a slug, and no boxes are drawn.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kura_dagster.pipeline.hierarchy import get_leaf_clusters, get_root_of
from kura_dagster.pipeline.plain_text import plain_line
from kura_dagster.pipeline.types import Cluster, ProjectedCluster

NAMED_CLUSTERS = 24

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
def draw_map(clusters: Sequence[ProjectedCluster]) -> bytes:
    """Return a PNG of about 1,100 x 640 pixels, 64 colours to keep it small.

    The area of a bubble is the number of conversations. The largest clusters are numbered and named, by root; the rest
    are drawn without a number. Names are text and nothing else: a dollar sign begins no formula.
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
            lines.append((f"{fonts.name_of(root, 52)} ({root.count})", colours[root_id], True))
        for leaf in members:
            number += 1
            axes.annotate(
                str(number), (leaf.x_coord, leaf.y_coord), ha="center", va="center", fontsize=9, fontweight="bold"
            )
            alone = leaf.parent_id is None  # its own root: it stands as a heading, not under the one before
            lines.append((f"{number:>2}  {fonts.name_of(leaf, 54)} ({leaf.count})", colours[root_id], alone))
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
        """Return what the legend calls a cluster, at most `columns` wide (ideographs count twice)."""
        mark = _LEFT_TO_RIGHT if ord(_LEFT_TO_RIGHT) in self._drawable else ""
        for text in (cluster.name, cluster.slug):
            shown = plain_line(text)
            missing = {letter for letter in shown if ord(letter) not in self._drawable}
            if any(letter.isalnum() for letter in missing):
                continue
            if missing:
                missing |= {_JOINER, _VARIANT}  # they held emoji together and would leave gaps
            shown = plain_line("".join(letter for letter in shown if letter not in missing))
            if shown:
                return f"{mark}{_shortened(shown, columns)}{mark}"
        return cluster.cluster_id


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
    image.convert("RGB").quantize(64).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
