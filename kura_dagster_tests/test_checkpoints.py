"""Checkpoints in Kura's format."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager, write_conversations
from kura_dagster.pipeline.types import Cluster, Conversation, ConversationSummary, ProjectedCluster
from kura_dagster_tests import rows


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path / "a" / "b")
    clusters = [rows.cluster(1, 2, name="Line\nbreak \u2028 and \U0001f600"), rows.cluster(3)]
    manager.save_checkpoint("clusters", clusters)
    loaded = manager.load_checkpoint("clusters", Cluster)
    assert loaded is not None
    assert [cluster.model_dump() for cluster in loaded] == [cluster.model_dump() for cluster in clusters]
    assert loaded[0].centroid is None


def test_nothing_saved_is_none_and_an_empty_list_is_a_list(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path)
    assert manager.load_checkpoint("clusters", Cluster) is None
    manager.save_checkpoint("clusters", [])
    assert manager.load_checkpoint("clusters", Cluster) == []


@pytest.mark.parametrize(
    ("model_class", "line", "expected"),
    [
        (
            Cluster,
            {
                "id": "9f",
                "name": "n",
                "description": "d",
                "slug": "s",
                "chat_ids": ["a", "b"],
                "parent_id": None,
                "count": 2,
            },
            {"cluster_id": "9f", "count": 2},
        ),
        (
            ProjectedCluster,
            {
                "id": "9f",
                "name": "n",
                "description": "d",
                "slug": "s",
                "chat_ids": ["a"],
                "parent_id": "8e",
                "x_coord": 1.5,
                "y_coord": -2.0,
                "level": 1,
                "count": 1,
            },
            {"cluster_id": "9f", "parent_id": "8e", "x_coord": 1.5, "level": 1},
        ),
        (
            ConversationSummary,
            {"summary": "s", "request": None, "chat_id": "a", "metadata": {"turns": 2}, "embedding": None},
            {"chat_id": "a", "embedding": None},
        ),
    ],
    ids=["cluster", "projected", "summary"],
)
def test_kura_s_own_files_are_read(
    tmp_path: Path, model_class: type[BaseModel], line: dict[str, Any], expected: dict[str, Any]
) -> None:
    (tmp_path / "kura.jsonl").write_text(json.dumps(line) + "\n\n")
    loaded = JSONLCheckpointManager(tmp_path).load_checkpoint("kura", model_class)
    assert loaded is not None
    assert {name: getattr(loaded[0], name) for name in expected} == expected


def test_kura_reads_ours(tmp_path: Path) -> None:
    JSONLCheckpointManager(tmp_path).save_checkpoint("dimensionality", [rows.projected(rows.cluster(1, 2))])
    (line,) = (tmp_path / "dimensionality.jsonl").read_text().splitlines()
    fields = json.loads(line)
    needed_by_kura = {"id", "name", "description", "slug", "chat_ids", "parent_id", "x_coord", "y_coord", "level"}
    assert needed_by_kura <= fields.keys()
    assert "cluster_id" not in fields
    assert fields["count"] == 2


def test_a_line_that_does_not_fit_is_named(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path)
    manager.save_checkpoint("clusters", [rows.cluster(1)])
    with (tmp_path / "clusters.jsonl").open("a") as file:
        file.write('{"id": "x", "name": "secret"}\n')
    with pytest.raises(ValueError, match=r"clusters\.jsonl:2 is no Cluster: description: Field required") as raised:
        manager.load_checkpoint("clusters", Cluster)
    assert "secret" not in str(raised.value)
    (tmp_path / "clusters.jsonl").write_text("{")
    with pytest.raises(ValueError, match=r"clusters\.jsonl:1 is no Cluster: Invalid JSON"):
        manager.load_checkpoint("clusters", Cluster)


class Unwritable(BaseModel):
    """Can't be serialised."""

    vector: Any = np.ones(2)


def test_a_crash_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path)
    manager.save_checkpoint("clusters", [rows.cluster(1)])
    before = (tmp_path / "clusters.jsonl").read_bytes()
    with pytest.raises(Exception, match="serialize"):
        manager.save_checkpoint("clusters", [rows.cluster(2), Unwritable()])
    assert (tmp_path / "clusters.jsonl").read_bytes() == before
    assert os.listdir(tmp_path) == ["clusters.jsonl"]


def test_checkpoints_are_listed_and_deleted_by_the_name_they_are_loaded_by(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path)
    manager.save_checkpoint("summaries", [rows.summary(1)])
    manager.save_checkpoint("clusters", [])
    (tmp_path / "notes.txt").write_text("x")
    assert manager.list_checkpoints() == ["clusters", "summaries"]
    assert manager.delete_checkpoint("clusters") is True
    assert manager.delete_checkpoint("clusters") is False
    assert manager.list_checkpoints() == ["summaries"]


def test_disabled_it_touches_nothing(tmp_path: Path) -> None:
    JSONLCheckpointManager(tmp_path).save_checkpoint("clusters", [rows.cluster(1)])
    manager = JSONLCheckpointManager(tmp_path / "other", enabled=False)
    manager.save_checkpoint("clusters", [rows.cluster(1)])
    assert not (tmp_path / "other").exists()
    manager = JSONLCheckpointManager(tmp_path, enabled=False)
    assert manager.load_checkpoint("clusters", Cluster) is None
    assert manager.list_checkpoints() == []
    assert manager.delete_checkpoint("clusters") is False
    assert (tmp_path / "clusters.jsonl").exists()


@pytest.mark.parametrize("filename", ["", "../clusters", "a/b", "/tmp/x"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, filename: str) -> None:
    with pytest.raises(ValueError, match="allowed is a name without folders"):
        JSONLCheckpointManager(tmp_path).save_checkpoint(filename, [])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_conversations_are_written_as_one_json_list(tmp_path: Path, count: int) -> None:
    path = tmp_path / "conversations.json"
    conversations = [rows.conversation(number, 'quote " and \u2028 line') for number in range(count)]
    write_conversations(path, conversations)
    dump = json.loads(path.read_text(encoding="utf-8"))
    assert [Conversation(**fields) for fields in dump] == conversations
    assert os.listdir(tmp_path) == ["conversations.json"]


def test_only_the_roles_that_kura_knows_are_written(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    plain = rows.conversation(1)
    first = plain.messages[0]
    others = [first.model_copy(update={"role": role}) for role in ("system", "developer", "tool")]
    write_conversations(path, [plain.model_copy(update={"messages": [*others, *plain.messages]})])
    (dump,) = json.loads(path.read_text(encoding="utf-8"))
    assert Conversation(**dump) == plain
