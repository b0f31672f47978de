"""What identifies somebody by its form: e-mail addresses, phone numbers, cards, IBANs, IP addresses, numbers of papers.

A form is a pattern that proposes and a function that decides; only these are here. Keys, tokens and passwords are in
`secret_forms`, names in `introduced_names`. Where somebody keeps better knowledge than a pattern has, it decides:

- phonenumbers (Google's numbering plans; its light edition takes 3 MB, the whole one 48) whether digits with
  separators, and without a country's code, are a phone number anywhere nearby. Its own matcher is not used: it takes
  1.6 seconds for 100 KB of "1 1 1", and it knows neither made-up numbers nor "call me on" before any digits.
- python-stdnum how long an account number is in its country, and the check digits of identity papers.
- The standard library's ipaddress what an IPv6 address is.

The texts are hostile: every repetition in a pattern is bounded, and proposals are few where nothing can come of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

Replace = Callable[[re.Match[str]], str]
"""From what a pattern proposes to what stands there instead: the very same text where it is nothing personal."""


class Form(NamedTuple):
    """A pattern, and what becomes of its matches. It is only tried on texts that hold one of `hints`, if there are any.

    `needs_digit` spares the pattern all texts without a digit.
    """

    pattern: re.Pattern[str]
    replace: Replace
    hints: tuple[str, ...] = ()
    needs_digit: bool = False


def digits_of(text: str) -> str:
    """Return the digits 0 to 9 of a text."""
    return "".join(character for character in text if "0" <= character <= "9")


# E-mail ---------------------------------------------------------------------------------------------------------------

_DOMAIN = r"(?:[\w-]{1,63}\.){1,5}[^\W\d_]{2,24}(?![\w-])"
_EMAIL = re.compile(rf"(?<![\w.+%-])[\w.+%-]{{1,64}}@{_DOMAIN}")
_QUOTED_EMAIL = re.compile(rf"\"[^\"\n@]{{1,64}}\"@{_DOMAIN}")
# How an address is written that no program shall collect. "at" and "dot" alone are words, so both are needed.
_SPOKEN_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64} ?(?:\(at\)|\[at\]|\{at\}) ?[\w-]{1,63}(?: ?(?:\.|\(dot\)|\[dot\]|\(punkt\)) ?[\w-]{2,63}){1,4}"
    r"|(?<![\w.+-])[\w.+-]{1,64} (?:at|arroba) [\w-]{1,63}(?: (?:dot|punkt|punto) [\w-]{2,63}){1,4}(?!\w)",
    re.IGNORECASE,
)
_NO_MAILBOX = ("git@", "hg@", "svn@")  # what stands before the host of a repository


def _email(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith(_NO_MAILBOX) else "[email]"


# Account numbers and cards --------------------------------------------------------------------------------------------

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_IBAN_LENGTHS = range(34, 14, -1)
_MISTYPED_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?\d{1,3})?(?![A-Za-z0-9])")


def passes_mod_97(account: str) -> bool:
    """Whether an account number has the check digits of ISO 13616; spaces are ignored."""
    compact = re.sub(r"\W", "", account).upper()
    try:
        return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
    except ValueError:
        return False


def _iban(match: re.Match[str]) -> str:
    text = match[0]
    # Words may follow, and the country says how long the number is.
    ends = [found.end() for found in re.finditer(r"[A-Za-z0-9]", text)]
    for length in _IBAN_LENGTHS:
        if length <= len(ends) and (length == len(ends) or text[ends[length - 1]] in " -"):
            account = text[: ends[length - 1]]
            if passes_mod_97(account) and _is_iban(account):
                return "[iban]" + text[ends[length - 1] :]
    # One with a mistyped digit is as personal as a right one: plenty of digits convince as well.
    mistyped = _MISTYPED_IBAN.match(text)
    if mistyped and len(digits_of(mistyped[0])) >= 14:
        return "[iban]" + text[mistyped.end() :]
    return text


def _is_iban(account: str) -> bool:
    from stdnum import iban

    return iban.is_valid(account, check_country=False)


_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){11,18}(?![\w-]|[.,]\d)")
_CARD_GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}")
_DOTTED_CARD = re.compile(r"(?<![\w.,-])\d{4}(?:\.\d{4}){3}(?![\w-]|[.,]\d)")
# The issuers' first digits with their lengths, ISO/IEC 7812: Visa, Mastercard, American Express, Diners, Discover, JCB,
# UnionPay, Maestro.
_ISSUED = re.compile(
    r"(?:2131|1800)\d{11}|4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
    r"|(?:50|5[6-9]|6[0-9])\d{10,17}"
)


def passes_luhn(digits: str) -> bool:
    """Whether a string of digits has the check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _card(match: re.Match[str]) -> str:
    digits = digits_of(match[0])
    if digits.strip("0") == "":
        return match[0]
    # A number in a card's own groups is one even with a mistyped digit.
    if _CARD_GROUPS.fullmatch(match[0]) or (_ISSUED.fullmatch(digits) and passes_luhn(digits)):
        return "[card]"
    return match[0]


