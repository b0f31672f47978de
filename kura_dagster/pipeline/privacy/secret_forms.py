"""Keys, tokens and passwords in a text: what whoever reads it could use.

Keys are known by what their makers put in front of them, by what is assigned to a name such as `api_key`, and by their
looks; passwords by what is said before them. detect-secrets knows many of them too, and was tried: it is made for lines
of code in quotes, found a quarter of the labelled keys and none of the passwords, and its last release is of 2024. So
the patterns are our own.
"""

from __future__ import annotations

import re

from kura_dagster.pipeline.privacy.identifying_forms import Form, always, digits_of

# Where the end is not there, only what looks like a key goes: a header alone stands in many an explanation.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[^-]|-(?!----)){0,12000}+-----END [A-Z ]{0,40}-----|(?:(?:\s|\\n){0,4}[A-Za-z0-9+/=]{16,100}){1,200}+)"
)

# Makers' own prefixes. What follows is long enough that no word has it.
_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:sk|pk|rk)[-_](?=[A-Za-z0-9_-]{0,60}\d)[A-Za-z0-9][A-Za-z0-9_-]{15,250}"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|gl(?:pat|dt|rt|soat|cbt|ptt|ft|imt|agent|oas)-[\w.-]{16,80}"
    r"|xox[a-eoprs]-[\w-]{10,255}|xapp-[\w-]{10,255}"
    r"|A(?:KIA|SIA|IDA|ROA|BIA|CCA)[A-Z0-9]{12,32}|AIza[\w-]{30,60}|ya29\.[\w-]{20,400}|GOCSPX-[\w-]{20,60}"
    r"|hf_[A-Za-z0-9]{20,80}|npm_[A-Za-z0-9]{30,60}|pypi-[\w-]{40,400}|gsk_\w{20,100}|r8_\w{30,60}|xai-\w{30,120}"
    r"|pplx-\w{30,80}|SG\.[\w-]{16,40}\.[\w-]{16,80}|whsec_[\w+/=]{20,80}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
    r"|do[opr]_v1_[a-f0-9]{40,80}|dapi[a-f0-9]{32}|sq0[a-z]{3}-[\w-]{22,60}|EAA[A-Za-z0-9]{80,300}|lin_api_\w{30,60}"
    r"|glsa_\w{30,60}|NRAK-[A-Z0-9]{20,40}|sntrys_[\w=+/]{30,300}|ATATT3[\w=-]{50,300}|tskey-[\w-]{20,80}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{50,70}|figd_[\w-]{30,60}|key-[a-f0-9]{32}|(?:AC|SK)[a-f0-9]{32}"
    r"|dckr_[po]at_[\w-]{20,80}|nvapi-[\w-]{40,100}|sbp_[a-f0-9]{40}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|rubygems_[a-f0-9]{48}"
    r"|ATCTT3[\w=-]{50,300}|hv[bs]\.[\w-]{24,300}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,80}|pul-[a-f0-9]{40}|dp\.(?:pt|st|ct|sa)\.[\w.-]{40,80}"
    r"|glc_[A-Za-z0-9+/=]{32,400}|sntryu_[a-f0-9]{64}|ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43}|xkeysib-[a-f0-9]{64}-\w{16}"
    r"|pscale_(?:tkn|pw|oauth)_[\w.-]{32,64}|tvly-[\w-]{24,60}|LTAI[A-Za-z0-9]{12,24}|EZ[AT]K[A-Za-z0-9]{54}|CCIPAT_\w{20,80}"
    r"|\d{8,10}:AA[\w-]{30,40}|eyJ[\w-]{8,4000}\.[\w-]{4,4000}(?:\.[\w-]{0,4000})?"
    r")"
)

_AUTHORISATION = re.compile(r"(?i)(?<![a-z])((?:bearer|basic|token) )([A-Za-z0-9._~+/-]{12,4000}={0,2})")
_URL = re.compile(r"(?i)(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>`]{1,4000}")
_USER_INFO = re.compile(
    r"(?<=://)[^/@\s\[\]:]{0,200}:[^/@\s]{1,300}(?=@)|(?<=://)(?=[^/@\s]{0,100}\d)[^/@\s\[\]]{16,300}(?=@)"
)
_PARAMETER = re.compile(
    r"(?i)([?&#;](?:[\w.-]{0,30}[_.-])?(?:[a-z]{0,10}token|[a-z]{0,10}secret|passw(?:or)?d|pwd|(?:api|access)?-?_?key|auth|session|sid|"
    r"sig|signature|credentials?|code|e?mail|phone|jwt|otp)(?:[_.-]?id)?=)(?!\[)([^&#\s\"'<>]{3,4000})"
)
_HOOK = re.compile(
    r"(?i)(://[^/\s]{0,100}(?:slack|discord(?:app)?|teams|office|zapier|make)\.[^\s]{0,80}/(?:services|webhooks?|hooks?)/)([\w./-]{16,200})"
)

