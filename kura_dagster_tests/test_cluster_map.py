"""The map as a picture: what is drawn, in which fonts, and with hostile text in it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from kura_dagster.pipeline.cluster_map import FALLBACK_FONTS, MOST_DOTS, NAMED_CLUSTERS, NAMED_ROOTS, draw_map
from kura_dagster.pipeline.types import ProjectedCluster, ProjectedConversation

CHINESE = "重置密码"


def leaf(number: int, name: str, slug: str = "plan_a_trip", count: int = 5, **fields: object) -> ProjectedCluster:
    return ProjectedCluster.model_validate(
        {
            "id": f"{number:016x}",
            "name": name,
            "description": "",
            "slug": slug,
            "chat_ids": [f"{number}-{chat}" for chat in range(count)],
            "x_coord": float(number % 5),
            "y_coord": float(number // 5),
            "level": 0,
        }
        | fields
    )


@dataclass(frozen=True)
class Drawn:
    """The texts of a map as they were drawn, and the boxes of those that are not in the legend, in pixels."""

    legend: list[str]
    on_map: list[str]
    boxes: list[Bbox]
    picture: Image.Image

    @property
    def names(self) -> list[str]:
        """What stands on the map beside the clusters' numbers."""
        return [text for text in self.on_map if not (text.isdigit() and len(text) < 3)]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[..., Drawn]:
    """Draw a map without a warning, logged or not."""
    texts: list[Text] = []
    real = Axes.text

    def recorded(self: Axes, *arguments: Any, **options: Any) -> Text:
        texts.append(real(self, *arguments, **options))
        return texts[-1]

    monkeypatch.setattr(Axes, "text", recorded)

    def drawn(clusters: list[ProjectedCluster], conversations: Sequence[ProjectedConversation] = ()) -> Drawn:
        texts.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            picture = Image.open(io.BytesIO(draw_map(clusters, conversations)))
        assert picture.format == "PNG"
        assert caplog.messages == []
        left = [text for text in texts if text.axes is not None]  # those that were only measured are taken away again
        on_map = [text for text in left if text.axes.axison]
        assert not any(text.get_parse_math() for text in left if text.get_text().strip("0123456789"))
        return Drawn(
            [text.get_text().replace("\u200e", "") for text in left if not text.axes.axison],
            [text.get_text() for text in on_map],
            [text.get_window_extent() for text in on_map],
            picture,
        )

    return drawn


@pytest.fixture
def legend(draw: Callable[..., Drawn]) -> Callable[[list[ProjectedCluster]], list[str]]:
    return lambda clusters: draw(clusters).legend


