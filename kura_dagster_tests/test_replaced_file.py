"""A file that is replaced as a whole, where it can't be."""

from __future__ import annotations

import resource

import pytest

from kura_dagster.pipeline.replaced_file import replacing


def test_a_file_that_finds_no_room_is_named_and_the_old_one_stays(tmp_path):
    path = tmp_path / "2026-11-02.jsonl"
    path.write_bytes(b"old")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        with pytest.raises(OSError, match=r"2026-11-02\.jsonl"), replacing(path) as file:
            file.write(b"new" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