# Addresses of machines ------------------------------------------------------------------------------------------------

_IP_V4 = re.compile(r"(?<![\d.\w-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IP_V6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,5}:)[0-9A-Fa-f:]{6,39}(?P<zone>%[\w.-]{1,30})?(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
# As Cisco writes them. Digits alone may be an amount, letters alone a name in code.
_DOTTED_MAC = re.compile(
    r"(?<![\w.:-])(?=[0-9A-Fa-f.]{0,13}\d)(?=[\d.]{0,13}[A-Fa-f])[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![\w:-]|\.\w)"
)
_VERSION_BEFORE = re.compile(
    r"(?i)(?:\bv|\bver\.?|versi[oó]n(?:en|es|s)?|release|firmware|driver|treiber|section|abschnitt|secci[oó]n|chapter"
    r"|kapitel|build|norm|clause|from|to)[ :=]{0,2}$|[<>=~^!]=? ?$(?<![^<>=~^!]=)"
)
_VERSION_AFTER = re.compile(
    r"(?i) (?:of (?:the|a|our)\b|release|version|versi[oó]n|firmware|driver|der norm|del manual|or (?:later|newer))"
)


def _ip_v4(match: re.Match[str]) -> str:
    try:
        address = IPv4Address(match[0])
    except AddressValueError:
        return match[0]
    # Everybody's own machine, and masks of networks, are nobody's address.
    if address.is_loopback or address.is_unspecified or match[0].startswith("255."):
        return match[0]
    before = match.string[max(0, match.start() - 16) : match.start()]
    after = match.string[match.end() : match.end() + 16]
    looks_numbered = all(len(part) <= 2 for part in match[0].split("."))
    if looks_numbered and (_VERSION_BEFORE.search(before) or _VERSION_AFTER.match(after)):
        return match[0]
    return "[ip]"


def _ip_v6(match: re.Match[str]) -> str:
    text = match[0].removesuffix(match["zone"] or "")
    try:
        address = IPv6Address(text.rstrip(":") if text.endswith(":") and not text.endswith("::") else text)
    except AddressValueError:
        return match[0]
    # "a::b" is valid, and code, where no interface is named and no network of its own kind.
    is_told = match["zone"] is not None or address.is_link_local or text.count(":") >= 3
    if not is_told or not digits_of(text) or address.is_loopback or address.is_unspecified:
        return match[0]
    return "[ip]"


# Phone numbers --------------------------------------------------------------------------------------------------------

# Groups of digits with at most two separators between them. Shortest possible: seven digits.
_PHONE = re.compile(
    r"(?<![\w.,/+#$€£-])(?<!\d [/-] )(?=[+(]{0,2}[\d ()+./-]{7})"
    r"(?:\+ ?|\(\+)?\(?\d{1,14}\)?(?:(?: ?[-./] ?|  ?|(?=\()|(?<=\)))\(?\d{1,12}\)?){0,8}"
    r"(?P<extension> ?(?:x|ext\.?|extension|durchwahl|-?dw) ?\d{1,6})?(?![\w-]|[.,]\d| ?[%€$£°])",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"\d+\.\d+|0\.\d.*|.* 0\.\d.*")
_ZIP_CODE = re.compile(r"\d{5}-\d{4}")
_DATE_WITHIN = re.compile(r"(?:19|20)\d\d[-/.](?:0[1-9]|1[0-2])[-/.][0-3]\d")
_DATE = re.compile(r"(?:\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4})(?: \d{1,2})?")
_YEARS = re.compile(r"(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d(?: .*)?")
_NANP = re.compile(r"(?:(?:00)?1[-. ]?)?(?:\(\d{3}\) ?[-.]?|\d{3}[-.]| ?[2-9]\d\d )\d{3}[-. ]\d{4}|555[-. ]\d{4}")
_PHONE_WORD_BEFORE = re.compile(
    r"(?i)\b(?:phone|telephone|telefon|teléfono|tel|mobile|cell|celular|móvil|whatsapp|handy|festnetz|fax|handynummer"
    r"|rufnummer|telefonnummer|durchwahl|call|ring|text|dial|sms|llám[ae]\w{0,3}|llamar|ruf\w{0,2}|anrufen|rufen"
    r"|contact|reach \w+|kontakt|erreich\w{1,5}|encuentras|my number|mi número|meine nummer|phone number|teléfono es)\b(?:[^\w\n]{1,3}[^\W\d]{1,12}){0,3}[\"']?[^\w\n]{0,4}$"
)
_PHONE_WORD_AFTER = re.compile(
    r"(?i),? {0,2}(?:call|ring|text me|whatsapp|anruf|erreich|llám|is (?:my|the|his|her) (?:number|phone)"
    r"|is the number)"
)
_SPANISH_GROUPS = r"[6-9]\d\d \d{3} \d{3}|[6-9]\d(?:\d \d\d|[ -]\d{3}) \d\d \d\d|[6-9]\d\d-\d{3}-\d{3}"
_REGIONS = ("GB", "DE", "ES", "FR", "AT", "CH", "IT", "NL")
"""Whose numbers are known without their country's code: where the project's three languages are spoken, and around."""


def _phone(match: re.Match[str]) -> str:
    text = match[0].removesuffix(match["extension"] or "")
    if text.count(")") > text.count("("):
        # The bracket was opened before the number.
        text = text.removesuffix(")")
    left = "" if match["extension"] else match[0][len(text) :]
    return "[phone]" + left if _is_phone(text, match) else match[0]


def _is_phone(text: str, match: re.Match[str]) -> bool:
    digits = digits_of(text)
    if not 7 <= len(digits) <= 15 or len(set(digits)) == 1 or _DATE.fullmatch(text) or _YEARS.fullmatch(text):
        return False
    if text.lstrip("(").startswith("+"):
        return len(digits) >= 8
    if _NANP.fullmatch(text):
        return True
    groups = re.findall(r"\d+", text)
    if max(map(len, groups)) < 2 or (len(groups) > 6 and max(map(len, groups)) < 3):
        return False  # figures in a row
    if groups[0] == "0" or _ZIP_CODE.fullmatch(text) or _DECIMAL.fullmatch(text) or _DATE_WITHIN.search(text):
        return False
    before = match.string[max(0, match.start() - 60) : match.start()]
    after = match.string[match.end() : match.end() + 40]
    if _PHONE_WORD_BEFORE.search(before) or _PHONE_WORD_AFTER.match(after):
        return True
    if digits.startswith("00"):
        return len(digits) >= 10 and _is_number("+" + digits[2:], ("US",))
    if len(groups) == 1:
        # Digits in a row are a number of anything, unless they are a mobile phone's where those begin with a zero.
        return re.fullmatch(r"01[567]\d{8,9}|07[1-9]\d{8}", digits) is not None
    if digits.startswith("0"):
        return len(digits) >= 7 and (text.count("(") > 0 or _is_number(digits, _REGIONS))
    # Without a zero in front, groups of the same length may be anything: a range, a row of figures.
    is_grouped = re.fullmatch(_SPANISH_GROUPS, text) is not None
    return is_grouped and _is_number(digits, ("ES", "FR"))


@lru_cache(maxsize=4096)
def _is_number(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether these digits are a phone number in one of the regions."""
    import phonenumbers

    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


# Numbers of papers and of accounts ------------------------------------------------------------------------------------

_NOUN = (
    r"account|order|customer|client|card|policy|member(?:ship)?|passport|ticket|reference|ref|invoice|confirmation"
    r"|booking|reservation|tracking|case|licen[sc]e|social security|ssn|serial|tax|student|patient|employee|insurance|contract"
    r"|konto|kunden|bestell|rechnungs?|auftrags?|vertrags?|buchungs?|mitglieds?|versicherten|personal|ausweis"
    r"|sendungs|steuer|pedido|cuenta|cliente|factura|reserva|socio|contrato|pasaporte|expediente|póliza"
)
_LABELLED = re.compile(
    rf"(?i)(?<![^\W_])(?=[a-zé])((?:{_NOUN})(?P<sure>[- ]?(?:number|no\.?|nr\.?|nummer|id|ident|code|reference|ref|número|numero|nº|#))?"
    r"(?: (?:is|ist|es|lautet|was|war))?(?P<mark> ?[:#] ?#?| {1,2}#?))(?P<given>[A-Za-z0-9][A-Za-z0-9/-]{3,30})(?!\w|[.,]\d)"
)
_WORDY = re.compile(r"[^\W\d_]*-?[^\W\d_]*")


def _labelled(match: re.Match[str]) -> str:
    given = match["given"]
    n_digits = len(digits_of(given))
    is_sure = match["sure"] is not None or match["mark"].strip() != ""
    letters = len(given) - n_digits
    if is_sure:
        convincing = n_digits >= 4 or (n_digits >= 2 and len(given) >= 5 and given.upper() == given)
    else:
        # "Order 12000 of them", "the invoice was 1200 euros": without a word for it, more is asked of a number.
        convincing = n_digits >= (6 if letters == 0 else 4) or (n_digits == 5 and not given.endswith("00"))
    return f"{match[1]}[number]" if convincing and not _DATE.fullmatch(given) else match[0]


_PAPERS: tuple[tuple[str, str], ...] = (
    # Identity papers whose check digits python-stdnum knows, where the form alone is seldom anything else.
    (r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", ""),  # US social security; its check is in the pattern
    (r"\d{8}[- ]?[A-HJ-NP-TV-Z]", "stdnum.es.dni"),
    (r"[XYZ]-?\d{7}-?[A-Z]", "stdnum.es.nie"),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", ""),  # British national insurance
    (r"[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]", "stdnum.it.codicefiscale"),
    (r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", "stdnum.fr.nir"),
    (r"\d{3}\.\d{3}\.\d{3}-\d\d", "stdnum.br.cpf"),
    (r"[2-9]\d{3} \d{4} \d{4}", "stdnum.in_.aadhaar"),
)
_PAPER = re.compile(
    r"(?<![\w.,/-])(?:"
    + "|".join(f"(?P<paper{number}>{form})" for number, (form, _) in enumerate(_PAPERS))
    + r")(?![\w-])"
)
_TAX_ID = re.compile(r"(?i)((?:steuer|idnr|tax id|\btin\b)[^\d\n]{0,20})(\d{2} ?\d{3} ?\d{3} ?\d{3})(?!\w)")


def _paper(match: re.Match[str]) -> str:
    module = _PAPERS[int((match.lastgroup or "paper0").removeprefix("paper"))][1]
    return "[number]" if not module or import_module(module).is_valid(match[0]) else match[0]


def _tax_id(match: re.Match[str]) -> str:
    from stdnum.de import idnr

    return f"{match[1]}[number]" if idnr.is_valid(match[2]) else match[0]


def always(mask: str) -> Replace:
    """Return the decision that a pattern needs no second look."""
    return lambda match: mask


IDENTIFYING_FORMS: tuple[Form, ...] = (
    Form(_QUOTED_EMAIL, always("[email]"), hints=('"@',)),
    Form(_EMAIL, _email, hints=("@",)),
    Form(_SPOKEN_EMAIL, always("[email]"), hints=("at)", "at]", "at}", " at ", " arroba ", " AT ", " At ")),
    Form(_IBAN, _iban, needs_digit=True),
    Form(_CARD, _card, needs_digit=True),
    Form(_DOTTED_CARD, always("[card]"), hints=(".",), needs_digit=True),
    Form(_PAPER, _paper, needs_digit=True),
    Form(_TAX_ID, _tax_id, needs_digit=True),
    Form(_MAC, always("[ip]"), hints=(":", "-")),
    Form(_DOTTED_MAC, always("[ip]"), hints=(".",), needs_digit=True),
    Form(_IP_V4, _ip_v4, hints=(".",), needs_digit=True),
    Form(_IP_V6, _ip_v6, hints=(":",), needs_digit=True),
    Form(_LABELLED, _labelled, needs_digit=True),
    Form(_PHONE, _phone, needs_digit=True),
)
"""In the order in which they are tried: what one has replaced, no later one sees."""