# A name that says what is in it, and what is assigned to it, in code, JSON, YAML, .env files and headers.
_ASSIGNED = re.compile(
    r"(?i)((?:api[_-]?key|secret[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|private[_-]?key|auth[_-]?key|secret|token"
    r"|passw(?:or)?d|passphrase|pwd|credentials?|client[_-]?secret|connection[_-]?string)[\"']?(?: ?[:=]{1,2} ?| ?=> ?))"
    r"(\"[^\"\n]{6,400}\"|'[^'\n]{6,400}'|[^\s\"',;(){}<>]{6,400})"
)
_NO_VALUE = re.compile(
    r"(?i)(?:your|my|the|some|example|dummy|placeholder|change|enter|insert|todo|xxx|\*\*\*|\.\.\.|<|\$|\{|%|\[).{0,200}"
    r"|.{0,60}(?:[-_.]here|example\.com|process\.env|os\.environ|getenv|environ).{0,100}|[A-Za-z_][\w]{0,40}(?:\.[A-Za-z_]\w{0,40}){1,6}\(?.{0,40}"
    r"|(?:none|null|true|false|string|str|password|required|optional|undefined)"
)

_SAID = r"passwords?|passwort|kennwort|passcode|passphrase|pass ?word|contraseña|clave|pwd|pw|pin|pin code|pin-code|zugangscode"
_PASSWORD = re.compile(
    rf"(?i)(?<![^\W_])((?:{_SAID})(?: ?[:=] ?| is:? | was | ist:? | war | es:? | era | lautet:? | (?=[^\s]{{0,30}}\d)))"
    r"(?!\[)([\"'“„«][^\"'”“»\n]{3,60}[\"'”“»]|\S{4,80})"
)
_PASSWORD_BEFORE = re.compile(
    rf"(?i)(?<![^\W_])((?:use|used|using|set|chose|nehme|verwende|uso|usé|puse) )(\S{{6,60}})(?= (?:as|als|como) (?:the |my |mein |mi |la )?(?:{_SAID})\b)"
)
_QUOTES = "\"'“”„«»"
# "Pin 1000 posts" is none: without a sign between, it is written in capitals or somebody's.
_BARE_PIN = re.compile(
    r"(?<![^\W_])(PINs? |(?i:(?:my|your|his|her|their|mein|meine|deine|ihre|mi|tu|su) pins? ))(\d{4,8})(?![\w-]|[.,]\d)"
)

# Codes that somebody gets to sign in once, and those on the back of a card. What kind of code it is may be said, or an
# article stands before it: a code alone may be an error's.
_CODE_KIND = (
    r"verification|security|one[- ]time|authentication|authenticator|authorization|auth|access|activation|log-?in|sign-?in"
    r"|2fa|mfa|sms|otp|unlock|pairing"
)
_VALUE = r"(?:[A-Z]-)?\d{4,8}|\d{3}[ -]\d{3}"
_SAYS = r"(?: (?:is|was|ist|war|lautet|es)(?: now| jetzt)?:? |: ?| ?= ?)"
_CODE = re.compile(
    rf"(?i)(?<![^\W_])((?:(?:{_CODE_KIND}) (?:pass)?code|(?:sms|otp|auth)-code|passcode|otp(?: code)?|one[- ]time (?:password|pin)"
    r"|(?:bestätigungs|verifizierungs|sicherheits|einmal|anmelde|freischalt|zugangs)-?code|einmalpasswort|(?-i:(?:SMS-|m)?TAN)"
    r"|código (?:sms|de (?:verificación|seguridad|acceso|un solo uso)))"
    rf"(?:{_SAYS}| ))({_VALUE})(?![\w-]|[.,]\d)"
)
_PLAIN_CODE = re.compile(
    rf"(?i)(?<![^\W_])((?:the|my|your|his|her|der|mein|dein|ihr|el|mi|tu|su) (?:code|código)(?: i (?:got|received|have))?{_SAYS})({_VALUE})"
    r"(?![\w-]|[.,]\d| ?[%€$£]| (?:lines?|rows?|bytes|characters|chars|words|times|zeilen|zeichen|líneas|caracteres))"
)
_NO_SECRET_CODE = re.compile(
    r"(?i)(?:error|status|exit|return|http|fehler|zip|postal|post|promo|country|area)[^\n]{0,30}$"
)
_CODE_BEFORE = re.compile(
    rf"(?i)(?<![\w.,/-])({_VALUE})(?= (?:is|ist|es) (?:your|the|my|ihr|dein|der|tu|su|el) (?:[\w-]{{1,20}} ){{0,2}}"
    rf"(?:(?:{_CODE_KIND}) (?:pass)?code|otp|pin|passcode|(?:bestätigungs|verifizierungs|sicherheits|anmelde)-?code"
    r"|código de (?:verificación|seguridad|acceso))\b)"
)
_CARD_CODE = re.compile(
    rf"(?i)(?<![^\W_])((?:cvv2?|cvc2?|cid|card security code|security code|prüfziffer|kartenprüfnummer)(?:{_SAYS}| ))(\d{{3,4}})(?![\w-]|[.,]\d)"
)

