"""What users of the sample ask for: one module a domain."""

from kura_dagster.sample.intents import (
    account_support,
    career,
    coding,
    cooking,
    data_work,
    devices,
    home,
    travel,
)
from kura_dagster.sample.intents.intent import Intent

INTENTS: tuple[Intent, ...] = tuple(
    intent
    for domain in (account_support, career, coding, cooking, data_work, devices, home, travel)
    for intent in domain.INTENTS
)
