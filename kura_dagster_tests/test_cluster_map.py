"""The map as a picture: what is drawn, in which fonts, and with hostile text in it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kura_dagster.pipeline.cluster_map import FALLBACK_FONTS, NAMED_CLUSTERS, draw_map
from kura_dagster.pipeline.types import ProjectedCluster

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


@pytest.fixture
def legend(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[[list[ProjectedCluster]], list[str]]:
    """Draw a map without a warning, logged or not, and return the lines of its legend as they were drawn."""
    from matplotlib.axes import Axes

    lines: list[str] = []
    real = Axes.text

    def recorded(self: Axes, x: float, y: float, text: str, **options: object) -> object:
        lines.append(text)
        return real(self, x, y, text, **options)

    monkeypatch.setattr(Axes, "text", recorded)

    def draw(clusters: list[ProjectedCluster]) -> list[str]:
        lines.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            picture = Image.open(io.BytesIO(draw_map(clusters)))
        assert picture.format == "PNG"
        assert caplog.messages == []
        return [line.replace("\u200e", "") for line in lines]

    return draw


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
    # Of the legend's lines, the numbers on the bubbles are apart: they are annotations of the other axes.
    lines = legend(clusters)
    assert [line for line in lines if not line.isdigit()] == [
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
def test_what_no_font_has_is_replaced_by_the_slug_and_never_a_box(legend, name, slug, shown) -> None:
    (line,) = (line for line in legend([leaf(1, name, slug)]) if line != "1")
    assert line == f" 1  {shown} (5)"


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