_TOKEN = re.compile(r"(?<![\w/.+=@%-])(?<!base64,)[A-Za-z0-9_+/-]{24,400}={0,2}(?![\w/+-])")
_DIGEST_LENGTHS = (32, 40, 56, 64, 96, 128)
_HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET_WORD_BEFORE = re.compile(
    r"(?i)(?:token|secret|(?:api|access|license|auth)[-_ ]?key|credential|passw|schlüssel|clave|\bkey (?:is|was)|\bkey:)[^\n]{0,20}$"
)


def _url(match: re.Match[str]) -> str:
    url = _USER_INFO.sub("[secret]", match[0])
    url = _HOOK.sub(r"\1[secret]", url)
    return _PARAMETER.sub(_parameter, url)


def _parameter(match: re.Match[str]) -> str:
    name, value = match[1].lower(), match[2]
    is_named_so = re.search("token|secret|pass|pwd|mail|phone", name) is not None
    return f"{match[1]}[secret]" if is_named_so or len(digits_of(value)) >= 2 or len(value) >= 16 else match[0]


def _authorisation(match: re.Match[str]) -> str:
    return f"{match[1]}[secret]" if len(digits_of(match[2])) >= 2 else match[0]


def _assigned(match: re.Match[str]) -> str:
    given = match[2]
    quote = given[0] if given[0] in "\"'" else ""
    value = given.strip("\"'")
    kinds = _kinds_of_characters(value)
    if _NO_VALUE.fullmatch(value) or kinds < 2 or not digits_of(value):
        return match[0]
    # What is called a password is no key, and shorter.
    kind = "password" if re.match(r"(?i)passw|pwd", match[1]) else "secret"
    if kind == "secret" and len(value) < 12:
        return match[0]
    return f"{match[1]}{quote}[{kind}]{quote}"


def _password(match: re.Match[str]) -> str:
    said, given = match[1], match[2]
    value = given.strip(_QUOTES + ".,;:!?()")
    if given[0] in _QUOTES and given[-1] in _QUOTES and len(given) > 2 and " " not in value:
        return f"{said}{given[0]}[password]{given[-1]}"
    has_separator = said.rstrip().endswith((":", "=")) or re.search(r"(?i) (?:is|was|ist|war|es|era|lautet):? $", said)
    if re.match(r"(?i)(?:pin|zugangs)", said) or value.isdecimal():
        convincing = bool(has_separator) and value.isdecimal() and 4 <= len(value) <= 8
    else:
        # "The password is wrong" gives none away, "is case-sensitive" neither; "is hunter2" does.
        odd = re.search(r"\d", value) or re.search(r"[^\w'’.,/-]", value)
        convincing = len(value) >= 4 and odd is not None and _kinds_of_characters(value) >= 2
        if not has_separator:
            convincing = convincing and len(value) >= 6
        is_code = said.rstrip().endswith("=") and re.search(r"[(\[{]", given) is not None
        convincing = convincing and not is_code and not _NO_VALUE.fullmatch(value)
    if not convincing:
        return match[0]
    # The mark after it is the sentence's.
    tail = re.search(r"[.,;?()]*$", given)
    return f"{said}[password]{tail[0] if tail else ''}"


