"""What an alert says: one JSON object for chats and programs alike. Who gets it, and how, is `webhook`'s business.

Chats read `text`, which is what Slack's incoming webhooks take, and Mattermost's and Discord's (…/slack) with them;
everything else is for programs. What others wrote stands in code spans, where chats make neither mentions nor links of
it, and is escaped besides.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kura_dagster.pipeline.plain_text import plain_line, plain_lines

Severity = Literal["error", "warn"]
Kind = Literal["run_failed", "checks_failed", "test"]

SHOWN_FAULTS = 4
TOLD_FAULTS = 50
REASON_CHARACTERS = 2000
_TEXT_REASONS = 1000
"""Characters for the reasons in a text, shared by those shown: Discord refuses a message of more than 2,000."""
_NAME_CHARACTERS = 60

_ESCAPED = {
    # The three that Slack asks to be escaped: its mentions and links begin with <.
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    # Would end a code span.
    "`": "'",
    # Mattermost and Discord find @channel and @everyone in plain text; a space of no width parts them.
    "@": "@\u200b",
}


@dataclass(frozen=True)
class Fault:
    """What failed: an asset (or a step of another name), or a check of one; neither where the run itself did."""

    reason: str
    asset: str | None = None
    check: str | None = None
    severity: Severity = "error"


@dataclass(frozen=True)
class AlertedRun:
    """The run that an alert is about. `partitions` are its first and last, None where it is of none in particular."""

    run_id: str
    job: str
    partitions: tuple[str, str] | None


def run_failed(run: AlertedRun, faults: Sequence[Fault], ui_url: str) -> dict[str, Any]:
    """Return the alert of a run that failed, with what failed in it."""
    return _alert_of_run("run_failed", f"A run{_of_partitions(run.partitions)} failed.", run, faults, ui_url)


def checks_failed(run: AlertedRun, faults: Sequence[Fault], ui_url: str) -> dict[str, Any]:
    """Return the alert of checks that failed in a run which did not."""
    what = "A check" if len(faults) == 1 else f"{len(faults)} checks"
    return _alert_of_run("checks_failed", f"{what}{_of_partitions(run.partitions)} failed.", run, faults, ui_url)


def partitions_missing(missing: Sequence[str], fault: Fault, ui_url: str) -> dict[str, Any]:
    """Return the alert of partitions that nobody has analysed in time, which is of no run."""
    ends = (missing[0], missing[-1])
    headline = f"The analysis{_of_partitions(ends)} is missing."
    return _alert("checks_failed", headline, None, [fault], f"{ui_url}/assets/{fault.asset}?view=checks", ends)


def trial(ui_url: str) -> dict[str, Any]:
    """Return an alert that says it is none."""
    return _alert("test", "This is a test: alerts of kura_dagster arrive here.", None, [], ui_url)


def _alert_of_run(kind: Kind, headline: str, run: AlertedRun, faults: Sequence[Fault], ui_url: str) -> dict[str, Any]:
    return _alert(kind, headline, run, faults, f"{ui_url}/runs/{run.run_id}", run.partitions)


def _alert(
    kind: Kind,
    headline: str,
    run: AlertedRun | None,
    faults: Sequence[Fault],
    link: str,
    partitions: tuple[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "text": _text(headline, faults, link),
        "kind": kind,
        "partitions": {"first": partitions[0], "last": partitions[1]} if partitions else None,
        "job": run.job if run else None,
        "run_id": run.run_id if run else None,
        "link": link,
        "faults": [_told(fault) for fault in faults[:TOLD_FAULTS]],
    }


def _told(fault: Fault) -> Mapping[str, Any]:
    return asdict(fault) | {"reason": _cut(plain_lines(fault.reason), REASON_CHARACTERS)}


def _text(headline: str, faults: Sequence[Fault], link: str) -> str:
    lines = [headline]
    shown = faults[:SHOWN_FAULTS]
    for fault in shown:
        names = [f"`{_escaped(plain_line(name), _NAME_CHARACTERS)}`" for name in (fault.asset, fault.check) if name]
        lines.append(" ".join([*names, *([f"({fault.severity})"] if fault.check else [])]))
        if fault.reason:
            lines.append(f"```\n{_escaped(plain_lines(fault.reason), _TEXT_REASONS // len(shown))}\n```")
    if len(faults) > len(shown):
        lines.append(f"and {len(faults) - len(shown)} more: see the run")
    return "\n".join(line for line in [*lines, html.escape(link, quote=False)] if line)


def _of_partitions(partitions: tuple[str, str] | None) -> str:
    if partitions is None:
        return ""
    first, last = (_escaped(plain_line(key), _NAME_CHARACTERS) for key in partitions)
    return f" of {first}" if first == last else f" of {first} to {last}"


def _escaped(text: str, n_characters: int) -> str:
    """Return the text so that no chat finds a mention, a link or markup in it, and no longer than so many characters.

    It is cut between characters and never within what stands for one.
    """
    pieces: list[str] = []
    left = n_characters - 1
    for character in text.replace("://", ":\u200b//"):
        piece = _ESCAPED.get(character, character)
        if len(piece) > left:
            return "".join([*pieces, "…"])
        pieces.append(piece)
        left -= len(piece)
    return "".join(pieces)


def _cut(text: str, n_characters: int) -> str:
    return text if len(text) <= n_characters else f"{text[: n_characters - 1]}…"
