"""Rewriting an English request as an imperative: "How do I reset my password?" becomes "Reset the password".

Only the rewriting by pattern belongs here, one sentence in, candidates out, each with how sure it is; which candidate
names a group is chosen in `extractive_naming`. What no pattern fits is not rewritten. Two rules stand above the patterns:
a question is answered by nothing here (it becomes "Check whether …" or "Find out …", never a statement or a command),
and a negation is never lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kura_dagster.pipeline.embedded.grammar import (
    NEGATION,
    base_of_gerund,
    base_of_past,
    base_of_third_person,
    gerund,
    is_plural,
    onlooker,
    uninverted,
)
from kura_dagster.pipeline.embedded.request_sentence import clean, strip_niceties
from kura_dagster.pipeline.embedded.vocabulary import (
    ABSTRACT_NOUNS,
    AUXILIARIES,
    BE,
    CONJUNCTIONS,
    DETERMINERS,
    DO,
    ENGLISH_FUNCTION_WORDS,
    ENGLISH_VERBS,
    GRANTED_VERBS,
    MODALS,
    PREDICATES,
    PREPOSITIONS,
    PROBLEM_WORDS,
    PRONOUNS,
    TOLD_NOUNS,
    VERBS,
    VERBS_THAT_ARE_NOUNS,
)
from kura_dagster.pipeline.privacy.personal_data import MASK


@dataclass(frozen=True)
class Imperative:
    """An imperative and a number from 0 to 1 that says how surely the rewriting keeps the meaning."""

    text: str
    sureness: float


_TROUBLE = r"(?:problems?|issues?|trouble|troubles|difficulty|difficulties|errors?|a hard time)"

# The patterns ---------------------------------------------------------------------------------------------------------

_ADVERB = r"(?:(?:please|kindly|also|just|really|quickly|maybe|possibly|perhaps|currently|still|now|first|only|actually|go ahead and) )*"
_SUBJECT = r"(?:i|we)"
_WISHES = re.compile(
    rf"{_SUBJECT} (?:would |will |do |am |are |was |were |have been |have |had |can |could |must |should )?{_ADVERB}"
    r"(?:like|love|want|wanted|need|needed|wish|hope|hoping|hoped|prefer|trying|tried|try|looking|planning|plan|going|about|"
    r"intending|intend|decided|wanting|needing|have|had|got|supposed|ready|here|happy|curious|willing|required|wanna|gonna|gotta)"
    rf"(?: (?:for )?(?:you|u|someone|somebody))? (?:to |(?<=wanna )|(?<=gonna )|(?<=gotta )){_ADVERB}(?P<rest>.+)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    rf"(?:(?:do you think |is there (?:any|a|some) (?:way|chance)(?: that)? |i (?:was|am) wondering if |i wonder if |is it possible (?:that |for you to )|"
    rf"any chance )?(?:(?:can|could|would|will|may|might) )?(?:you|u|ya|anyone|someone|somebody)(?: (?:can|could|would|will))?"
    rf"(?: be able to| be so kind(?: as)? to| be kind enough to| care to)?|you (?:can|could|should|must|have to|need to)|"
    rf"{_SUBJECT} (?:need|want|would like) (?:you|u) to) {_ADVERB}(?P<rest>(?!mind\b|say (?:that )?(?:i|you|he|she|it|they|this|that|we)\b).+)",
    re.IGNORECASE,
)
_MIND = re.compile(rf"(?:would|do) you mind {_ADVERB}(?P<rest>.+)", re.IGNORECASE)
_DO_NOT = re.compile(
    rf"(?:(?:do not|don't|never)|(?:can|could|would|will) (?:you|u) (?:not|never)|(?:you|u) (?:must|should|may|can|will) (?:not|never)|{_SUBJECT} (?:do not|don't|no longer) (?:want|wish|need|like)(?: (?:you|u))? to|"
    rf"{_SUBJECT} would (?:like|prefer|rather)(?: (?:you|u))? not(?: to)?) (?P<rest>.+)",
    re.IGNORECASE,
)
_DID_NOT = re.compile(
    rf"{_SUBJECT} (?P<how>did not|didn't|have not|haven't|never|was not|wasn't|were not) "
    r"(?P<rest>(?!sure|aware|able|know|understand|think|mean|want|expect)\w+ .+)",
    re.IGNORECASE,
)
_DOES_NOT_WANT = re.compile(
    rf"{_SUBJECT} (?:do not|don't|no longer|did not|didn't) (?:want|wish|need|like) (?P<rest>(?!(?:(?:you|u) )?to\b).+)",
    re.IGNORECASE,
)
_HOW_TO = re.compile(
    rf"(?:how (?:exactly )?(?:do|can|could|would|should|might|shall|did|does) (?:i|we|you|u|one|someone|somebody|people|a person) {_ADVERB}(?:go about |best |properly )?|"
    r"how to (?:best |properly )?|(?:what is|what's|what are|what would be|is there) (?:the|an?|any|some) (?:\w+ ){0,2}?(?:way|ways|method|process|procedure|steps|trick|command|syntax)"
    r" (?:for me |i can use )?(?:to|for|of) |what (?:do|should|must|would) (?:i|we) (?:need to |have to )?do (?:to|in order to) |"
    r"(?:any|some) (?:tips|advice|ideas?|suggestions?) (?:on|for) (?:how to )?|the (?:best )?way to )(?P<rest>.+)",
    re.IGNORECASE,
)
_MAY_I = re.compile(
    rf"(?:(?:can|could|may|might) {_SUBJECT}|(?:am i|are we) (?:able|allowed) to|is it (?:possible|ok|okay|allowed)(?: for (?:me|us))? to|"
    rf"is there (?:any|a|some) way(?: for (?:me|us))? to|is there (?:any|a) way {_SUBJECT} can) {_ADVERB}(?P<rest>.+)",
    re.IGNORECASE,
)
_SHOULD_I = re.compile(rf"should {_SUBJECT} {_ADVERB}(?P<rest>.+)", re.IGNORECASE)
TO_KNOW = re.compile(
    rf"(?:{_SUBJECT} (?:would |do |am |was )?(?:just )?(?:like to|love to|want to|need to|wanted to)? ?(?:know|find out|wonder|wondering|understand|learn|check|see|curious|unsure|"
    r"don'?t know|don'?t understand|do not know|do not understand|not sure|am not sure|unclear|confused|figure out)(?: about| as to)?|(?:please )?(?:tell|show|teach|remind|inform|advise)(?: me| us)?|"
    r"let me know|give me (?:an )?idea(?: of)?|explain(?: to me)?|describe|do you (?:happen to )?know|did you know|any idea|find out|find|check|see|look up|figure out|verify|confirm|determine|"
    r"help me (?:understand|figure out|find out|know|see)|(?:i have )?(?:a )?(?:quick )?question(?: about| is|:)?)[,:]? (?P<rest>(?:if|whether|what|what's|how|why|where|when|who|which|whose)\b.+)",
    re.IGNORECASE,
)
_WANTS_THING = re.compile(
    rf"{_SUBJECT} (?:would |will |do |am |are |was |were |have been )?{_ADVERB}(?P<verb>like|love|want|need|require|wanted|needed|looking for|searching for|in search of|in need of|after|hoping for|looking at|interested in|"
    rf"in the mood for|thinking (?:about|of)|considering|planning|planning on|shopping for|requesting|asking (?:for|about)|calling about|inquiring about|enquiring about|writing about) (?P<rest>.+)",
    re.IGNORECASE,
)
_STRIPPED_CLAIM = re.compile(
    rf"(?:{_SUBJECT} (?:think|believe|guess|suspect|noticed|notice|see|saw|just noticed|just saw|found out|realized|realised|am (?:pretty |quite )?sure|am afraid|feel|heard)(?: that)? (?=(?:i|my|the|our|we|someone|there|a|an|your)\b)|"
    r"it (?:looks|seems|appears)(?: like| that| as if)? |(?:looks|seems) like |unfortunately,? |apparently,? |hello,? )",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(
    r"(?P<word>what|which|whose|how|where|when|why|who|whom)\b ?(?P<rest>.*)",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"(?P<auxiliary>is|are|am|was|were|do|does|did|has|have|had|will|would|should|can|could|may|might|must|"
    r"isn't|aren't|wasn't|weren't|don't|doesn't|didn't|hasn't|haven't|won't|wouldn't|shouldn't|can't|couldn't) (?P<rest>.+)",
    re.IGNORECASE,
)
_CANNOT = re.compile(
    rf"{_SUBJECT} (?:still |just |simply |really )?(?:can't|cannot|can not|couldn't|could not|can no longer|(?:am|are|was|were) (?:unable|not able) to|have been unable to|(?:am|are|keep|was) (?:having|had) (?:some |a lot of )?{_TROUBLE}(?: with)?|"
    rf"(?:have|had) (?:some )?(?:trouble|difficulty|problems|a hard time)(?: with)?|(?:am|are) struggling(?: to| with)?) (?:seem to |get to )?(?:to )?(?P<rest>.+)",
    re.IGNORECASE,
)
_HAS_PROBLEM = re.compile(
    rf"(?:{_SUBJECT} (?:am |are )?(?:have|had|having|got|experiencing|facing|encountered|run into|ran into|get|getting)|there (?:is|are|was|were|seems to be|must be)) (?P<rest>(?:an? |some |the |this |several )?(?:\w+ )?{_TROUBLE}\b.*)",
    re.IGNORECASE,
)
_LOST = re.compile(
    rf"{_SUBJECT} (?:have |had |just |think i |may have |might have )*(?P<verb>lost|misplaced|broke|damaged|dropped|cracked|left) (?P<rest>.+)",
    re.IGNORECASE,
)
_FORGOT = re.compile(
    rf"{_SUBJECT} (?:have |had |just |can't remember|cannot remember|don't remember|do not remember|forget|forgot|forgotten|keep forgetting)+ (?P<rest>(?:my|the|our|a|what|where|how|which)\b.+)",
    re.IGNORECASE,
)
_SUFFERED = re.compile(
    rf"{_SUBJECT} (?:have |had |just )*(?:was|were|been|got|am being|keep being|keep getting|get|am getting) (?:still |just |wrongly |incorrectly )?(?P<rest>(?P<participle>\w+)\b.*)",
    re.IGNORECASE,
)
_OF_SUBJECT = r"(?!\b(?:is|are|was|were|has|have|had|won't|doesn't|i|it|that)\b)[^ ,;:]+"
_SUBJECT_STATE = re.compile(
    rf"(?P<subject>(?:(?:my|our|the|a|an|your|this|some|one of my|all my|every)\b )?(?:{_OF_SUBJECT} ){{0,6}}?{_OF_SUBJECT}) "
    r"(?P<state>(?:(?:just|suddenly|still|always|never|only) )*(?:is|are|was|were|has|have|had|won't|will not|wouldn't|doesn't|does not|don't|do not|didn't|did not|isn't|is not|aren't|wasn't|weren't|hasn't|has not|"
    r"haven't|can't|cannot|couldn't|keeps|keep|kept|stopped|stops|failed|fails|crashed|crashes|never|shows|says|froze|freezes|broke|disappeared|went|got|not) .+)",
    re.IGNORECASE,
)
# What a user can't do, or doesn't know, is what they want: here the negation is answered and not lost.
_INABILITY = re.compile(
    rf"\b{_SUBJECT} (?:still |just |simply |really |also )?(?:can't|cannot|can not|couldn't|could not|can no longer|(?:am|are|was|were) (?:unable|not able)|"
    r"(?:have|has) been unable|(?:do not|don't|didn't|did not) (?:know|understand|remember|recall|see)|(?:am|are|was|were) not (?:sure|certain|clear))\b|"
    r"\bnot sure\b",
    re.IGNORECASE,
)
# A remark between a negation and its verb: "don't, under any circumstances, delete it"
_REMARK = re.compile(
    r"\b(?P<no>(?:do|must|should|would|will|did|does|have|can) not|\w+n't|never)(?:,? ever,? |, (?!thank|no\b)[^,;:]{0,80}, ?)",
    re.IGNORECASE,
)
# What says no to what follows it, however far away that is
_LEAVES_OPEN = re.compile(
    r"\b(?:think|believe|suppose|say|said|mean|feel|guess|imagine|sure|that|because|as if|like|to|you)$", re.IGNORECASE
)
_OWN_SUBJECT = re.compile(
    r"(?:i|we|how|what|why|where|when|which|who|(?:can|could|would|will|should|do|does|did|is|are) (?:i|we|you|u|there|it|my|the))\b",
    re.IGNORECASE,
)

_CONTRACTIONS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\bi['’]?m\b", "I am"),
        (r"\bi['’]d\b", "I would"),
        (r"\b(i|we|you|they)['’]ve\b", r"\1 have"),
        (r"\b(i|we|you|they|he|she|it)['’]ll\b", r"\1 will"),
        (r"\b(we|you|they)['’]re\b", r"\1 are"),
        (r"\b(we|you|they)['’]d\b", r"\1 would"),
        (r"\b(what|where|when|who|how|why|there|it|that|he|she)['’]?s\b(?! (?:name|book))", r"\1 is"),
        (r"\b(what|where|when|who|how|why)['’]re\b", r"\1 are"),
        (r"\blet['’]?s\b", "let us"),
        (r"\b(can|won|don|doesn|isn|didn|couldn|wouldn|hasn|haven|aren|wasn|weren|shouldn)['’]?t\b", r"\1't"),
        (r"\bim\b", "I am"),
        (r"\bu\b", "you"),
        (r"\bpls\b|\bplz\b", "please"),
    )
]


def _normalised(sentence: str) -> str:
    text = clean(sentence).replace("’", "'").replace("`", "'")
    text = re.sub(r"(?i)(\b\w*(?:error|exception)\b): .*$", r"\1", text)  # what a program says is no request
    text = re.sub(r"\([^()]{0,200}\)", " ", text)
    text = strip_niceties(text)
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    text = re.sub(r"(?i),? ?\b(?:please|thanks|thank you|thx|asap|kindly)\b[ .!,?]*$", "", text)
    text = re.sub(r"(?i)\b(?:please|kindly)\b ?", "", text)
    text = " ".join(text.split()).rstrip(" .!?…,;:-")
    # A capital at the start says nothing, unless more follow in the word or it is the "I".
    first, _, rest = text.partition(" ")
    text = f"{first.lower()} {rest}" if first[1:].islower() else text
    text = re.sub(r"(?i)^(?:do not|don't) forget to ", "", text)
    return _REMARK.sub(r"\g<no> ", text)


def imperatives(sentence: str) -> list[Imperative]:
    """Return the sentence rewritten as imperatives, surest first; none where no pattern fits.

    The texts have a capital first letter and no mark at their end, and are as long as the sentence makes them.
    """
    text = _normalised(sentence)
    found: dict[str, Imperative] = {}
    for number, clause in enumerate(_clauses(text)):
        for candidate in _rewritten(clause):
            final = _finished(candidate.text)
            if final and _keeps_negation(clause, final):
                # A later clause says it less surely than the first.
                sureness = candidate.sureness - 0.05 * number
                if final not in found or found[final].sureness < sureness:
                    found[final] = Imperative(final, sureness)
    return sorted(found.values(), key=lambda candidate: (-candidate.sureness, candidate.text))


def _clauses(text: str) -> list[str]:
    """Return the text itself and what follows in it after a comma or a conjunction and starts anew.

    After a negation only what has a subject of its own, or asks, starts anew: the rest may well be what is denied.
    """
    parts = re.split(
        r"(?i)(?:[,;:…]|\.\.+| [-–—]) (?:- )?(?:and |but |so |then |because )?|\b(?:and|but|so) (?=(?:i|we|can|could|would|how|what|why|where|please|my)\b)",
        text,
    )
    if len(parts) > 6:
        return [text]
    clauses = [text]
    for number, part in enumerate(parts[1:], 1):
        clause = strip_niceties(part)
        denied = any(map(NEGATION.search, parts[:number]))
        left_open = any(NEGATION.search(before) and _LEAVES_OPEN.search(before.strip()) for before in parts[:number])
        if len(clause.split()) > 2 and (not denied or (_OWN_SUBJECT.match(clause) and not left_open)):
            clauses.append(clause)
    return clauses


def _keeps_negation(clause: str, rewritten: str) -> bool:
    if not NEGATION.search(_INABILITY.sub(" ", clause)):
        return True
    return bool(NEGATION.search(rewritten) or rewritten.startswith("Avoid "))


def _finished(text: str) -> str | None:
    text = re.sub(r"(?i),? ?\b(?:under|in|with|by|for)? ?(?:the )?name (?:of )?\[name\]", "", text)
    text = MASK.sub("…", text)
    if re.search(r"[{}<>=|\\\[\]*#~^]|_\w", text):
        return None  # what is masked, in brackets, says nothing to a reader, and neither does code
    text = " ".join(onlooker(" ".join(text.split())).split()).strip(" .!?,;:-\"'")
    text = re.sub(r"(?i)\b(\w+) \1\b", r"\1", text)
    text = re.sub(r"(?i)\b(\w+) (by|to|after) \1\b", r"\1-\2-\1", text)  # "day by day" is one word
    # Quotation marks go, and apostrophes stay; what has a meaning only as a whole goes too.
    text = re.sub(r"[\"“”„«»]|(?<!\w)['‘’]|['‘’](?!\w)", "", text)
    text = " ".join(re.sub(r"(?i),? step by step\b", "", text).split())
    text = re.sub(r"(?i)\b(a) (?=[aeio](?!ne\b|nce\b|uro))", r"\1n ", text)
    words = text.split()
    if len(words) < 2 and text.lower() not in ENGLISH_VERBS:
        return None
    return text[0].upper() + text[1:]


def _rewritten(text: str, depth: int = 0) -> list[Imperative]:
    if depth > 4 or len(text.split()) < 2:
        return []
    again = depth + 1
    # A dropped "I": "need to …", "lost my …", "looking for …"
    if re.match(
        r"(?i)(?:need|want|wanna|would like|looking|trying|having|unable|lost|forgot|can't|cannot|couldn't|got charged|was charged|interested)\b",
        text,
    ):
        verb = "am " if re.match(r"(?i)(?:looking|trying|having|unable|interested)\b", text) else ""
        return _rewritten(f"I {verb}{text}", again)
    if match := _STRIPPED_CLAIM.match(text):
        return _rewritten(text[match.end() :], again)
    if match := re.match(
        r"(?i)(?:if|when|since|as|because|after|before|while|for|in|on|at|with) [^,]{3,80}, (?P<rest>.+)", text
    ):
        return _rewritten(match["rest"], again)
    for pattern, rewrite in _RULES:
        match = pattern.match(text)
        if match and (result := rewrite(match, again)):
            return result
    words = text.split()
    first = words[0].lower()
    if first in ENGLISH_VERBS:
        second = words[1].lower()
        noun_first = first in VERBS_THAT_ARE_NOUNS and second not in DETERMINERS | {"me", "us", "it", "all"}
        if noun_first and second == "of":
            return _noun_phrase(text)
        return _verb_phrase(text, 0.6 if noun_first else 0.9, again)
    if (base := base_of_gerund(first)) and len(words) > 1:
        return _verb_phrase(" ".join([base, *words[1:]]), 0.6, again)
    return _noun_phrase(text)


def _verb_phrase(text: str, sureness: float, depth: int) -> list[Imperative]:
    """Rewrite what follows "can you", "I want to" or "how do I": a verb and the rest."""
    text = re.sub(rf"^(?i:{_ADVERB})", "", text).strip()
    if match := TO_KNOW.match(text):
        return _question(match["rest"], depth)
    if match := re.match(
        r"(?i)(?:be able to|get to|start to|start by|try (?:and|to)|go ahead and|go and|let me|let us|make sure to|figure out how to|learn how to|know how to|find a way to|show (?:me )?how to|tell (?:me )?how to|teach (?:me )?(?:how )?to|explain (?:to me )?how to) (?P<rest>.+)",
        text,
    ):
        return _verb_phrase(match["rest"], sureness, depth + 1) if depth < 6 else []
    if match := re.match(
        r"(?i)(?:help|assist|aid|(?:walk|talk|guide|take) (?=me|us))(?: ?me| us)?(?: out)?(?: (?:to|in|by|with|on|through))? (?P<rest>.+)",
        text,
    ):
        rest = match["rest"]
        first = rest.split()[0].lower()
        base = first if first in ENGLISH_VERBS else base_of_gerund(first)
        if base:
            return _verb_phrase(" ".join([base, *rest.split()[1:]]), sureness, depth + 1) if depth < 6 else []
        return [Imperative(f"help with {rest}", sureness - 0.1)]
    if match := re.match(
        r"(?i)(?:know|find out|learn|hear|ask|inquire|get info(?:rmation)?|get details)(?: more| something| you| a question| some questions)?(?: about| on| regarding)? (?P<rest>.+)",
        text,
    ):
        about = re.match(r"(?i)(?:learn|ask|inquire|hear)|.*?\babout\b", text)
        return [Imperative(f"{'learn about' if about else 'find out'} {match['rest']}", sureness)]
    if match := re.match(
        r"(?i)tell (?:me|us)(?P<about> (?:all |more |something |a bit |a little )?about)? (?P<rest>.+)", text
    ):
        rest = match["rest"]
        if match["about"]:
            return [Imperative(f"learn about {rest}", sureness)]
        told = TOLD_NOUNS.intersection(rest.lower().split()[:4])
        return [Imperative(f"{'tell' if told else 'find out'} {rest}", sureness)]
    if match := re.match(r"(?i)let (?:me|us) know (?P<rest>.+)", text):
        return [Imperative(f"find out {match['rest']}", sureness)]
    if match := re.match(r"(?i)remind me (?P<rest>.+)", text):
        return [Imperative(f"set a reminder {match['rest']}", sureness)]
    words = text.split()
    first = words[0].lower()
    if first not in ENGLISH_VERBS:
        base = base_of_gerund(first)
        if base is None:
            # An unknown verb is one where something it can act on follows.
            known = len(words) > 1 and words[1].lower() in DETERMINERS
            if not known or not words[0].islower() or first.endswith(("ed", "s")) or first in ENGLISH_FUNCTION_WORDS:
                return []
            return [Imperative(text, sureness - 0.2)]
        words[0] = base
        text = " ".join(words)
    # Alone a verb says what is wanted only if it is a long one, as "unsubscribe" is.
    text = re.sub(r"^(\S+) (?:me|us)\b", r"\1", text)
    return [Imperative(text, sureness)] if len(text.split()) > 1 or len(text) > 8 else []


def _question(text: str, depth: int) -> list[Imperative]:
    """Rewrite a question, direct ("what is my balance") or reported ("what my balance is")."""
    if match := _HOW_TO.match(text):
        return _verb_phrase(match["rest"], 0.85, depth + 1)
    if match := re.match(r"(?i)(?:if|whether)(?: or not)? (?P<rest>.+)", text):
        rest = match["rest"]
        if favour := _ASKED.match(rest):
            return _verb_phrase(favour["rest"], 0.9, depth + 1)
        return [Imperative(f"check whether {rest}", 0.85)]
    match = _QUESTION_WORD.match(text)
    if not match:
        return []
    word, rest = match["word"].lower(), match["rest"]
    words = rest.split()
    if not words:
        return []
    if reason := re.match(r"(?i)(?:come |is it (?:that )?(?=[^ ]+ [^ ]+ [^ ]+))(?P<rest>.+)", rest):
        if (word == "how" and rest.lower().startswith("come")) or (
            word == "why" and rest.lower().startswith("is it that")
        ):
            return [Imperative(f"explain why {reason['rest']}", 0.85)]
    verb = "explain" if word == "why" or (word == "how" and words[0].lower() in DO) else "find out"
    # Where the auxiliary stands: right after the question word, or after what belongs to it ("how much | does …").
    place = next(
        (place for place, part in enumerate(words[:6]) if part.lower() in AUXILIARIES or part.lower().endswith("n't")),
        None,
    )
    if place is None:
        sureness = 0.7 if word in ("who", "which", "what") or (word == "how" and len(words) > 1) else 0.5
        return [Imperative(f"{verb} {word} {rest}", sureness)]
    head, auxiliary, tail = " ".join(words[:place]), words[place], " ".join(words[place + 1 :])
    asked = f"{word} {head}".strip()
    if not tail:
        return [Imperative(f"{verb} {word} {rest}", 0.7)]
    subject = tail.split()[0].lower()
    if place and words[0].lower() in PRONOUNS | DETERMINERS and word not in ("what", "which", "whose", "how"):
        return [Imperative(f"{verb} {word} {rest}", 0.8)]  # reported: "where my package is"
    if place and words[0].lower() in {"i", "you", "we", "it", "they", "my", "the", "this", "your"}:
        return [Imperative(f"{verb} {word} {rest}", 0.8)]
    if not head and word == "what" and auxiliary.lower() in BE:
        return _what_is(auxiliary, tail)
    if (
        auxiliary.lower() in MODALS | {"do"}
        and subject in ("i", "we", "you", "one")
        and word != "why"
        and auxiliary.lower() not in ("will", "would", "may", "might")
    ):
        action = " ".join(tail.split()[1:])
        action_verb = action.split()[0].lower() if action else ""
        if auxiliary.lower() != "do" or word == "where":
            if word == "where" and action_verb in ("find", "get", "see"):
                return _verb_phrase(action, 0.8, depth + 1)
            if action_verb in VERBS:
                return [Imperative(f"find out {asked} to {action}", 0.85)]
    if word == "who" and not head and auxiliary.lower() not in BE | DO:
        return [Imperative(f"find out who {rest}", 0.8)]
    if not head and word in ("where", "who", "when", "how") and auxiliary.lower() in BE:
        placed = re.match(
            r"(?i)(?P<subject>.+?) (?P<state>(?:right now|now|at|going|located|due|made|from|so|still|not|being|held|happening)\b.*)$",
            tail,
        )
        if placed is None:
            return [Imperative(f"find out {word} {tail} {auxiliary.lower()}", 0.85)]
    next_word = tail.split()[0].lower()
    if head and (next_word in PREPOSITIONS | PREDICATES or next_word.endswith("ing") or base_of_past(next_word)):
        return [Imperative(f"{verb} {word} {rest}", 0.8)]  # "how many calories | are | in a banana"
    if stated := uninverted(auxiliary, tail):
        verb = "explain" if stated.lower().endswith((" mean", " means")) else verb
        return [Imperative(f"{verb} {asked} {stated}", 0.8)]
    if auxiliary.lower() in BE:
        return [Imperative(f"{verb} {asked} {tail} {auxiliary.lower()}", 0.7)]
    return []


def _what_is(auxiliary: str, tail: str) -> list[Imperative]:
    first = tail.split()[0].lower()
    if (
        first in PREDICATES
        or first in {"wrong", "happening", "going", "causing", "making", "up", "it"}
        or first in PREPOSITIONS
    ):
        return [Imperative(f"find out what {auxiliary.lower()} {tail}", 0.7)]
    if ABSTRACT_NOUNS.intersection(tail.lower().split()[:4]):
        return [Imperative(f"explain {tail}", 0.9)]
    if match := re.match(r"(?i)(?P<thing>.+?) (?:for|used for|good for|like|about|made of|called)$", tail):
        return [Imperative(f"find out what {match['thing']} {auxiliary.lower()}{tail[len(match['thing']) :]}", 0.7)]
    if first in DETERMINERS - {"a", "an", "some", "any", "no"} or auxiliary.lower() == "are":
        return [Imperative(f"find out {tail}", 0.9)]
    return [Imperative(f"explain what {tail} {auxiliary.lower()}", 0.8)]


def _yes_no(match: re.Match[str], depth: int) -> list[Imperative]:
    auxiliary, rest = match["auxiliary"], match["rest"]
    if having := re.match(r"(?i)you (?:guys )?(?:have|offer|provide|got) (?P<rest>.+)", rest):
        if auxiliary.lower() in ("do", "have"):
            thing = re.sub(r"(?i)^(?:any|some) ", "", having["rest"])
            words = re.split(rf"\b(?:{'|'.join(PREPOSITIONS | CONJUNCTIONS)})\b", thing)[0].split()
            return [
                Imperative(f"check whether there {'are' if words and is_plural(words[-1]) else 'is'} {thing}", 0.75)
            ]
    if there := re.match(r"(?i)there (?P<rest>.+)", rest):
        return [Imperative(f"check whether there {auxiliary.lower()} {there['rest']}", 0.85)]
    stated = uninverted(auxiliary, rest)
    # "Is it the router?": a name can't say what "it" is, unless it is nothing, as in "is it safe to …" or "will it rain"
    vague = re.match(
        r"(?i)(?:it|they|he|she|(?:this|that)(?= (?:a|an|the)\b))\b(?! .{1,40}\b(?:to|that|if)\b| (?:rain|snow|be)\b)",
        rest,
    )
    return [Imperative(f"check whether {stated}", 0.45 if vague else 0.75)] if stated else []


def _may_i(match: re.Match[str], depth: int) -> list[Imperative]:
    rest = match["rest"]
    first = rest.split()[0].lower()
    if first in GRANTED_VERBS and not NEGATION.search(rest):
        return _verb_phrase(rest, 0.85, depth)
    return [Imperative(f"check whether it is possible to {rest}", 0.75)] if first in VERBS else []


def _wants_thing(match: re.Match[str], depth: int) -> list[Imperative]:
    verb, rest = match["verb"].lower(), match["rest"]
    first = rest.split()[0].lower()
    if first == "to" or (first in {"it", "that", "them", "this", "one", "you"} and len(rest.split()) < 4):
        return []
    if helped := re.match(
        r"(?i)(?:some |any |your |a little |a bit of |more )*(?:help|assistance|guidance)(?: please)?(?: (?:with|in|on|to|for|from you|about|regarding))* (?P<rest>.+)",
        rest,
    ):
        inner = helped["rest"]
        word = inner.split()[0].lower()
        base = word if word in ENGLISH_VERBS else base_of_gerund(word)
        if base:
            return _verb_phrase(" ".join([base, *inner.split()[1:]]), 0.9, depth)
        return [Imperative(f"help with {inner}", 0.8)]
    if "about" in verb and verb.split()[0] != "thinking":
        return [Imperative(f"ask about {rest}", 0.8)]
    if (base := base_of_gerund(first)) and first not in {"wedding", "building", "meeting", "parking", "housing"}:
        return _verb_phrase(" ".join([base, *rest.split()[1:]]), 0.85, depth)
    if information := re.match(
        r"(?i)(?:some |more |any |the |your )*(?:info|information|details|detail) (?:about|on|regarding|for) (?P<rest>.+)",
        rest,
    ):
        return [Imperative(f"learn about {information['rest']}", 0.85)]
    if verb.startswith("planning"):
        return [Imperative(f"plan {rest}", 0.8)]
    asks = {
        "looking for",
        "searching for",
        "in search of",
        "after",
        "looking at",
        "interested in",
        "in the mood for",
        "shopping for",
        "considering",
        "thinking of",
        "thinking about",
        "hoping for",
    }
    if verb in asks:
        return [Imperative(f"find {rest}", 0.85)]
    if verb in ("love", "like") and not re.match(r"(?i)\w+ would\b", match[0]):
        return []
    return [Imperative(f"get {rest}", 0.75)]


def _cannot(match: re.Match[str], depth: int) -> list[Imperative]:
    rest = re.sub(
        r"(?i)^(?:figure out|understand|decide|work out|see) (?=how|what|why|where|which|whether)", "", match["rest"]
    )
    if rest != match["rest"]:
        return _question(rest, depth)
    words = rest.split()
    first = words[0].lower()
    if first in ("find", "locate") and len(words) > 1:
        thing = " ".join(words[2:] if words[1].lower() == "any" else words[1:])
        if words[1].lower() == "any" and not is_plural(words[2] if len(words) == 3 else words[-1]):
            thing = f"an {thing}" if thing[0].lower() in "aeiou" else f"a {thing}"
        return [Imperative(f"find {thing}", 0.8)]
    if first in ("remember", "recall") and len(words) > 1:
        return [Imperative(f"recall {' '.join(words[1:])}", 0.8)]
    base = first if first in VERBS else base_of_gerund(first)
    if base:
        return [Imperative(f"fix trouble {gerund(base)} {' '.join(words[1:])}", 0.85)]
    return [Imperative(f"fix trouble with {rest}", 0.7)] if first in DETERMINERS else []


def _do_not(match: re.Match[str], depth: int) -> list[Imperative]:
    if match["rest"].split()[0].lower() in {
        "know",
        "understand",
        "see",
        "think",
        "have",
        "you",
        "we",
        "i",
        "they",
        "worry",
        "forget",
    }:
        return []
    return [Imperative(f"do not {match['rest']}", 0.85)]


def _has_problem(match: re.Match[str], depth: int) -> list[Imperative]:
    return [Imperative(f"fix {match['rest']}", 0.85)]


def _lost(match: re.Match[str], depth: int) -> list[Imperative]:
    if match["rest"].split()[0].lower() not in DETERMINERS:
        return []
    thing = re.sub(r"(?i)^(?:my|our|the|a|an) ", "", match["rest"])
    word = {"left": "left-behind", "broke": "broken", "dropped": "dropped"}.get(
        match["verb"].lower(), match["verb"].lower()
    )
    article = (
        "" if is_plural(re.split(rf" (?:{'|'.join(PREPOSITIONS | CONJUNCTIONS)}) ", thing)[0].split()[-1]) else "a "
    )
    return [Imperative(f"report {article}{word} {thing}", 0.9)]


def _forgot(match: re.Match[str], depth: int) -> list[Imperative]:
    rest = match["rest"]
    if _QUESTION_WORD.match(rest):
        return _question(rest, depth)
    thing = re.sub(r"(?i)^(?:my|our|the|a|an) ", "", rest)
    return [Imperative(f"recover a forgotten {thing}", 0.85)]


def _suffered(match: re.Match[str], depth: int) -> list[Imperative]:
    participle = match["participle"].lower()
    if base_of_past(participle) is None and participle not in {
        "overcharged",
        "billed",
        "logged",
        "locked",
        "scammed",
        "hacked",
    }:
        return []
    return [Imperative(f"report being {match['rest']}", 0.85)]


def _state(match: re.Match[str], depth: int) -> list[Imperative]:
    subject, state = match["subject"].strip(), match["state"]
    words = {word.strip(".,!").lower() for word in match[0].split()}
    if not (PROBLEM_WORDS & words or NEGATION.search(state)) or subject.lower() in PRONOUNS:
        return []
    if re.match(r"(?i)not\b", state):
        if any(word in AUXILIARIES | PRONOUNS or _QUESTION_WORD.match(word) for word in subject.lower().split()):
            return []  # a sentence of its own, not a thing that doesn't work
        return [Imperative(f"fix {subject} {state}", 0.75)]
    words_of_subject = subject.split()
    bare = (
        words_of_subject[0].lower() not in DETERMINERS
        and words_of_subject[0].islower()
        and not is_plural(words_of_subject[-1])
    )
    return [Imperative(f"report that {'the ' if bare else ''}{subject} {state}", 0.8)]


_MAY_BE_NOUNS = VERBS_THAT_ARE_NOUNS | {f"{verb}s" for verb in VERBS_THAT_ARE_NOUNS}


def _noun_phrase(text: str) -> list[Imperative]:
    """Rewrite what has no verb: "weather in Paris", "any good restaurants nearby", "no sound"."""
    words = text.split()
    lower = [word.lower().strip(",") for word in words]
    if (
        len(words) > 8
        or base_of_past(lower[0])
        or lower[0] in PRONOUNS | AUXILIARIES | CONJUNCTIONS | {"that's", "here", "both", "same"}
    ):
        return []
    if lower[0] in ("any", "some", "more"):
        return [Imperative(f"find {' '.join(words[1:])}", 0.6)]
    if lower[0] in ("no", "not"):
        return [Imperative(f"report {text}", 0.7)]
    says_no = NEGATION.search(text)
    if says_no and any(word in AUXILIARIES or word.endswith("n't") or word in {"nor", "nobody"} for word in lower):
        return []
    if PROBLEM_WORDS.intersection(lower) or says_no:
        return [Imperative(f"fix {text}", 0.6)]
    if any(
        word in AUXILIARIES or ((word in VERBS or base_of_third_person(word)) and word not in _MAY_BE_NOUNS)
        for word in lower
    ):
        return []  # a statement, not a thing
    return [Imperative(f"ask about {text}", 0.2)]


# German and Spanish ---------------------------------------------------------------------------------------------------

# Both languages put a wish as a modal verb and an infinitive, and the infinitive alone is how they name a task.
_GERMAN_WISH = re.compile(
    r"(?:(?:wie|wo|womit) )?(?:kann|könnte|soll|sollte|muss|darf|möchte|will|würde|müsste) (?:ich|man|wir)(?: bitte| gerne?| mal| denn| hier)* (?P<a>.+)|"
    r"(?:kannst|könntest|würdest) du(?: mir| mich| uns| bitte| mal)* (?P<b>.+)|(?:können|könnten|würden) sie(?: mir| mich| uns| bitte| mal)* (?P<c>.+)|"
    r"(?:ich|wir) (?:möchten?|will|wollen|muss|müssen|würden?|soll|kann|kriege|bekomme)(?: bitte| gerne?| mal| mich| mir| jetzt| nur)* (?P<d>.+)",
    re.IGNORECASE,
)
_SPANISH_WISH = re.compile(
    r"(?:(?:cómo|como|dónde|donde) )?(?:puedo|podría|podríamos|podemos|debo|se puede|hago para|hacer para|puedes|podrías|puede|podéis|quiero|quisiera|querría|"
    r"queremos|necesito|necesitamos|me gustaría|nos gustaría|tengo que|tendría que|deseo|intento|estoy intentando|estaba intentando)(?: por favor)? (?P<rest>[^\W\d_]+(?:[aeiáéí]r)(?:[mts]e|nos|l[aeo]s?)?\b.*)",
    re.IGNORECASE,
)


def infinitives(sentence: str) -> list[Imperative]:
    """Return a German or Spanish wish as the infinitive it contains: "Wie kann ich mein Abo kündigen?" → "Abo kündigen"."""
    text = re.split(r"[,;:.!?¿¡…(]| und | y | aber | pero ", strip_niceties(clean(sentence)).strip(" ¿¡"))[0].strip()
    if NEGATION_ABROAD.search(text):
        return []
    if match := _GERMAN_WISH.match(text):
        rest = next(group for group in match.groups() if group)
        if not re.search(r"[^\W\d_]{2,}n$", rest):
            return []
        rest = re.sub(r"(?i)\b(?:mein|dein|unser|ihr)(?:e[nmrs]?)?\b ?|\b(?:mir|mich|bitte|gerne?)\b ?", "", rest)
    elif match := _SPANISH_WISH.match(text):
        rest = re.sub(r"(?i)^([^\W\d_]+[aeiáéí]r)(?:me|te|se|nos)\b", r"\1", match["rest"])
        rest = re.sub(r"(?i)^(?:saber|decir|ayudar|ayudar a) (?:cómo |como |a )?(?=[^\W\d_]+[aei]r\b)", "", rest)
    else:
        return []
    rest = " ".join(rest.split())
    if MASK.search(rest) or not 2 <= len(rest.split()) <= 10:
        return []
    return [Imperative(rest[0].upper() + rest[1:], 0.9)]


NEGATION_ABROAD = re.compile(r"(?i)\b(?:nicht|kein\w*|nie|niemals|ohne|no|nunca|jamás|tampoco|nada|sin)\b")


_Rule = Callable[[re.Match[str], int], list[Imperative]]
_RULES: list[tuple[re.Pattern[str], _Rule]] = [
    (TO_KNOW, lambda match, depth: _question(match["rest"], depth)),
    (_HOW_TO, lambda match, depth: _verb_phrase(match["rest"], 0.9, depth)),
    (_DO_NOT, _do_not),
    (_DID_NOT, lambda match, depth: [Imperative(f"report that i {match['how']} {match['rest']}", 0.8)]),
    (_DOES_NOT_WANT, lambda match, depth: [Imperative(f"avoid {match['rest']}", 0.7)]),
    (_MIND, lambda match, depth: _verb_phrase(match["rest"], 0.9, depth)),
    (_CANNOT, _cannot),
    (_FORGOT, _forgot),
    (_LOST, _lost),
    (_HAS_PROBLEM, _has_problem),
    (_WISHES, lambda match, depth: _verb_phrase(match["rest"], 0.95, depth)),
    (_MAY_I, _may_i),
    (_ASKED, lambda match, depth: _verb_phrase(match["rest"], 0.95, depth)),
    (_SHOULD_I, lambda match, depth: [Imperative(f"decide whether to {match['rest']}", 0.8)]),
    (_WANTS_THING, _wants_thing),
    (_SUFFERED, _suffered),
    (_QUESTION_WORD, lambda match, depth: _question(match[0], depth)),
    (_YES_NO, _yes_no),
    (_SUBJECT_STATE, _state),
]