@pytest.fixture
def chinese_font(tmp_path: Path) -> Iterator[None]:
    """Install, for one test, a font of a fallback family that has the four characters of `CHINESE` as full boxes."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from matplotlib.font_manager import fontManager

    pen = TTGlyphPen(None)
    for move, corner in (
        (pen.moveTo, (0, 0)),
        (pen.lineTo, (0, 900)),
        (pen.lineTo, (900, 900)),
        (pen.lineTo, (900, 0)),
    ):
        move(corner)
    pen.closePath()
    names = [".notdef", *(f"uni{ord(letter):04X}" for letter in CHINESE)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, CHINESE), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": FALLBACK_FONTS[0], "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "chinese.ttf")
    before = list(fontManager.ttflist)
    fontManager.ttflist[:] = [font for font in before if font.name not in FALLBACK_FONTS]
    fontManager.addfont(tmp_path / "chinese.ttf")
    fontManager._findfont_cached.cache_clear()
    yield
    fontManager.ttflist[:] = before
    fontManager._findfont_cached.cache_clear()


@pytest.fixture
def no_fallback_fonts() -> Iterator[None]:
    from matplotlib.font_manager import fontManager

    before = list(fontManager.ttflist)
    fontManager.ttflist[:] = [font for font in before if font.name not in FALLBACK_FONTS]
    yield
    fontManager.ttflist[:] = before


def test_bubbles_are_numbered_and_named_by_root(legend) -> None:
    root = leaf(99, "Get help", count=12, level=0)
    clusters = [
        leaf(1, "Reset", count=7, parent_id=root.cluster_id, level=1),
        leaf(2, "Refund", parent_id=root.cluster_id, level=1),
        leaf(3, "Cook", count=4),
        root,
    ]
    assert legend(clusters) == [
        "Get help (12)",
        " 1  Reset (7)",
        " 2  Refund (5)",
        " 3  Cook (4)",
    ]


def test_the_smallest_of_many_are_counted_and_not_named(legend) -> None:
    lines = legend([leaf(number, f"Name {number}", count=40 - number) for number in range(NAMED_CLUSTERS + 3)])
    assert lines[-1] == "and 3 smaller clusters"
    assert sum("Name" in line for line in lines) == NAMED_CLUSTERS


@pytest.mark.usefixtures("no_fallback_fonts")
@pytest.mark.parametrize(
    ("name", "slug", "shown"),
    [
        ("Сбросить пароль", "reset_password_help", "Сбросить пароль"),
        ("كيف أعيد كلمة المرور", "reset_password_help", "كيف أعيد كلمة المرور"),
        (CHINESE, "reset_password_help", "reset_password_help"),
        (f"Reset {CHINESE}", "reset_password_help", "reset_password_help"),
        (CHINESE, "重置_密码_帮助", "0000000000000001"),
        ("Plan a trip \U0001f3d6\ufe0f now \U0001f469\u200d\U0001f4bb", "plan_a_trip", "Plan a trip now"),
        ("\U0001f3d6", "plan_a_trip", "plan_a_trip"),
        ("", "", "0000000000000001"),
        ("\x1b[31mred\n\u202ename\ud83d", "a_b_c", "[31mred name"),
    ],
)
def test_what_no_font_has_is_replaced_by_the_slug_and_never_a_box(draw, name, slug, shown) -> None:
    drawn = draw([leaf(1, name, slug)])
    assert drawn.legend == [f" 1  {shown} (5)"]
    assert [text.replace("\n", "") for text in drawn.names] == [shown]


@pytest.mark.usefixtures("chinese_font")
def test_an_installed_fallback_font_draws_what_matplotlibs_own_lacks(legend) -> None:
    assert f" 1  {CHINESE} (5)" in legend([leaf(1, CHINESE, "reset_password_help")])
    # The glyphs of the test's font are full squares, so the legend is darker than with any other four letters.
    pictures = [
        np.asarray(Image.open(io.BytesIO(draw_map([leaf(1, name)]))).convert("L")) for name in (CHINESE, "MMMM")
    ]
    dark = [int((picture[:, 640:] < 160).sum()) for picture in pictures]
    assert dark[0] > 1.3 * dark[1]


@pytest.mark.parametrize("name", ["costs $5 or $6", "$x^2$", "$\\frac{$ \\$", "a_b^c", "{braces}", "100 % & #1"])
def test_a_name_is_no_formula(legend, name) -> None:
    assert f" 1  {name} (5)" in legend([leaf(1, name)])


def test_a_formula_would_look_otherwise_than_its_text() -> None:
    dollars, letters = (draw_map([leaf(1, name)]) for name in ("$x^2$ $y$", "x^2 y"))
    assert dollars != letters


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("word " * 30, "word word word word word word word word word word…"),
        ("W" * 90, "W" * 53 + "…"),
        ("ж" * 90, "ж" * 53 + "…"),
    ],
)
def test_long_names_are_cut_between_words_where_they_can_be(legend, name, shown) -> None:
    assert f" 1  {shown} (5)" in legend([leaf(1, name)])


def test_names_of_roots_stand_on_the_map_and_cover_neither_each_other_nor_numbers(draw) -> None:
    random = np.random.default_rng(0)
    clusters = []
    for root in range(NAMED_ROOTS + 2):
        members = [
            leaf(
                100 * (root + 1) + number,
                f"Name {number}",
                count=3 + root,
                parent_id=f"{root:016x}",
                level=1,
                x_coord=float(x),
                y_coord=float(y),
            )
            for number, (x, y) in enumerate(random.normal(size=(4, 2)) + 3 * random.normal(size=2), start=1)
        ]
        clusters += [leaf(root, f"Get help with things of kind {root}", count=4 * (3 + root)), *members]
    drawn = draw(clusters)
    assert NAMED_ROOTS - 2 <= len(drawn.names) <= NAMED_ROOTS, "one that finds no place is left out"
    assert all(max(map(len, name.split("\n"))) <= 24 for name in drawn.names)
    assert not any("kind 0" in name or name[-6:] == "kind 1" for name in drawn.names), "the smallest have none"
    boxes = [box.padded(-1) for box in drawn.boxes]  # a box has a margin around the letters
    covering = [
        (drawn.on_map[one], drawn.on_map[other])
        for one in range(len(boxes))
        for other in range(one)
        if boxes[one].overlaps(boxes[other])
    ]
    assert covering == []


def test_outliers_are_in_the_legend_and_no_theme_of_the_map(draw) -> None:
    drawn = draw([leaf(1, "Reset"), leaf(2, "Outliers", is_outlier=True)])
    assert drawn.names == ["Reset"]
    assert any("Outliers" in line for line in drawn.legend)


def dots_of(clusters: list[ProjectedCluster], count: int) -> list[ProjectedConversation]:
    random = np.random.default_rng(0)
    return [
        ProjectedConversation(
            chat_id=f"chat-{number}",
            cluster_id=clusters[number % len(clusters)].cluster_id,
            x_coord=float(x),
            y_coord=float(y),
            model="umap",
        )
        for number, (x, y) in enumerate(random.normal(size=(count, 2)) * 3)
    ]


def test_conversations_are_dots_in_the_colour_of_their_root(draw) -> None:
    clusters = [leaf(1, "Reset"), leaf(2, "Refund", x_coord=9.0)]
    blue, orange = (
        np.asarray(
            draw(
                clusters,
                [dot.model_copy(update={"cluster_id": cluster.cluster_id}) for dot in dots_of(clusters, 300)],
            ).picture.convert("RGB")
        ).astype(int)
        for cluster in clusters
    )
    differing = (blue != orange).any(axis=2)
    red, _, blueness = (blue - orange)[differing].T
    assert differing.sum() > 1000
    assert red.mean() < -30
    assert blueness.mean() > 30


def test_many_conversations_make_no_large_picture_and_the_same_in_any_order(draw) -> None:
    clusters = [leaf(number, f"Name {number}", count=40) for number in range(20)]
    dots = dots_of(clusters, 3 * MOST_DOTS)
    picture = draw_map(clusters, dots)
    assert draw_map(clusters, dots[::-1]) == picture
    assert len(picture) < 100_000