def _password_before(match: re.Match[str]) -> str:
    return f"{match[1]}[password]" if _kinds_of_characters(match[2]) >= 2 and digits_of(match[2]) else match[0]


def _said_code(match: re.Match[str]) -> str:
    return f"{match[1]}[password]"


def _plain_code(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 40) : match.start()]
    return match[0] if _NO_SECRET_CODE.search(before) else f"{match[1]}[password]"


def _token(match: re.Match[str]) -> str:
    token = match[0]
    before = match.string[max(0, match.start() - 60) : match.start()]
    is_called_secret = _SECRET_WORD_BEFORE.search(before) is not None
    if _HEXADECIMAL.fullmatch(token) or _UUID.fullmatch(token):
        # Commits, checksums and ids of requests look like this and are no secret, unless something says so.
        is_digest = len(token) in _DIGEST_LENGTHS or _UUID.fullmatch(token)
        is_secret = is_called_secret or (not is_digest and len(digits_of(token)) >= 6 and not token.isdecimal())
        return "[secret]" if is_secret else token
    # So may a part of it, as in the address of a change: "diff-" and a checksum.
    token = re.sub(r"[0-9a-f]{32,128}", "", token)
    n_digits = len(digits_of(token))
    mixed = re.search("[a-z]", token) and re.search("[A-Z]", token) and n_digits >= 3
    if not mixed or len(token) < 20 or _reads_like_words(token):
        return match[0]
    return "[secret]"


def _reads_like_words(token: str) -> bool:
    """Whether a token is made of words, as names in code, paths and file names are."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", token)
    return sum(len(part) for part in parts if len(part) >= 4) >= 0.6 * len(token)


def _kinds_of_characters(text: str) -> int:
    return sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", r"\d", r"[^\w\s]"))


_SAID_HINTS = tuple(
    "pass Pass PASS kennwort Kennwort contraseña Contraseña clave Clave pwd PWD pw PW pin Pin PIN zugangs Zugangs".split()
)

_CODE_HINTS = tuple("code Code CODE otp OTP Otp ódigo passwor tan TAN Tan one-time One-time".split())

SECRET_FORMS: tuple[Form, ...] = (
    Form(_PRIVATE_KEY, always("[secret]"), hints=("PRIVATE KEY",)),
    Form(_URL, _url, hints=("://",)),
    Form(
        _PREFIXED,
        always("[secret]"),
        hints=tuple(
            "sk- sk_ pk- pk_ rk- rk_ gh xox xapp AKIA ASIA AIDA AROA AIza ya29 GOCSPX hf_ npm_ pypi- gsk_ r8_ xai- pplx- SG. gl whsec_"
            " shp do dapi sq0 EAA lin_api glsa_ NRAK- sntrys_ ATATT3 tskey- AGE- figd_ key- AC SK :AA eyJ"
            " dckr_ nvapi- sbp_ PMAK- rubygems_ ATCTT3 hvs. hvb. .atlasv1. pul- dp. glc_ sntryu_ ntn_ secret_ xkeysib- pscale_"
            " tvly- LTAI EZ CCIPAT_ ABIA ACCA".split()
        ),
    ),
    Form(_AUTHORISATION, _authorisation, hints=("earer ", "EARER ", "asic ", "oken ")),
    Form(_ASSIGNED, _assigned, hints=(":", "=")),
    Form(_PASSWORD, _password, hints=_SAID_HINTS),
    Form(_PASSWORD_BEFORE, _password_before, hints=(" as ", " als ", " como ")),
    Form(_BARE_PIN, _said_code, hints=("pin", "Pin", "PIN"), needs_digit=True),
    Form(_CODE, _said_code, hints=_CODE_HINTS, needs_digit=True),
    Form(_PLAIN_CODE, _plain_code, hints=_CODE_HINTS, needs_digit=True),
    Form(_CODE_BEFORE, always("[password]"), hints=(" is ", " ist ", " es "), needs_digit=True),
    Form(_CARD_CODE, _said_code, hints=tuple("cv CV Cv cid CID code Code CODE prüf Prüf".split()), needs_digit=True),
    Form(_TOKEN, _token, needs_digit=True),
)
"""Before the forms that identify: a key may hold what looks like a phone number."""
