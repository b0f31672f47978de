"""Salutations and sign-offs: never the request where there is another one, and in no cluster's name."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kura_dagster.pipeline.embedded.courtesies import without_courtesies
from kura_dagster.pipeline.embedded.extractive_naming import ExtractiveClusterDescriptionModel
from kura_dagster.pipeline.embedded.extractive_summary import USER_WORDS, ExtractiveSummaryModel
from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
from kura_dagster.pipeline.embedded.request_sentence import clean, request_sentences
from kura_dagster.pipeline.privacy.redaction import Redaction
from kura_dagster.pipeline.types import Conversation, Message

WHEN = datetime(2026, 11, 2, 9, tzinfo=UTC)
SIGN_OFFS = [
    *("Mit freundlichen Grüßen", "Mit freundlichen Gruessen", "Viele Grüße", "Liebe Grüße", "LG", "MfG", "Vielen Dank"),
    *(
        "Best regards",
        "Kind regards",
        "Best wishes",
        "Cheers,",
        "Thanks,",
        "Many thanks,",
        "Yours sincerely,",
        "Regards",
    ),
    *("Cordialement", "Bien cordialement", "Saludos", "Un saludo", "Atentamente", "Atenciosamente", "Muchas gracias"),
]
SALUTATIONS = [
    *(
        "Sehr geehrte Damen und Herren",
        "Sehr geehrter Herr Weber",
        "Hallo zusammen",
        "Liebes Team",
        "Guten Tag Frau Wolf",
    ),
    *("Dear Mr. Thompson", "Dear Sir or Madam", "Dear Support Team", "Hi team", "Hi Sarah", "Hello everyone"),
    *("Hola equipo", "Estimado señor García", "Bonjour Marie"),
]
REQUESTS = ["Rückerstattung für Bestellung 4711", "Rechnung fehlt", "refund for order 4711", "4711"]


def conversation(text: str, chat_id: str = "c-1") -> Conversation:
    return Conversation(
        chat_id=chat_id, created_at=WHEN, messages=[Message(role="user", content=text, created_at=WHEN)]
    )


def request_of(text: str, *, redacted: bool) -> str | None:
    one = conversation(text)
    one = Redaction().redact(one) if redacted else one
    (summary,) = asyncio.run(ExtractiveSummaryModel().summarise([one]))
    return summary.request


@pytest.mark.parametrize("redacted", [False, True])
class TestRequest:
    @pytest.mark.parametrize("sign_off", SIGN_OFFS)
    def test_a_sign_off_is_never_the_request(self, sign_off: str, redacted: bool) -> None:
        ends = [sign_off, f"{sign_off} Jörg Müller", f"{sign_off}\nJörg Müller", f"{sign_off.rstrip(',')}, Jörg Müller"]
        for request_ in REQUESTS:
            for end in ends:
                assert request_of(f"{request_}\n{end}", redacted=redacted) == request_, end

    @pytest.mark.parametrize("salutation", SALUTATIONS)
    def test_a_salutation_is_never_the_request(self, salutation: str, redacted: bool) -> None:
        for request_ in REQUESTS:
            for mark in ("\n", ",\n", ", ", "!\n"):
                assert request_of(f"{salutation}{mark}{request_}", redacted=redacted) == request_, mark


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["Viele Grüße\nJörg Müller", "Rechnung"], "Rechnung"),
        (["Viele Grüße"], "Viele Grüße"),
        (["How do I end a letter with kind regards?"], "How do I end a letter with kind regards?"),
        (["Best hotels in Rome"], "Best hotels in Rome"),
        (["LG TV is broken"], "LG TV is broken"),
        (["Dear support please cancel my order\nThe number is 4711."], "cancel my order"),
    ],
)
def test_what_is_a_request_stays_one(turns: list[str], expected: str) -> None:
    assert request_sentences(turns) == [expected]


def test_what_cannot_be_seen_tears_no_address_apart() -> None:
    assert clean("tom@exam\u200bple.com\u00ad\u2028x") == "tom@example.com x"
    assert (
        request_of("Write to tom@exam\u200bple.com about the refund", redacted=False)
        == "Write to [email] about the refund"
    )


@pytest.fixture(scope="module")
def minilm(minilm_cache: Path) -> MiniLMEmbeddingModel:
    return MiniLMEmbeddingModel(minilm_cache)


@pytest.mark.parametrize("redacted", [False, True])
def test_their_words_name_no_cluster(minilm: MiniLMEmbeddingModel, redacted: bool) -> None:
    asked = [
        "Rückerstattung für Bestellung 4711",
        "Ich warte auf die Lieferung meiner Schuhe",
        "Die Rechnung vom März ist doppelt gekommen",
        "Wann wird mein Paket endlich zugestellt",
        "Mein Konto wurde ohne Grund gesperrt",
    ]
    letters = [
        conversation(
            f"Sehr geehrte Damen und Herren,\n\n{text}.\n\nMit freundlichen Grüßen\nJörg Müller", f"c-{number}"
        )
        for number, text in enumerate(asked)
    ]
    letters = Redaction().redact_all(letters) if redacted else letters
    summaries = asyncio.run(ExtractiveSummaryModel().summarise(letters))
    assert not any("Grüßen" in str(summary.metadata[USER_WORDS]) for summary in summaries)
    (cluster,) = asyncio.run(ExtractiveClusterDescriptionModel(minilm).generate_clusters({0: summaries}))
    assert not {"freundlichen", "grüßen", "geehrte", "damen", "herren"}.intersection(cluster.name.lower().split())
    assert cluster.name == "Ask in German about different things"


@pytest.mark.parametrize(
    "unit", ["\n", "dear ", "hi Anna ", "Mit freundlichen Grüßen ", "\nBest Best ", ", ", "...", "A "]
)
def test_a_megabyte_costs_little(unit: str) -> None:
    text = (unit * 1_000_000)[:1_000_000]
    begin = time.process_time()
    without_courtesies(text)
    assert time.process_time() - begin < 3
