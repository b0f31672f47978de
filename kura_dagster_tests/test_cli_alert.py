"""`kura-dagster alert`: whether alerts arrive is said before the first one is needed, and how it can be mended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from kura_dagster import cli
from kura_dagster.orchestration import webhook
from kura_dagster_tests.alert_receiver import SECRET, AlertReceiver, Answer


@pytest.fixture
def receiver(monkeypatch) -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        monkeypatch.setenv("KURA_ALERT_WEBHOOK", receiver.url)
        monkeypatch.setattr(webhook, "TRIES_END_AFTER", 0.5)
        yield receiver


def alert() -> Result:
    result = CliRunner().invoke(cli.app, ["alert"], catch_exceptions=False)
    assert SECRET not in result.output
    return result


def test_a_test_alert_is_posted_and_where_to_look_is_said(receiver, monkeypatch):
    monkeypatch.setenv("KURA_UI_URL", "https://dagster.example")
    result = alert()
    assert (result.exit_code, result.stdout) == (0, "127.0.0.1 has taken a test alert; see that it is shown there.\n")
    (posted,) = receiver.taken
    assert (posted["kind"], posted["link"]) == ("test", "https://dagster.example")


@pytest.mark.parametrize(("status", "said"), [(403, "403 Forbidden"), (500, "500 Internal Server Error")])
def test_a_webhook_that_refuses_is_said_to(receiver, status, said):
    receiver.answer = Answer(status)
    result = alert()
    assert result.exit_code == 1
    assert f"error the alert did not reach 127.0.0.1: it answered {said}." in result.stderr


def test_without_a_webhook_it_says_what_to_set():
    result = alert()
    assert result.exit_code == 2
    assert "KURA_ALERT_WEBHOOK is unset; set it to the URL of an incoming webhook" in result.stderr
