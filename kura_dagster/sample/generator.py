"""The sample conversations: two weeks of a made-up assistant's traffic, the same on every run.

What is said is in `intents`, how much is asked when in `rhythm`. Here a conversation is put together: greeting, request,
question back, answer or mistake, follow-ups, frustration, thanks. The true intents are written beside the landing
folder, for evaluation; nothing of the pipeline reads them.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from kura_dagster.pipeline.types import Conversation, Message
from kura_dagster.sample import rhythm
from kura_dagster.sample.intents import INTENTS
from kura_dagster.sample.intents.intent import Intent, Script
from kura_dagster.sample.people import personal_values
from kura_dagster.sample.rhythm import FIRST_DAY, LAST_DAY
from kura_dagster.sample.template import Slots, render
from kura_dagster.sample.typing_habits import in_a_hurry, shouting, with_typos

__all__ = ["FIRST_DAY", "LAST_DAY", "SampleConflictError", "generate_conversations", "write_sample"]

RISING_INTENT = "passkey_sign_in"
FADING_INTENT = "pumpkin_leftovers"

_PERSONAL_SHARE = 0.16
_TRANSLATED_SHARE = 0.22  # of the conversations about an intent that has translations
_STEEPNESS = 3.0  # of the long tail: a few intents make most of the traffic, as they do in practice

_PHRASES = {
    "english": {
        "greeting": ("hi", "Hello", "Hey there", "hi, are you there?", "Good morning", "hello, quick question"),
        "welcome": ("Hi! What can I do for you?", "Hello, how can I help?", "Hi there, what's on your mind?"),
        "thanks": ("Thanks!", "great, thank you", "Perfect, that helps.", "ok thx", "Thank you, that's all.", "That worked, thanks a lot."),
        "bye": ("You're welcome!", "Glad I could help.", "Any time. Have a good day!", "Happy to help."),
        "please": ("Please help. ", "Hi, ", "Hello! ", "Sorry to bother you, ", ""),
        "name": ("My name is {full_name}.", "This is {full_name}.", "You can reach me at {email}.", "I'm asking for my colleague {colleague}."),
        "sign_off": ("Thanks, {first_name}", "Best, {first_name}", "Regards, {full_name}"),
    },
    "german": {
        "greeting": ("Hallo", "Guten Tag", "Hi", "Moin"),
        "welcome": ("Hallo! Wie kann ich helfen?", "Guten Tag, was kann ich für Sie tun?"),
        "thanks": ("Danke!", "Super, vielen Dank.", "Alles klar, danke schön.", "Passt, danke."),
        "bye": ("Gern geschehen!", "Freut mich, dass ich helfen konnte.", "Jederzeit gern."),
        "please": ("Hallo, ", "Guten Tag, ", "Bitte um Hilfe: ", ""),
        "name": ("Mein Name ist {full_name}.", "Ich heiße {full_name}.", "Sie erreichen mich unter {email}."),
        "sign_off": ("Viele Grüße, {first_name}", "Danke und Grüße, {first_name}"),
    },
    "spanish": {
        "greeting": ("Hola", "Buenos días", "Buenas", "Hola, ¿hay alguien?"),
        "welcome": ("¡Hola! ¿En qué puedo ayudarte?", "Buenos días, ¿qué necesitas?"),
        "thanks": ("¡Gracias!", "Perfecto, muchas gracias.", "Genial, eso es todo.", "Vale, gracias."),
        "bye": ("¡De nada!", "Me alegro de haber ayudado.", "Cuando quieras."),
        "please": ("Hola, ", "Buenas, ", "Por favor, ayuda: ", ""),
        "name": ("Me llamo {full_name}.", "Mi nombre es {full_name}.", "Mi correo es {email}."),
        "sign_off": ("Saludos, {first_name}", "Gracias, {first_name}"),
    },
}  # fmt: skip


class SampleConflictError(RuntimeError):
    """The landing folder holds other conversations under a day of the sample."""


@dataclass(frozen=True)
class SampleTruth:
    """What is true of a generated conversation and must be found out by analysing it."""

    chat_id: str
    date: str
    domain: str
    intent: str
    language: str
    personal_data: list[str]
    features: list[str]


@dataclass(frozen=True)
class SampleConversation:
    """A generated conversation and the truth about it."""

    conversation: Conversation
    truth: SampleTruth


@dataclass(frozen=True)
class SampleReport:
    """What was written."""

    days: int
    conversations: int


def generate_conversations(seed: int = 0) -> Iterator[SampleConversation]:
    """Yield the sample conversations, day by day, in the order in which they began."""
    for day in rhythm.days():
        # A day has a random state of its own: changing one day leaves the others as they were.
        random_state = random.Random(f"{seed} {day}")
        weights = [_weight(intent, day) * random_state.uniform(0.75, 1.3) for intent in INTENTS]
        count = rhythm.volume(day, random_state)
        begins = sorted(rhythm.begins_at(day, random_state) for _ in range(count))
        for number, begin in enumerate(begins):
            (intent,) = random_state.choices(INTENTS, weights)
            chat_id = hashlib.sha256(f"{seed} {day} {number}".encode()).hexdigest()[:16]
            yield _Author(intent, random_state).write(chat_id, day, begin)


def write_sample(conversations_folder: Path, truth_file: Path, seed: int = 0) -> SampleReport:
    """Write the landing files of the sample and, beside them, the truth; each file whole or not at all.

    Raises:
        SampleConflictError: a landing file of the sample's days holds something else; nothing was written.
    """
    by_day: dict[str, list[str]] = {}
    truths = []
    for each in generate_conversations(seed):
        by_day.setdefault(each.truth.date, []).append(each.conversation.model_dump_json() + "\n")
        truths.append(json.dumps(asdict(each.truth), ensure_ascii=False) + "\n")
    files = {conversations_folder / f"{day}.jsonl": "".join(lines) for day, lines in by_day.items()}
    for path, text in files.items():
        if path.exists() and path.read_bytes() != text.encode():
            raise SampleConflictError(
                f"{path} holds other conversations than the sample's and is left as it is. Give the sample a folder of "
                f"its own: KURA_CONVERSATIONS=data/sample KURA_DATABASE=data/sample.duckdb make demo"
            )
    for path, text in {**files, truth_file: "".join(truths)}.items():
        _replace(path, text)
    return SampleReport(days=len(rhythm.days()), conversations=len(truths))


def _weight(intent: Intent, day: date) -> float:
    if intent.name == RISING_INTENT:
        return rhythm.rising(day)
    if intent.name == FADING_INTENT:
        return rhythm.fading(day)
    return intent.weight**_STEEPNESS * (intent.weekend if day.weekday() >= 5 else 1.0)


@dataclass
class _Author:
    """Writes one conversation about an intent."""

    intent: Intent
    random_state: random.Random
    turns: list[tuple[str, str]] = field(default_factory=list)
    features: list[str] = field(default_factory=list)

    def write(self, chat_id: str, day: date, begin: datetime) -> SampleConversation:
        language, script = self._language()
        phrases = _PHRASES[language]
        personal = personal_values(language, self.random_state)
        slots = Slots(self.random_state, personal | dict(self.random_state.choice(script.facts)), script.slots)
        self._greet(phrases)
        self._ask(script, phrases, slots)
        self._answer(script, slots)
        self._follow_up(script, slots)
        self._thank(phrases, slots)
        messages, instant = [], begin
        for role, content in self.turns:
            messages.append(Message(role=role, content=content, created_at=instant))  # type: ignore[arg-type]
            pause = self.random_state.uniform(2, 9) if role == "user" else self.random_state.uniform(15, 180)
            instant += timedelta(seconds=round(pause))
        conversation = Conversation(chat_id=chat_id, created_at=begin, messages=messages, metadata=self._metadata())
        # Users who type in a hurry write names in lower case.
        said = "\n".join(content for _, content in self.turns).casefold()
        planted = sorted({value for value in personal.values() if value.casefold() in said})
        if planted:
            self.features.append("personal_data")
        truth = SampleTruth(
            chat_id,
            day.isoformat(),
            self.intent.domain,
            self.intent.name,
            language,
            planted,
            sorted(set(self.features)),
        )
        return SampleConversation(conversation, truth)

    def _chance(self, probability: float) -> bool:
        return self.random_state.random() < probability

    def _language(self) -> tuple[str, Script]:
        if self.intent.translations and self._chance(_TRANSLATED_SHARE):
            return self.random_state.choice(sorted(self.intent.translations.items()))
        return "english", self.intent.script

    def _user(self, text: str) -> None:
        if self._chance(0.2):
            text = with_typos(text, self.random_state)
            self.features.append("typos")
        if self._chance(0.2):
            text = in_a_hurry(text)
        self.turns.append(("user", text))

    def _say(self, template: str, slots: Slots) -> str:
        return render(template, slots, self.random_state)

    def _greet(self, phrases: dict[str, tuple[str, ...]]) -> None:
        if self._chance(0.1):
            self.turns.append(("user", self.random_state.choice(phrases["greeting"])))
            self.turns.append(("assistant", self.random_state.choice(phrases["welcome"])))
            self.features.append("greeting_first")

    def _ask(self, script: Script, phrases: dict[str, tuple[str, ...]], slots: Slots) -> None:
        opening = self._say(self.random_state.choice(script.openings), slots)
        parts = [opening]
        if script.contexts and self._chance(0.35):
            parts.insert(0, self._say(self.random_state.choice(script.contexts), slots))
        if script.details and self._chance(0.35):
            parts.append(self._say(self.random_state.choice(script.details), slots))
        if self._chance(_PERSONAL_SHARE):
            template = self.random_state.choice(script.personal or phrases["name"])
            parts.insert(self.random_state.choice((0, len(parts))), self._say(template, slots))
        elif self._chance(0.15):
            polite = self.random_state.choice(phrases["please"])
            parts[0] = polite + parts[0]
        self._user((" " if "```" not in opening else "\n\n").join(parts))

    def _answer(self, script: Script, slots: Slots) -> None:
        if script.clarifications and self._chance(0.2):
            clarification = self.random_state.choice(script.clarifications)
            self.turns.append(("assistant", self._say(clarification.question, slots)))
            self._user(self._say(self.random_state.choice(clarification.replies), slots))
        if script.mistakes and self._chance(0.1):
            mistake = self.random_state.choice(script.mistakes)
            self.turns.append(("assistant", self._say(mistake.wrong, slots)))
            self._user(self._say(self.random_state.choice(mistake.objections), slots))
            self.turns.append(("assistant", self._say(mistake.right, slots)))
            self.features.append("assistant_error")
        else:
            self.turns.append(("assistant", self._say(self.random_state.choice(script.answers), slots)))

    def _follow_up(self, script: Script, slots: Slots) -> None:
        (count,) = self.random_state.choices(range(4), (3, 5, 3, 1))
        exchanges = self.random_state.sample(script.exchanges, min(count, len(script.exchanges)))
        if script.setbacks and self._chance(0.12):
            exchanges.append(self.random_state.choice(script.setbacks))
            self.features.append("frustrated")
        for exchange in exchanges:
            text = self._say(self.random_state.choice(exchange.user), slots)
            if exchange in script.setbacks and self._chance(0.35):
                self.turns.append(("user", shouting(text)))
            else:
                self._user(text)
            self.turns.append(("assistant", self._say(self.random_state.choice(exchange.assistant), slots)))

    def _thank(self, phrases: dict[str, tuple[str, ...]], slots: Slots) -> None:
        if self._chance(0.04):
            self.turns.append(("user", self._say(self.random_state.choice(phrases["sign_off"]), slots)))
        elif self._chance(0.3):
            self.turns.append(("user", self.random_state.choice(phrases["thanks"])))
        else:
            return
        if self._chance(0.6):
            self.turns.append(("assistant", self.random_state.choice(phrases["bye"])))

    def _metadata(self) -> dict[str, str | int | float | bool | list[str] | list[int] | list[float] | None]:
        return {
            "channel": self.random_state.choices(("web", "mobile", "api"), (6, 3, 1))[0],
            "plan": self.random_state.choices(("free", "pro", "team"), (6, 3, 1))[0],
            "app_version": self.random_state.choice(("4.11.0", "4.11.2", "4.12.0")),
        }


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(text.encode())
    os.replace(unfinished, path)
