"""Delivery over real HTTP: what is tried again, what never, how long, and that no error tells the URL."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from kura_dagster.orchestration import webhook
from kura_dagster.orchestration.webhook import DeliveryError, deliver, host_of
from kura_dagster_tests.alert_receiver import SECRET, AlertReceiver, Answer

ALERT = {"text": "a day failed", "kind": "run_failed"}


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(webhook, "TRIES_END_AFTER", 1.0)


def refusal(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """What is said of an alert that does not arrive, once it is sure that nothing told the secret."""
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as refused:
        deliver(SecretStr(url), ALERT)
    whole = "".join(traceback.format_exception(refused.value))
    assert SECRET not in whole + caplog.text
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return str(refused.value)


def test_an_alert_is_posted_once_as_json(receiver):
    deliver(SecretStr(receiver.url), ALERT)
    assert receiver.posts == [ALERT]
    assert receiver.paths == [f"/services/{SECRET}"]


@pytest.mark.parametrize("statuses", [[500, 500], [429], [503, 408]])
def test_what_passes_is_tried_again_until_it_is_taken(receiver, statuses):
    receiver.next_answers.extend(Answer(status) for status in statuses)
    deliver(SecretStr(receiver.url), ALERT)
    assert len(receiver.posts) == len(statuses) + 1
    assert receiver.taken == [ALERT]


def test_a_server_that_asks_for_a_pause_gets_it(receiver):
    receiver.next_answers.append(Answer(429, {"Retry-After": "1"}))
    webhook.TRIES_END_AFTER = 5.0
    deliver(SecretStr(receiver.url), ALERT)
    assert receiver.times[1] - receiver.times[0] >= 1


def test_a_pause_that_is_too_long_is_not_waited_for(receiver, caplog):
    receiver.answer = Answer(429, {"Retry-After": "3600"})
    started = time.monotonic()
    assert "it answered 429 Too Many Requests" in refusal(receiver.url, caplog)
    assert time.monotonic() - started < 1
    assert len(receiver.posts) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_does_not_pass_is_tried_once_and_says_what_to_do(receiver, status, caplog):
    receiver.answer = Answer(status)
    said = refusal(receiver.url, caplog)
    assert said.startswith(f"the alert did not reach 127.0.0.1: it answered {status} ")
    assert said.endswith("See that KURA_ALERT_WEBHOOK is right and has not been revoked.")
    assert len(receiver.posts) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_followed_nowhere(receiver, status, caplog):
    with AlertReceiver() as elsewhere:
        receiver.answer = Answer(status, {"Location": elsewhere.url})
        assert "redirects are not followed" in refusal(receiver.url, caplog)
        assert elsewhere.paths == []
    assert len(receiver.paths) == 1


def test_a_server_that_stays_ill_is_given_up_in_time(receiver, caplog):
    receiver.answer = Answer(500)
    started = time.monotonic()
    assert "it answered 500 Internal Server Error" in refusal(receiver.url, caplog)
    assert time.monotonic() - started < 1.5
    assert len(receiver.posts) > 2


def test_a_server_that_never_answers_is_given_up_in_time(receiver, caplog, monkeypatch):
    monkeypatch.setattr(webhook, "ANSWER_WITHIN", 0.4)
    receiver.answer = Answer(hangs=2)
    started = time.monotonic()
    assert "it did not answer within" in refusal(receiver.url, caplog)
    assert time.monotonic() - started < 1.5
    assert len(receiver.posts) >= 2


def test_nobody_at_the_port_is_said_to_be_so(caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/services/{SECRET}"
        assert "no connection (" in refusal(url, caplog)


def test_a_host_without_address_is_said_to_be_so(caplog):
    said = refusal(f"http://nobody.invalid/services/{SECRET}", caplog)
    assert said.startswith("the alert did not reach nobody.invalid: no connection (")


def test_a_server_that_speaks_no_tls_is_said_to_be_so(receiver, caplog):
    assert "127.0.0.1: no connection (" in refusal(receiver.url.replace("http:", "https:"), caplog)


def test_of_a_url_the_host_alone_is_told():
    assert host_of(SecretStr("https://user:pw@hooks.example:8443/services/x?token=y#z")) == "hooks.example"
