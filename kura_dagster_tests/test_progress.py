"""What is made of the models' reports: the lines of the log, their pace, and what a watcher sees."""

from __future__ import annotations

import pytest

from kura_dagster.orchestration import progress
from kura_dagster.orchestration.progress import Meter, RunWatch, usd, watched_by
from kura_dagster.pipeline.language_model.client import LanguageModel, Progress
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.prices import Price, Prices


class Stage:
    """A language model's reports by hand: each answer comes from the cache or is paid."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)
        self.ledger = Ledger(prices=Prices({"openai/m": Price(input=1, output=1)}))
        self.model = LanguageModel("openai/m", ledger=self.ledger)
        self.seen: list[progress.RunProgress] = []
        self.watch = RunWatch(self.seen.append)
        with watched_by(self.watch):
            self.meter = Meter(self.ledger, [self.model])
        self.log: list[str] = []

    def answer(self, what: str, done: int, total: int, *, kept: bool = False, failed: int = 0, seconds: float = 0.0):
        self.now += seconds
        if kept:
            self.ledger.count_cache_hit()
        else:
            self.ledger.reserve("openai/m", 1000).settle(9_000, 1_000)
        self.model.on_progress(Progress(what, done, total, failed, f"answer {done}"))


@pytest.fixture
def stage(monkeypatch) -> Stage:
    return Stage(monkeypatch)


def test_a_line_says_what_the_issue_of_a_moment_is(stage):
    with stage.meter.partition("2026-11-12", stage.log.append):
        for done in range(1, 241):
            stage.answer("summaries", done, 1000, kept=done <= 100)
        assert stage.log == ["2026-11-12 summaries: 1 of 1,000, 1 from cache, 0 failed, 0.00 USD"]
    assert stage.seen[-1].line() == "2026-11-12 summaries: 240 of 1,000, 100 from cache, 0 failed, 1.40 USD"


def test_the_end_says_how_far_it_came_and_what_it_spent_also_of_what_is_stopped(stage):
    def asked_until_stopped() -> None:
        with stage.meter.partition("day", stage.log.append):
            for done in range(1, 4):
                stage.answer("summaries", done, 1000, kept=done == 1, failed=1)
            stage.ledger.count_failure()
            raise RuntimeError("the limit is reached")

    with pytest.raises(RuntimeError):
        asked_until_stopped()
    assert stage.log[1:] == [
        "day summaries: 3 of 1,000, 1 from cache, 1 failed, 0.02 USD",
        "day asked: 2 calls (0 of them repeated), 1 answers from the cache, 1 failed; 18,000 tokens in, 2,000 out; "
        "0.02 USD",
    ]
    with stage.meter.partition("another", stage.log.append):
        pass
    assert len(stage.log) == 3, "where nothing is asked there is nothing to say"


def test_trouble_is_heard_in_the_log_and_by_who_watches(stage):
    heard = []
    stage.watch.on_notice = heard.append
    with stage.meter.partition("day", stage.log.append):
        stage.model.on_notice("openai/m: 1 × status 429")
    stage.model.on_notice("between partitions")
    assert stage.log == ["openai/m: 1 × status 429"]
    assert heard == ["openai/m: 1 × status 429", "between partitions"]


def test_a_fast_stage_has_its_first_and_last_line_only(stage):
    with stage.meter.partition("day", stage.log.append):
        for done in range(1, 1001):
            stage.answer("summaries", done, 1000, seconds=0.0001)
    assert [line.split()[2] for line in stage.log[:-1]] == ["1", "1,000"]


def test_a_stage_of_minutes_has_a_line_for_each_tenth(stage):
    with stage.meter.partition("day", stage.log.append):
        for done in range(1, 101):
            stage.answer("summaries", done, 100, seconds=0.5)
    assert [line.split()[2] for line in stage.log[:-1]] == [
        "1",
        "11",
        "21",
        "31",
        "41",
        "51",
        "61",
        "71",
        "81",
        "91",
        "100",
    ]


def test_a_slow_stage_is_never_silent_for_long(stage):
    with stage.meter.partition("day", stage.log.append):
        for done in range(1, 9):
            stage.answer("summaries", done, 1000, seconds=11)
    assert len(stage.log) == 8 + 1


def test_each_kind_of_question_begins_anew_and_the_partitions_cost_goes_on(stage):
    with stage.meter.partition("day", stage.log.append):
        stage.answer("labels", 1, 2, kept=True)
        stage.answer("labels", 2, 2)
        stage.answer("names", 1, 1, failed=1)
        stage.answer("names", 1, 1, kept=True)  # of the next round
    assert stage.log[:-1] == [
        "day labels: 1 of 2, 1 from cache, 0 failed, 0.00 USD",
        "day labels: 2 of 2, 1 from cache, 0 failed, 0.01 USD",
        "day names: 1 of 1, 0 from cache, 1 failed, 0.02 USD",
        "day names: 1 of 1, 1 from cache, 0 failed, 0.02 USD",
    ]


def test_a_partition_is_told_what_it_spent_and_the_watcher_what_the_run_did(stage):
    with stage.meter.partition("first", stage.log.append):
        stage.answer("summaries", 1, 1)
    with stage.meter.partition("second", stage.log.append) as spent:
        stage.answer("summaries", 1, 2)
        stage.ledger.count_retry()
    assert (spent().calls, spent().retries, spent().cost_usd) == (1, 1, pytest.approx(0.01))
    assert (stage.watch.spent.calls, stage.watch.spent.retries) == (2, 1)


def test_what_is_asked_outside_of_a_partition_is_nobodys_progress(stage):
    stage.answer("summaries", 1, 1)
    assert stage.seen == []
    assert stage.watch.spent.calls == 1


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0.0, "0.00 USD"), (0.0004, "0.0004 USD"), (0.03, "0.03 USD"), (1234.5, "1,234.50 USD"), (None, "cost unknown")],
)
def test_amounts(amount, said):
    assert usd(amount) == said
