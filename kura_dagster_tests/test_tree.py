"""The hierarchy as text, in every style, and with hostile text in it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from kura_dagster.pipeline.hierarchy import HierarchyError
from kura_dagster.pipeline.tree import (
    render_markdown,
    render_tree,
    render_tree_enhanced,
    visualise_clusters,
    visualise_clusters_enhanced,
    visualise_clusters_rich,
    visualise_pipeline_results,
)
from kura_dagster.pipeline.types import Cluster

HOSTILE = (
    "[bold red]red[/bold red] [/] [link=https://evil.example]x[/link]\x1b[31m\x07\r\n<script>alert(1)</script> "
    "**b** _i_ `c` # h | ![pixel](https://evil.example/p.png) \u202eevil\u2066 \ud83d end & \x9b2J done"
)


def a_cluster(cluster_id: str, count: int, parent_id: str | None = None, first: int = 0, **fields: Any) -> Cluster:
    return Cluster(
        **(
            {
                "id": cluster_id,
                "name": f"Name {cluster_id}",
                "description": f"Users asked for {cluster_id}.",
                "slug": "s",
                "chat_ids": [f"c{n}" for n in range(first, first + count)],
                "parent_id": parent_id,
            }
            | fields
        )
    )


def a_tree() -> list[Cluster]:
    return [
        a_cluster("small", 1, "top", first=6),
        a_cluster("b", 3, "top", first=3),
        a_cluster("a", 3, "top"),
        a_cluster("other", 2, first=7),
        a_cluster("top", 7),
        a_cluster("deep1", 2, "b", first=3),
        a_cluster("deep2", 1, "b", first=5),
    ]


def hostile_tree() -> list[Cluster]:
    return [a_cluster("x", 3, name=HOSTILE, description=HOSTILE)]


def rich_output(clusters: list[Cluster], **console: Any) -> str:
    stream = io.StringIO()
    options = {"width": 400, "color_system": None, "legacy_windows": False} | console
    visualise_clusters_rich(clusters, console=Console(file=stream, **options))
    return stream.getvalue()


def test_basic_is_a_line_a_cluster_largest_first_ties_by_name() -> None:
    assert render_tree(a_tree()).splitlines() == [
        "All conversations       9",
        "╠══ Name top            7",
        "║   ╠══ Name a          3",
        "║   ╠══ Name b          3",
        "║   ║   ╠══ Name deep1  2",
        "║   ║   ╚══ Name deep2  1",
        "║   ╚══ Name small      1",
        "╚══ Name other          2",
    ]


def test_enhanced_adds_shares_bars_descriptions_and_statistics() -> None:
    lines = render_tree_enhanced(a_tree()).splitlines()
    assert lines[:7] == [
        "All conversations (9)",
        "╠══ Name top",
        "║   ███████████████▌░░░░  77.8%  7 conversations",
        "║   Users asked for top.",
        "║   ╠══ Name a",
        "║   ║   ██████▋░░░░░░░░░░░░░  33.3%  3 conversations",
        "║   ║   Users asked for a.",
    ]
    figures = dict(re.split(r"\s{2,}", line) for line in lines[lines.index("") + 1 :])
    assert figures == {
        "Conversations": "9",
        "Clusters": "7",
        "Clusters at the top": "2",
        "Clusters at the bottom": "5",
        "Levels": "3",
        "Conversations per cluster at the top": "4.5",
    }


def test_rich_shows_the_tree_and_two_tables() -> None:
    output = rich_output(a_tree())
    names = re.findall(r"Name (\w+)", output)
    assert names == ["top", "a", "b", "deep1", "deep2", "small", "other"]
    lines = output.splitlines()
    (top,) = (number for number, line in enumerate(lines) if "Name top" in line)
    assert lines[top + 1].rstrip().endswith("███████████████▌░░░░  77.8%  7 conversations")
    assert lines[top + 2].rstrip().endswith("Users asked for top.")
    assert re.search(r"Clusters at the bottom\s+│\s+5", output)
    assert re.search(r"6 to 20\s+│\s+1", output)
    assert re.search(r"up to 5\s+│\s+1", output)
    # What stands below a cluster is indented further than the cluster.
    column = {
        name: line.index(f"Name {name}") for line in output.splitlines() for name in re.findall(r"Name (\w+)", line)
    }
    assert column["top"] == column["other"] < column["a"] == column["b"] == column["small"] < column["deep1"]


def test_markdown_is_a_nested_list() -> None:
    assert render_markdown(a_tree()).splitlines()[:5] == [
        r"- **Name top** (7 conversations, 77.8%): Users asked for top\.",
        r"  - **Name a** (3 conversations, 33.3%): Users asked for a\.",
        r"  - **Name b** (3 conversations, 33.3%): Users asked for b\.",
        r"    - **Name deep1** (2 conversations, 22.2%): Users asked for deep1\.",
        r"    - **Name deep2** (1 conversation, 11.1%): Users asked for deep2\.",
    ]


@pytest.mark.parametrize("render", [render_tree, render_tree_enhanced, render_markdown, rich_output])
def test_no_clusters_is_said(render: Any) -> None:
    assert "No clusters." in render([])


@pytest.mark.parametrize("render", [render_tree, render_tree_enhanced, render_markdown, rich_output])
def test_a_cluster_without_conversations_or_description_is_shown(render: Any) -> None:
    assert "Name x" in render([a_cluster("x", 0, description="")])


@pytest.mark.parametrize("render", [render_tree, render_tree_enhanced, render_markdown, rich_output])
def test_nothing_in_a_name_steers_a_terminal_or_breaks_a_line(render: Any) -> None:
    output = render(hostile_tree())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", output)
    assert len(output.splitlines()) == len(render([a_cluster("x", 3)]).splitlines())
    output.encode("utf-8")
    assert "done" in output


@pytest.mark.parametrize("render", [render_tree, render_tree_enhanced, rich_output])
def test_markup_of_rich_is_text(render: Any) -> None:
    assert "[bold red]red[/bold red] [/] [link=https://evil.example]x[/link]" in render(hostile_tree())


def test_a_coloured_console_gets_no_link_of_a_name() -> None:
    output = rich_output(hostile_tree(), color_system="truecolor", force_terminal=True)
    assert "\x1b]8;" not in output
    assert "\x1b[" in output


def test_markup_and_html_in_markdown_are_text() -> None:
    markdown = render_markdown(hostile_tree())
    assert not re.search(r"<|>|(?<!\\)[\[\]!`|_#]|&(?!amp;|lt;|gt;)", markdown)
    # The only bold there is, is ours.
    assert len(re.findall(r"(?<!\\)\*\*", markdown)) == 2
    assert r"\*\*b\*\*" in markdown


@pytest.mark.parametrize("name", ["1. first", "- item", "+ plus", "# title", "    code", "a\\", "www.evil.example"])
def test_a_name_does_not_become_markdown(name: str) -> None:
    (line,) = render_markdown([a_cluster("x", 1, name=name, description="")]).splitlines()
    inner = line.removeprefix("- **").removesuffix("** (1 conversation, 100.0%)")
    assert re.fullmatch(r"(?:[\w ]|\\[^\w\s])+", inner)


def test_joiners_and_other_scripts_stay() -> None:
    name = "\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u65e5\u672c\u8a9e"
    assert name in render_tree([a_cluster("x", 1, name=name)])


@pytest.mark.parametrize("render", [render_tree, render_tree_enhanced, render_markdown, rich_output])
@pytest.mark.parametrize("parent_id", ["gone", "x"])
def test_a_tree_that_would_lose_clusters_is_refused(render: Any, parent_id: str) -> None:
    with pytest.raises(HierarchyError):
        render([a_cluster("x", 1, parent_id)])


def test_shared_conversations_are_counted_once() -> None:
    assert render_tree([a_cluster("x", 3), a_cluster("y", 3)]).splitlines()[0].split() == ["All", "conversations", "3"]


def test_a_very_deep_tree_is_drawn() -> None:
    clusters = [a_cluster(f"k{n}", 1, f"k{n - 1}" if n else None) for n in range(2_000)]
    assert len(render_tree(clusters).splitlines()) == 2_001


def test_the_printing_functions_print_what_the_others_return(capsys: pytest.CaptureFixture[str]) -> None:
    tree = a_tree()
    for show, render in ((visualise_clusters, render_tree), (visualise_clusters_enhanced, render_tree_enhanced)):
        show(tree)
        assert capsys.readouterr().out == render(tree) + "\n"


@pytest.mark.parametrize("style", ["basic", "enhanced"])
def test_plain_styles_print_to_a_console_as_they_are(style: str) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=40, color_system="truecolor", force_terminal=True)
    visualise_pipeline_results(hostile_tree(), style=style, console=console)
    render = {"basic": render_tree, "enhanced": render_tree_enhanced}[style]
    assert stream.getvalue() == render(hostile_tree(), width=40) + "\n"


@pytest.mark.parametrize("style", ["basic", "enhanced"])
def test_a_pipe_has_no_width(style: str) -> None:
    stream = io.StringIO()
    visualise_pipeline_results(hostile_tree(), style=style, console=Console(file=stream, width=40))
    render = {"basic": render_tree, "enhanced": render_tree_enhanced}[style]
    assert stream.getvalue() == render(hostile_tree()) + "\n"


LONG = "Explain how to move every photograph of an old telephone to a new one without an account"


def long_tree() -> list[Cluster]:
    return [
        a_cluster("top", 1_200, name=LONG, description=f"{LONG}. " * 3),
        a_cluster("cjk", 700, "top", name="日本語" * 30),
        a_cluster("b", 500, "top", first=700, name=f"{LONG}, https://{'a' * 90}.example"),
        a_cluster("deep1", 499, "b", first=700, name=LONG),
        a_cluster("deep2", 1, "b", first=1_199, name="Short"),
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("render", [render_tree, render_tree_enhanced])
def test_long_names_go_on_in_the_next_line_and_lose_nothing(render: Any, width: int) -> None:
    output = render(long_tree(), width=width)
    assert max(cell_len(line) for line in output.splitlines()) <= width
    names = re.sub(r"  +[\d,]+$", "", output, flags=re.MULTILINE)
    for cluster in long_tree():
        assert re.sub(r"\s", "", cluster.name) in re.sub(r"[\s║╠╚═]", "", names)
    # Drawing goes on beside what was wrapped.
    assert all(line.startswith(("╚", "    ")) for line in output.split("\n\n")[0].splitlines()[1:])


@pytest.mark.parametrize("width", [None, 80, 100, 120])
def test_counts_stand_in_one_column_whatever_the_script(width: int | None) -> None:
    lines = render_tree(long_tree(), width=width).splitlines()
    ends = {cell_len(line) for line in lines if re.search(r"\S  +[\d,]+$", line)}
    assert len(ends) == 1
    assert sum(bool(re.search(r"\S  +[\d,]+$", line)) for line in lines) == 6
    assert [re.search(r"([\d,]+)$", line)[1] for line in lines if re.search(r"  +[\d,]+$", line)] == [
        "1,200",
        "1,200",
        "700",
        "500",
        "499",
        "1",
    ]


def test_shares_and_counts_of_siblings_stand_below_each_other() -> None:
    lines = render_tree_enhanced(long_tree()).splitlines()
    first, second = (line for line in lines if re.search(r"^[ ║]{8}[█░▏▎▍▌▋▊▉]", line))
    assert [first.index("%"), first.index(" conversation")] == [second.index("%"), second.index(" conversation")]


@pytest.mark.parametrize(
    ("count", "bar"),
    [
        (0, "░" * 20),
        (1, "▏" + "░" * 19),
        (19, "▍" + "░" * 19),
        (500, "█" * 10 + "░" * 10),
        (999, "█" * 19 + "▉"),
        (1_000, "█" * 20),
    ],
)
def test_a_bar_shows_any_share_and_is_full_only_for_all(count: int, bar: str) -> None:
    clusters = [a_cluster("x", count, description=""), a_cluster("rest", 1_000 - count, first=count, description="")]
    lines = render_tree_enhanced(clusters).splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.endswith("Name x"))
    assert lines[at + 1][4:24] == bar


@pytest.mark.parametrize("width", [1, 10, 30])
def test_a_window_too_narrow_for_the_tree_is_no_error(width: int) -> None:
    for render in (render_tree, render_tree_enhanced):
        assert "Short" in render(long_tree(), width=width)


def test_styles_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    visualise_pipeline_results(a_tree())
    assert capsys.readouterr().out == render_tree_enhanced(a_tree()) + "\n"
    visualise_pipeline_results(a_tree(), style="basic")
    assert capsys.readouterr().out == render_tree(a_tree()) + "\n"
    visualise_pipeline_results(a_tree(), style="rich")
    assert "Sizes of the top level" in capsys.readouterr().out
    with pytest.raises(ValueError, match="style is 'fancy'; allowed are basic, enhanced, rich"):
        visualise_pipeline_results(a_tree(), style="fancy")
