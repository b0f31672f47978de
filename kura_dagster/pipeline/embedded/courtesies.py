"""Salutations and sign-offs: what stands around a request in a letter, and says nothing about it.

Greetings that a sentence only begins with are stripped by `request_sentence`; here go those that stand by themselves,
with the names in them, so that they are neither taken for a request nor name a cluster.
"""

from __future__ import annotations

import re

_NAME_WORD = r"(?:\[name\]|[^\W\d_a-zß-öø-ÿ][\w'’.-]{0,30})"
_NAME = rf"{_NAME_WORD}(?:,? (?:(?:van|von|de|del|der|den|da|la|und|and|y|e|et) ){{0,2}}{_NAME_WORD}){{0,3}}"

# Said for nothing but to end a letter.
_FORMAL_SIGN_OFF = (
    r"mit (?:freundlichen|besten|vielen|herzlichen|lieben|sonnigen) gr(?:ü|ue)(?:ß|ss)en"
    r"|(?:viele|liebe|beste|herzliche|freundliche|schöne) gr(?:ü|ue)(?:ß|ss)e|hochachtungsvoll"
    r"|(?:with )?(?:best|kind|warm|kindest|warmest|many) regards|(?:all the |with )?best wishes"
    r"|yours (?:truly|sincerely|faithfully)|(?:bien )?cordialement|(?:sincères |meilleures )?salutations(?: distinguées)?"
    r"|(?:un |muchos )?(?:cordial(?:es)? )?saludos?(?: cordial(?:es)?)?|atentamente|atenciosamente|(?:com os )?melhores cumprimentos"
    r"|cordiali saluti|distinti saluti|met vriendelijke groet(?:en)?"
)
# These are said elsewhere as well, so they have to stand at the beginning of a line or a sentence.
_SHORT_SIGN_OFF = (
    r"lg|vg|mfg|bg|gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|cheers|regards|best|sincerely|rgds|br|abrazos?|abraços?|bises|saluti"
    r"|(?:many |kind )?thanks(?: again| a lot| so much| in advance)?|thank you(?: so much| very much| again| in advance)?|thx"
    r"|(?:vielen |besten |herzlichen )?dank(?:e)?(?: schön| im voraus)?|(?:muchas |mil )?gracias(?: de antemano)?|merci(?: d['’]avance)?"
    r"|obrigad[oa]"
)
# A name may follow in the next line where the text ends with it.
_SIGNED = rf"(?:[ ,.!–—-]{{0,3}}{_NAME}|[ ,.!–—-]{{0,3}}\n{{1,3}} {{0,4}}[-–—]? ?{_NAME}(?=[\s.!]{{0,4}}\Z))?[ ,.!–—-]{{0,4}}(?=\n|\Z)"
_SIGN_OFF = re.compile(
    rf"(?:\A|(?<=[\n.!?…,;:])) {{0,4}}(?i:{_FORMAL_SIGN_OFF}){_SIGNED}"
    rf"|(?:\A|(?<=[\n.!?…])) {{0,4}}(?i:{_SHORT_SIGN_OFF})(?![^\W_]){_SIGNED}"
    # Without a mark before it, its capital tells that a new line was meant.
    rf"|(?<= )(?=[A-Z])(?i:{_FORMAL_SIGN_OFF})(?![^\W_]){_SIGNED}"
)

_GREETING = (
    r"sehr geehrte[rs]?|dear|hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|hallo|moin|servus|guten (?:tag|morgen|abend)|grüß gott"
    r"|liebe[rs]?|hola|buenas(?: tardes| noches)?|buenos días|estimad[oa]s?|querid[oa]s?|bonjour|bonsoir|ch(?:er|ère)s?|ciao|ol[áa]"
)
_ADDRESSED = (
    r"there|again|everyone|everybody|all|team|guys|folks|support(?: team)?|customer (?:service|support|care)|both|zusammen|leute|ihr lieben"
    r"|liebes team|kundenservice|a tod[oa]s|equipo|à tous|tout le monde|amig[oa]s?|sirs?|madam|sir or madam|hiring manager|customer"
    r"|damen und herren|(?:mr|mrs|ms|mx|dr|prof|herrn?|frau|sra?|señora?)\.? (?:\[name\]|[^\W\d_]{2,30})"
)
_SALUTATION = re.compile(
    rf"(?:\A|(?<=\n)) {{0,4}}(?i:to whom it may concern|(?:{_GREETING}) {{1,2}}(?:(?:{_ADDRESSED})(?![^\W_])|(?-i:{_NAME})))"
    r"(?:[ ,!.:;–—-]{0,4}(?=\n|\Z)|[,!:;]+)"
)


def without_courtesies(text: str) -> str:
    """Return a text, its lines as they were written, without the salutations and sign-offs that stand by themselves."""
    # In this order: "Liebe Grüße" begins like a salutation.
    return _SALUTATION.sub("", _SIGN_OFF.sub("", text))
