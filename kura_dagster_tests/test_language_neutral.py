"""Taking languages out of vectors: what moves, what stays, and that requests of two languages come together."""

from __future__ import annotations

import numpy as np

from kura_dagster.pipeline.embedded.language_neutral import language_neutral
from kura_dagster.pipeline.types import ConversationSummary, unit_rows


def summaries(n_topics: int = 3, n_each: int = 4, model: str = "extractive") -> list[ConversationSummary]:
    """Vectors of a topic, a language and some noise."""
    random_state = np.random.default_rng(0)
    directions = np.eye(n_topics + 2, 16)
    made = []
    for number, language in enumerate(["english", "german"]):
        for topic in range(n_topics):
            for each in range(n_each * (2 - number)):
                vector = directions[topic] + 2 * directions[n_topics + number] + 0.02 * random_state.normal(size=16)
                made.append(
                    ConversationSummary(
                        chat_id=f"{language}-{topic}-{each}",
                        summary="",
                        languages=[language],
                        model=model,
                        embedding=unit_rows(vector[None])[0],
                    )
                )
    return made


def nearest_is_of_the_same_topic(rows: list[ConversationSummary]) -> float:
    vectors = np.stack([row.embedding for row in rows])
    english = np.array([row.languages == ["english"] for row in rows])
    topics = np.array([row.chat_id.split("-")[1] for row in rows])
    centre = vectors[english].mean(axis=0)
    to_each = np.stack([vectors[english & (topics == topic)].mean(axis=0) - centre for topic in "012"])
    return float(np.mean((vectors[~english] @ to_each.T).argmax(axis=1).astype(str) == topics[~english]))


def language_gap(rows: list[ConversationSummary]) -> float:
    vectors = np.stack([row.embedding for row in rows])
    english = np.array([row.languages == ["english"] for row in rows])
    return float(np.linalg.norm(vectors[english].mean(axis=0) - vectors[~english].mean(axis=0)))


def test_languages_come_together_and_topics_stay_apart() -> None:
    before = summaries()
    after = language_neutral(before)
    assert language_gap(after) < 0.1 * language_gap(before)
    assert nearest_is_of_the_same_topic(after) == 1.0
    assert [row.chat_id for row in after] == [row.chat_id for row in before]
    np.testing.assert_allclose(np.linalg.norm([row.embedding for row in after], axis=1), 1.0, atol=1e-6)
    # The commonest language stays where it was.
    for old, new in zip(before, after, strict=True):
        if old.languages == ["english"]:
            np.testing.assert_array_equal(old.embedding, new.embedding)


def test_what_is_not_in_the_users_language_is_left_alone() -> None:
    by_a_language_model = summaries(model="openai/gpt-4o-mini")
    assert language_neutral(by_a_language_model) == by_a_language_model
    few = [row for row in summaries() if row.languages == ["english"] or row.chat_id.endswith("-0")]
    assert language_neutral(few) == few
    # A programming language is nobody's tongue.
    code = [
        row.model_copy(update={"languages": ["python"]}) if row.languages == ["german"] else row for row in summaries()
    ]
    assert language_neutral(code) == code
    assert language_neutral([]) == []
