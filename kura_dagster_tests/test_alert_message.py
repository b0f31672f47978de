"""What an alert says: fields for programs, and a text in which nothing that others wrote reaches a chat as markup."""

from __future__ import annotations

import json
import re

import pytest

from kura_dagster.orchestration.alert_message import AlertedRun, Fault, checks_failed, run_failed, trial

UI = "http://dagster.example:3000"
RUN = AlertedRun("0a1b2c3d", "analyse_conversations", ("2026-11-02", "2026-11-04"))


def test_a_failed_run_has_its_days_its_assets_their_reasons_and_a_link():
    faults = [Fault("2026-11-03: RuntimeError", asset="summaries"), Fault("1 found", "meta_clusters", "is_a_tree")]
    assert run_failed(RUN, faults, UI) == {
        "text": "A run of 2026-11-02 to 2026-11-04 failed.\n"
        "`summaries`\n```\n2026-11-03: RuntimeError\n```\n"
        "`meta_clusters` `is_a_tree` (error)\n```\n1 found\n```\n"
        "http://dagster.example:3000/runs/0a1b2c3d",
        "kind": "run_failed",
        "partitions": {"first": "2026-11-02", "last": "2026-11-04"},
        "job": "analyse_conversations",
        "run_id": "0a1b2c3d",
        "link": "http://dagster.example:3000/runs/0a1b2c3d",
        "faults": [
            {"reason": "2026-11-03: RuntimeError", "asset": "summaries", "check": None, "severity": "error"},
            {"reason": "1 found", "asset": "meta_clusters", "check": "is_a_tree", "severity": "error"},
        ],
    }


@pytest.mark.parametrize(
    ("partitions", "n_checks", "headline"),
    [
        (("2026-11-02", "2026-11-02"), 1, "A check of 2026-11-02 failed."),
        (("2026-11-02", "2026-11-04"), 2, "2 checks of 2026-11-02 to 2026-11-04 failed."),
        (None, 1, "A check failed."),
    ],
)
def test_failed_checks_are_one_alert(partitions, n_checks, headline):
    faults = [Fault("", "conversations", f"check_{number}", "warn") for number in range(n_checks)]
    alert = checks_failed(AlertedRun("id", "job", partitions), faults, UI)
    assert alert["text"].splitlines()[0] == headline
    assert (alert["kind"], len(alert["faults"])) == ("checks_failed", n_checks)
    assert alert["partitions"] == (dict(zip(("first", "last"), partitions, strict=True)) if partitions else None)


def test_a_trial_says_that_it_is_one():
    alert = trial(UI)
    assert alert["text"] == f"This is a test: alerts of kura_dagster arrive here.\n{UI}"
    assert (alert["kind"], alert["run_id"], alert["link"], alert["faults"]) == ("test", None, UI, [])


HOSTILE = [
    "<!channel> wake up",
    "<!here|x> <@U012AB3CD> <#C01> <https://evil.example|your bank>",
    "@everyone @here @channel @all @anna",
    "see https://evil.example/login now",
    "[your bank](https://evil.example)",
    "```\n@everyone <!channel>\n```",
    "` <!channel> `",
    "&lt;!channel&gt;",
    "\u202e\u2066<!channel>\x1b[31m\x00",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", ["reason", "asset", "check", "partition"])
def test_what_others_wrote_pings_nobody_and_leads_nowhere(hostile, place):
    said = {"reason": "plain", "asset": "asset", "check": "check", "partition": "2026-11-02"} | {place: hostile}
    key = said.pop("partition")
    alert = run_failed(AlertedRun("id", "job", (key, key)), [Fault(**said)], UI)
    text = alert["text"].removesuffix(f"\n{UI}/runs/id")
    assert "<" not in text
    assert ">" not in text
    assert not re.search(r"@(?!\u200b)", text)
    assert not re.search(r"&(?!(amp|lt|gt);)", text)
    assert "://" not in text
    assert text.count("```") == 2, "nothing ends the block of the reason"
    assert len(re.findall("(?<!`)`(?!`)", text)) == 4, "nothing ends the spans of the names"
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", text)


def test_what_is_long_is_cut_where_nothing_breaks():
    reason = "<&>@`🙂" * 5000
    faults = [Fault(reason, "a" * 300, "c" * 300) for _ in range(200)]
    alert = run_failed(AlertedRun("id" * 18, "job", ("p" * 500, "q" * 500)), faults, UI)
    assert len(alert["text"]) < 2000, "Discord takes no more"
    assert "and 196 more: see the run" in alert["text"]
    assert not re.search(r"&(?!(amp|lt|gt);)", alert["text"])
    assert alert["text"].count("```") == 8
    assert len(alert["faults"]) == 50
    assert {len(fault["reason"]) for fault in alert["faults"]} == {2000}
    assert len(json.dumps(alert)) < 1_000_000


def test_a_single_reason_has_the_room_of_all():
    text = run_failed(RUN, [Fault("ж" * 5000, "summaries")], UI)["text"]
    assert text.count("ж") == 999
