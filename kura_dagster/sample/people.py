"""Made-up people for the sample: what a user may give away about themselves or others. Nobody here exists."""

from __future__ import annotations

import random
import unicodedata

_GIVEN = {
    "english": ("Amelia", "Nathan", "Priya", "Oscar", "Ingrid", "Tobias", "Leila", "Marcus", "Yuki", "Fiona", "Rafael", "Hannah"),
    "german": ("Jürgen", "Annika", "Matthias", "Svenja", "Lukas", "Ulrike"),
    "spanish": ("Marisol", "Joaquín", "Beatriz", "Íñigo", "Lucía", "Andrés"),
}  # fmt: skip
_FAMILY = {
    "english": ("Hartwell", "Okonkwo", "Ramsbottom", "Lindqvist", "Castellano", "Whitcombe", "Devereux", "Tanaka", "Pembroke"),
    "german": ("Brückner", "Vogelsang", "Steinhauer", "Kirchhoff", "Lohmeyer"),
    "spanish": ("Villanueva", "Echeverría", "Montalbán", "Quintanilla", "Zabaleta"),
}  # fmt: skip
_DOMAINS = ("example.com", "example.org", "example.net")


def personal_values(language: str, random_state: random.Random) -> dict[str, str]:
    """Return the values of the slots that give personal data: full_name, first_name, email, phone and colleague."""
    given, family = random_state.choice(_GIVEN[language]), random_state.choice(_FAMILY[language])
    return {
        "full_name": f"{given} {family}",
        "first_name": given,
        "email": f"{_ascii(given)}.{_ascii(family)}@{random_state.choice(_DOMAINS)}".lower(),
        "phone": f"+1 555 01{random_state.randrange(100):02} {random_state.randrange(10_000):04}",
        "colleague": f"{random_state.choice(_GIVEN[language])} {random_state.choice(_FAMILY[language])}",
    }


def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
