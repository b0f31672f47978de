"""Posting an alert to the webhook: how often and how long it is tried, and what to say where it does not arrive.

The webhook's URL may hold a token. Of it only the host is ever told, and nothing of what a server or a library said,
because they like to quote the address. httpx2 is no choice here: it logs the URLs that it asks.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    import aiohttp

TRIES_END_AFTER = 30.0
"""Seconds after which an alert is given up; Dagster gives a sensor sixty."""
ANSWER_WITHIN = 10.0
"""Seconds that a single try may take."""
FIRST_PAUSE = 1.0
"""Seconds between the first two tries, at most; each pause is twice as long as the one before, up to the longest."""
LONGEST_PAUSE = 8.0

_TEMPORARY = frozenset([408, 425, 429])


class DeliveryError(RuntimeError):
    """An alert did not arrive. The message says why and what to do, and names the webhook's host alone.

    It has no cause attached: the errors of HTTP libraries quote URLs.
    """


@dataclass(frozen=True)
class _Outcome:
    """What became of a try: what went wrong, if anything did, and whether another may do better.

    `retry_after` is how many seconds the server asks to be left alone.
    """

    fault: str | None = None
    is_temporary: bool = False
    retry_after: float = 0.0


def host_of(webhook: SecretStr) -> str:
    """Return all that may be told of a webhook's URL."""
    return urlsplit(webhook.get_secret_value()).hostname or ""


def deliver(webhook: SecretStr, alert: Mapping[str, Any]) -> None:
    """Post an alert as JSON, again after errors that pass (no connection, no answer, 408, 425, 429, 5xx).

    An answer that is lost on its way counts as none, so an alert may arrive twice, but none is lost. Redirects are not
    followed: they may lead to another host.

    Raises:
        DeliveryError: it did not arrive within half a minute, or never would.
    """
    outcome = asyncio.run(_post_until_taken(webhook, alert))
    if outcome.fault:
        raise DeliveryError(f"the alert did not reach {host_of(webhook)}: {outcome.fault}")


async def _post_until_taken(webhook: SecretStr, alert: Mapping[str, Any]) -> _Outcome:
    import aiohttp

    deadline = time.monotonic() + TRIES_END_AFTER
    pause = FIRST_PAUSE
    # The environment's proxies are minded.
    async with aiohttp.ClientSession(trust_env=True, cookie_jar=aiohttp.DummyCookieJar()) as session:
        while True:
            outcome = await _post(session, webhook, alert, deadline)
            wait = max(pause * random.uniform(0.5, 1), outcome.retry_after)
            if not outcome.is_temporary or time.monotonic() + wait >= deadline:
                return outcome
            await asyncio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)


async def _post(
    session: aiohttp.ClientSession, webhook: SecretStr, alert: Mapping[str, Any], deadline: float
) -> _Outcome:
    import aiohttp

    within = max(0.1, min(ANSWER_WITHIN, deadline - time.monotonic()))
    try:
        async with session.post(
            webhook.get_secret_value(), json=alert, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=within)
        ) as response:
            return _judged(response.status, response.headers.get("Retry-After", ""))
    except TimeoutError:
        return _Outcome(f"it did not answer within {within:.0f} s.", is_temporary=True)
    except aiohttp.ClientConnectorCertificateError:
        return _Outcome("its certificate is not trusted here. See that the host is right and its certificate valid.")
    except (aiohttp.ClientError, OSError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return _Outcome(f"no connection ({reason}). See that the host is right and can be reached.", is_temporary=True)


def _judged(status: int, retry_after: str) -> _Outcome:
    if status < 300:
        return _Outcome()
    said = f"it answered {status}"
    with suppress(ValueError):
        said += f" {HTTPStatus(status).phrase}"
    if status < 400:
        return _Outcome(f"{said}, and redirects are not followed. Set KURA_ALERT_WEBHOOK to where it leads.")
    if status >= 500 or status in _TEMPORARY:
        # Where it is a date and no number of seconds, our own pauses have to do.
        return _Outcome(f"{said}.", is_temporary=True, retry_after=float(retry_after) if retry_after.isdecimal() else 0)
    return _Outcome(f"{said}. See that KURA_ALERT_WEBHOOK is right and has not been revoked.")
