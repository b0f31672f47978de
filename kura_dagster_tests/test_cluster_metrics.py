"""The metrics of the quality benchmark, on clusters whose figures can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cluster_metrics import METRICS, agreement
from benchmarks.labelled_data import read_labelled


def test_the_same_groups_by_other_names_agree_fully() -> None:
    found = agreement(["a", "a", "b", "c"], [7, 7, 1, 3])
    assert found == pytest.approx({**dict.fromkeys(METRICS, 1.0), "spillover": 0.0})


def test_each_metric_tells_its_own_fault() -> None:
    mixed = agreement(["a", "a", "b", "b"], [0, 0, 0, 0])
    assert (mixed["homogeneity"], mixed["completeness"], mixed["spillover"]) == (0, 1, 0)
    assert mixed["purity"] == mixed["acc"] == 0.5
    split = agreement(["a", "a", "b", "b"], [0, 1, 2, 2])
    assert split["homogeneity"] == pytest.approx(1)
    assert (split["completeness"] < 1, split["purity"], split["acc"], split["spillover"]) == (True, 1, 0.75, 0.5)


def test_labelled_lines_are_texts_or_dialogues(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    lines = [
        {"id": "1", "text": "reset my password", "label": "password", "domain": "account", "split": "test"},
        {"label": "refund", "dialogue": [{"role": "user", "content": "I want it back"}], "split": "test"},
        {"text": "hello", "label": "greeting", "split": "train"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first, second = read_labelled(path, "test")
    assert (first.conversation.chat_id, first.label, first.domain) == ("1", "password", "account")
    assert (second.conversation.messages[0].content, second.domain) == ("I want it back", None)
    assert len(read_labelled(path)) == 3


def test_lines_that_cannot_be_measured_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text('{"text": "hello", "label": "a"}\n{"text": "no label"}\n')
    with pytest.raises(ValueError, match=r"line 2: a line needs a label"):
        read_labelled(path)
    with pytest.raises(ValueError, match="no lines of the split 'test'"):
        read_labelled(path, "test")
