"""What is shown of a conversation that is longer than a language model is meant to read: which turns, how much of each.

Only the choice is made here, in bytes; how a transcript is written belongs to `prompts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

BYTES_PER_TOKEN = 4
"""UTF-8 bytes to a token, about: English has four, and scripts that take more bytes take more tokens as well."""

LEAST_TOKENS = 200
"""The smallest budget in which an opening and an end say something."""

_LEAST_PIECE = 200  # bytes; less of a turn says nothing


_SPEAKERS = ("tool", "assistant", "user")
"""In the order in which their turns are given up."""


@dataclass(frozen=True)
class _Limit:
    """How many bytes each turn of a speaker may take, and how many of them between opening and end are kept."""

    n_bytes: int
    n_turns: int


_Limits = Mapping[str, _Limit]  # by speaker


def check_max_conversation_tokens(max_conversation_tokens: int) -> None:
    """Refuse a budget in which a conversation could not be shown.

    Raises:
        ValueError: it is below `LEAST_TOKENS`.
    """
    if max_conversation_tokens < LEAST_TOKENS:
        raise ValueError(f"max_conversation_tokens is {max_conversation_tokens}; allowed is {LEAST_TOKENS} or more")


class ConversationBudget:
    """Fits the turns of a conversation into a number of tokens, counted by their bytes.

    The opening request (the first turn of the user) and the last turn that is no tool's are always shown, at least a
    quarter of the budget's worth of each. Of what is left, the user's turns come first: the tools' are cut, all to the
    same length, before any other, then those in the middle are left out; the same happens to the assistant's before any
    of the user's is touched; then the user's turns are cut to the same length, and those in the middle left out last.
    Of a turn that is cut, beginning and end are shown.

    Args:
        turns: role (user, assistant or tool) and text of each turn, in order. The text is whole, or beginning and end
            of one that is longer than the budget, each enough to fill it.
        max_conversation_tokens: about how many tokens the transcript may take.
        heading_bytes: what a turn's heading takes beside its role and its text, with line breaks.
        mark_bytes: what the mark for something left out takes, without line breaks.

    Raises:
        ValueError: `max_conversation_tokens` is below `LEAST_TOKENS`.
    """

    def __init__(
        self,
        turns: Sequence[tuple[str, tuple[str, ...]]],
        max_conversation_tokens: int,
        *,
        heading_bytes: int,
        mark_bytes: int,
    ) -> None:
        check_max_conversation_tokens(max_conversation_tokens)
        self.turns = turns
        self.n_bytes = BYTES_PER_TOKEN * max_conversation_tokens
        self.mark_bytes = mark_bytes
        self._sizes = [
            # Of what is not whole it is enough to know that it does not fit.
            self.n_bytes + 1 if len(parts) > 1 else len(parts[0].encode())
            for _, parts in turns
        ]
        self._headings = [heading_bytes + len(role) for role, _ in turns]
        self.fits = sum(self._sizes) + sum(self._headings) <= self.n_bytes

    def pieces(self) -> list[tuple[str, ...]]:
        """Return what is shown of each turn: all of it, its beginning and its end, or nothing."""
        if self.fits:
            return [parts for _, parts in self.turns]
        roles = [role for role, _ in self.turns]
        spoken = [position for position, role in enumerate(roles) if role != "tool"] or list(range(len(roles)))
        anchors = {roles.index("user") if "user" in roles else spoken[0], spoken[-1]}
        ranks = self._ranks(roles, anchors)

        def caps(limits: _Limits) -> list[int | None]:
            """Return the bytes that each turn may take, None for those left out."""
            found: list[int | None] = []
            for position, role in enumerate(roles):
                most = limits[role].n_bytes
                if position in anchors:
                    found.append(max(most, self.n_bytes // 4))
                else:
                    found.append(most if ranks[position] < limits[role].n_turns else None)
            return found

        limits = self._limits(Counter(roles), lambda limits: self._bytes_of(caps(limits)) <= self.n_bytes)
        return [
            () if cap is None else self._cut(parts, size, cap)
            for (_, parts), size, cap in zip(self.turns, self._sizes, caps(limits), strict=True)
        ]

    def _limits(self, n_turns: Mapping[str, int], fits: Callable[[_Limits], bool]) -> _Limits:
        """Return the widest limits that fit, narrowing one speaker's after the other's."""
        limits = {speaker: _Limit(self.n_bytes, n_turns.get(speaker, 0)) for speaker in _SPEAKERS}
        for speaker in _SPEAKERS:
            if (narrowed := _narrowed(limits, speaker, fits)) is not None:
                return narrowed
            # All of this speaker's turns between opening and end go; the next one's are narrowed.
            limits[speaker] = _Limit(0, 0)
        return limits

    @staticmethod
    def _ranks(roles: Sequence[str], anchors: set[int]) -> dict[int, int]:
        """Return the order in which each speaker's turns are kept: the outermost first, from both ends in turn."""
        ranks: dict[int, int] = {}
        for speaker in _SPEAKERS:
            positions = [at for at, role in enumerate(roles) if role == speaker and at not in anchors]
            last = len(positions) - 1
            ranks |= {at: min(2 * place, 2 * (last - place) + 1) for place, at in enumerate(positions)}
        return ranks

    def _bytes_of(self, caps: Sequence[int | None]) -> int:
        """Return the size of the transcript; turns left out next to each other share one mark and its line break."""
        total, in_gap = 0, False
        for cap, size, heading in zip(caps, self._sizes, self._headings, strict=True):
            if cap is not None:
                total += heading + min(size, cap)
            elif not in_gap:
                total += self.mark_bytes + 1
            in_gap = cap is None
        return total

    def _cut(self, parts: tuple[str, ...], size: int, cap: int) -> tuple[str, ...]:
        if size <= cap:
            return parts
        room = cap - self.mark_bytes - 2
        # A character that the cut would split is left out.
        return (
            parts[0].encode()[: room - room // 2].decode(errors="ignore"),
            parts[-1].encode()[-(room // 2) :].decode(errors="ignore"),
        )


def _narrowed(limits: _Limits, speaker: str, fits: Callable[[_Limits], bool]) -> _Limits | None:
    """Return the limits with the speaker's turns cut as little as fits, or else with as many of them as fit, cut short.

    None where not even that fits.
    """
    n_turns = limits[speaker].n_turns

    def limited(n_bytes: int, n_kept: int) -> _Limits:
        return {**limits, speaker: _Limit(n_bytes, n_kept)}

    if fits(limited(_LEAST_PIECE, n_turns)):
        longest = max(limits[speaker].n_bytes, _LEAST_PIECE)
        return limited(_most(_LEAST_PIECE, longest, lambda n_bytes: fits(limited(n_bytes, n_turns))), n_turns)
    if fits(limited(_LEAST_PIECE, 0)):
        return limited(_LEAST_PIECE, _most(0, n_turns, lambda n_kept: fits(limited(_LEAST_PIECE, n_kept))))
    return None


def _most(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number that fits, by bisection; `low` is taken to."""
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
