"""People's names in a text: those that a person introduces, and a common given name before a family name.

Introductions ("my name is …", "Thanks, …") are known in English, German and Spanish and in the commonest forms of a
few other languages. A rare name that nobody introduces is not found. Recognisers that read a sentence would find more,
but none that we know comes with its weights from the package index: presidio and spaCy download theirs. So names are
found by rules, and which rules is all that is here.

The texts are hostile: every repetition in a pattern is bounded, so that no text can make one run for long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kura_dagster.pipeline.privacy.given_names import GIVEN_NAMES

_WORD = r"[^\W\d_](?:[^\W\d_]|['’.-](?=[^\W\d_])){0,29}"
_NAME = rf"{_WORD}(?: (?:(?:van|von|de|del|der|den|da|di|dos|la|bin|al|el)\b ?){{0,2}}{_WORD}){{0,2}}"
_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|herrn?|frau|sr|sra|srta|señora?|señorita|mme|monsieur|madame)\.?"
_RELATION = (
    r"(?:colleagues?|co-?worker|manager|boss|supervisor|assistant|wife|husband|spouse|partner|fianc[ée]e?|girlfriend|"
    r"boyfriend|friend|son|daughter|child|kid|brother|sister|mother|mom|mum|father|dad|aunt|uncle|cousin|nephew|niece|"
    r"grandmother|grandma|grandfather|grandpa|roommate|flatmate|neighbou?r|landlord|teacher|doctor|client|"
    r"Kollegen?|Kollegin|Chefin|Chef|Freundin|Freund|Frau|Mann|Sohn|Tochter|Bruder|Schwester|Mutter|Vater|"
    r"compañer[oa]|colega|jef[ea]|espos[oa]|marido|mujer|hij[oa]|herman[oa]|amig[oa]|novi[oa]|madre|padre)"
)
_SIGN_OFF = (
    r"(?:many thanks|thanks(?: again| a lot| so much| in advance)?|thank you(?: so much| very much| again| in advance)?"
    r"|thx|cheers|regards|(?:best|kind|warm|kindest|warmest)(?: regards| wishes)?|sincerely"
    r"|yours(?: truly| sincerely| faithfully)?|(?:viele |liebe |beste |freundliche |schöne )?grüße|gruß"
    r"|(?:mit )?(?:freundlichen|besten|vielen) grüßen|mfg|lg|vg|(?:vielen )?dank|danke"
    r"|(?:un )?(?:cordial )?saludos?(?: cordiales?)?|atentamente|(?:muchas )?gracias)"
)
_GREETING = (
    r"(?:dear|hi|hello|hey|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|sehr geehrte[rs]?"
    r"|guten (?:tag|morgen|abend)|moin|servus|hola|buenas|buenos días|buenas (?:tardes|noches)|estimad[oa]|querid[oa])"
)

# After one of these comes a name however it is written, unless an ordinary word is known to follow.
_STRONG = re.compile(
    r"(?i)\b(?=[a-z])(?:(?:my|his|her|your|passenger|guest|account holder)(?:'s|’s)?(?: full| first| last| legal)?"
    r" names?(?:'s|’s| is| was|:)"
    r"|the name['’]s|under the name(?: of)?|in the name of|call me|(?:i am|i['’]?m|s?he is|s?he['’]s) (?:called|named)"
    r"|(?:ich|sie|er) hei(?:ß|ss)(?:e|t)|mein name(?: ist| lautet|:)|auf den namen|me llamo|se llama"
    r"|(?:mi|su) nombre(?: completo)? es|a nombre de|je m['’]appelle|mi chiamo|me chamo|meu nome é|mijn naam is"
    rf")[ :]{{1,2}}(?:{_TITLE} ){{0,2}}({_NAME})"
)
# After one of these comes a name if it is capitalised and no ordinary word.
_TITLED = re.compile(rf"(?i:(?<!\w)(?=[mdphfs])(?:{_TITLE} ){{1,3}})({_NAME})")
_RELATED = re.compile(
    rf"(?i:\b(?:my|our|his|her|their|mein|meine|meinen|meiner|unser|unsere|mi|nuestr[oa]) {_RELATION})"
    rf"(?i:,? (?:named|called|namens|llamad[oa]))?,? ({_NAME})"
)
_LABELLED = re.compile(rf"(?i:(?:^|\n|[,;] )(?:full |first |last |customer |passenger )?name ?: ?)({_NAME})")
# Between these stands nothing but a name.
_SALUTATION = re.compile(
    rf"(?i:(?:^|\n) {{0,4}}(?=[a-z]){_GREETING}(?: there)? (?:{_TITLE} ){{0,2}})({_NAME})(?= ?[,!.:\n-]|$)"
)
_ADDRESSED = re.compile(
    rf"(?i:(?:^|[.!?\n] {{0,2}})(?=[a-zß])(?:{_SIGN_OFF}|sure|of course|certainly|no problem|sorry|welcome(?: back)?"
    rf"|klar|gerne|claro))[, ]{{1,2}}({_NAME})(?=[.!,])"
)
_SIGNED = re.compile(rf"(?i:\b{_SIGN_OFF})[ ,.!]{{0,3}}(?:\n{{1,3}}|[-–—] ?|, ?| )[-–—]?({_NAME})[ .!]{{0,3}}$")
# "This is …" and "I'm …" come before anything at all, so they need a capital and a sign that a person is meant.
_INTRODUCED = re.compile(
    r"(?i:\b(?P<how>i am|i['’]?m|this is|hier ist|hier spricht|ich bin|soy|habla|je suis|sono) (?:the |die |der )?)"
    rf"(?P<name>{_NAME})"
)
_SIGNATURE_CHARACTERS = 250
_OPENS = re.compile(rf"(?i)(?:^|[.!?:\n] ?|\b{_GREETING}(?: there)?,? )$")
_GREETED = re.compile(rf"(?i)\b{_GREETING}\b[^.?]{{0,25}}$")
_PERSON_FOLLOWS = re.compile(
    r"(?i) (?:from|here|speaking|calling|again|writing|with|at|aus|von|vom|hier|am apparat|de|desde)\b"
    r"|,| and (?:i|my|we)\b| und (?:ich|mein)| y (?:me|mi|quiero|necesito|tengo)\b"
)

# The same in other scripts. Where a word may stand right behind a name, its length is known only by what follows, and
# what is said of a person as often ("I am a student") only takes a common family name.
_RUSSIAN_WORD = r"[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]{1,29}"
_CHINESE_FAMILY = (
    "欧阳|司马|上官|诸葛|歐陽|司馬|諸葛|[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋"
    "蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧許呂蘇盧蔣賈葉閻鍾範譚鄒陸邱顧龍萬錢湯賴龔]"
)
_JAPANESE_FAMILY = (
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|林|斎藤|齋藤|清水|山崎|阿部|池田"
    "|橋本|山下|森|石川|中島|前田|藤田|後藤|小川|岡田|長谷川|村上|近藤|石井|坂本|遠藤|青木|藤井|西村|福田|太田|三浦|藤原|岡本|松田"
    "|中川|中野|原田|小野|田村|竹内|金子|和田|中山|石田|上田|森田|柴田|酒井|工藤|横山|宮崎|宮本|内田|高木|安藤|谷口|大野|丸山|今井"
)
_JAPANESE_FAMILY_BEFORE = re.compile(rf"(?:{_JAPANESE_FAMILY})(?<=..)(?=[\u3041-\u30ff\u4e00-\u9fff])")
_ELSEWHERE = re.compile(
    rf"(?i:(?<!\w)(?:меня зовут|мо[её] имя|мене звати|моє ім['’]я|мене звуть|казвам се)(?: [-–—])?)[ :]{{1,2}}({_RUSSIAN_WORD}(?: {_RUSSIAN_WORD}){{0,2}})"
    rf"|(?:我叫|我的名字是|我的名字叫|我名叫)((?:{_CHINESE_FAMILY})[\u4e00-\u9fff]{{1,2}})(?=[^\w]|$)"
    rf"|(?:(?:私|わたし|僕|俺)は|(?:名前|氏名)は)((?:{_JAPANESE_FAMILY})[\u3041-\u30ff\u4e00-\u9fff]{{0,3}}?)(?=です|と(?:申し|言い|いい)ます)"
    r"|(?:私|わたし|僕|俺)の(?:名前|氏名)は([\u3005\u30a1-\u30ff\u4e00-\u9fff]{2,8})(?=です|と(?:申し|言い|いい)ます|。|$)"
    r"|([\u3005\u4e00-\u9fff]{2,6}|[\u30a1-\u30ff]{2,8})(?=と申します)"
    r"|(?:제|내) 이름은 ([\uac00-\ud7af]{2,4}?)(?=입니다|이에요|예요|이라고|라고|이고|[.,!]|$)"
    r"|(?:저는|나는) ([\uac00-\ud7af]{2,4}?)(?=이?라고 (?:합니다|해요))"
)

_PARTICLES = frozenset(["van", "von", "de", "del", "der", "den", "da", "di", "dos", "la", "bin", "al", "el"])

# Words that no name starts or goes on with. The closed classes come first; then what people say of themselves or of a
# matter after "I'm" and "this is", how groups are addressed, and what is written with a capital without being a person.
_NO_NAME_TEXT = """
    a about above after again against all almost already also always am an and another any anyone anything are
    around as ask at away back be because been before being below best better between both but by can cannot
    could did do does done down during each either else even ever every everyone everything exactly few first
    for from further get getting give go going good got great had has have having he hello help her here hers
    hey hi him his hope how i if in into is it its just know last least less let like ll look looking lot made
    make many may maybe me might mine more most much must my myself need neither never new next no nobody none
    nor not nothing now of off often ok okay old on once one only onto open or other our out over own per
    perhaps please quite rather re really right s said same say see seems shall she should since so some
    someone something soon still such sure t take tell than thank thanks that the their them then there these
    they thing this those though thru till to today tomorrow tonight too toward try trying two under until up
    upon us use used using ve very via want was way we well were what when where which while who whom whose
    why will with within without would yes yesterday yet you your yours ich du er sie es wir ihr ein eine
    einen einem einer der die das den dem des und oder aber nicht kein keine auch nur schon noch sehr wie wer
    wo wann warum hier dort da jetzt heute morgen gestern bitte danke ja nein mit von zu zum zur für auf aus
    bei nach seit über unter vor im um als wenn dass ob mein meine dein deine sein seine unser el la los las
    un una unos unas y o pero sí si que qué quién cómo cuándo dónde por para con sin de del al en mi mis tu
    tus su sus te se nos lo le les muy más menos ya aún hoy mañana ayer aquí allí gracias hola favor une et ou
    mais pas je il elle nous vous able afraid alone amazing android angry annoyed anxious asking available
    awesome aware bad based beginner beta blank blocked bored broken brand building business busy buying
    calling cancelled charged cold coming concerned confused considering correct critical curious customer
    dead definitely different difficult disappointed driving dying easy emergency empty error excellent
    excited exhausted expired fair false family far fine finished free fresh frustrated frustrating full fun
    furious gone gonna grateful guest guessing happy hard high homeless hoping horrible hot huge human hungry
    ill important impossible incorrect incredible insane interested invalid issue job joking late leaving
    legal living locked lonely long lost low mad manager meeting member missing mistake moving nervous nice
    normal number obviously online overcharged overwhelmed paid paying pending perfect pissed planning pleased
    pm poor possible pregnant pretty private problem public quick ready real receiving regarding relieved
    ridiculous running sad safe scam scared serious severe shocked short sick similar simple single sorry
    speaking spelled spelt misspelled misspelt strange stressed stuck stupid super supposed surprised
    switching terrible thinking thirsty thrilled tired totally traveling travelling true unable unacceptable
    unauthorized unclear understood unfair unhappy unknown unsure unusual upset urgent useless user void
    waiting weird willing wondering working worried worse worst worth writing wrong yelling young account
    admin adult app apartment applicant assistant bank bill birthday boss car card case cat child college
    company computer credit data date day deal debit developer device doctor document dog driver email
    engineer evening event everybody fact file flight folks friend gift girl group guy guys half home hotel
    house insurance internet kid ladies laptop letter license madam madame mam ma'am man marketing message
    miss mobile money month morning mom mum mother father dad name night note office order owner package
    parent passport password payment person phone plan plane policy premium product project question reason
    refund relevant report request reservation resident restaurant room sales school seller server service sir
    software store student subscription subscriber support system tax teacher team technician tenant test
    ticket time tourist train trip trouble update vegan vegetarian veteran visa visitor website week wife wifi
    woman work worker world year bye goodbye cheers friends kitty buddy mate dude bro bot chatbot agent ai
    siri alexa cortana claude chatgpt gpt gemini copilot larkboard helpdesk kunde kundin neukunde studentin
    mitglied nutzer nutzerin fan rentner rentnerin mama papa schüler lehrer lehrerin entwickler entwicklerin
    anfänger arzt ärztin vegetarier vegetarierin mieter mieterin vermieter zusammen leute damen herren frau
    herr krank müde sicher froh traurig neu allein verwirrt frustriert cliente clienta usuario usuaria
    estudiante nuevo nueva alumno alumna profesor profesora autónomo autónoma equipo todos todas señor señora
    madre padre vegetariano vegetariana alérgico alérgica monday tuesday wednesday thursday friday saturday
    sunday january february march april june july august september october november december montag dienstag
    mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni juli oktober dezember lunes
    martes miércoles jueves viernes sábado domingo enero febrero marzo abril mayo junio julio agosto
    septiembre octubre noviembre diciembre christmas easter amazon apple chrome disney excel facebook firefox
    gmail google instagram iphone ipad java javascript linux mac macbook microsoft netflix outlook paypal
    python samsung slack sony spotify teams tesla tiktok twitter uber whatsapp windows word xbox youtube zoom
    american australian austrian british canadian chinese christian dutch english european french german greek
    hindu indian irish italian japanese jewish korean mexican muslim polish portuguese russian scottish
    spanish swedish swiss turkish ukrainian deutsch deutscher deutsche spanisch englisch español española
    inglés airlines airways apartments arena avenue bar bistro boulevard cafe center centre church clinic club
    court gmbh grill hospital inc inn kitchen llc lounge ltd museum orchestra park pizza plaza resort road
    salon square stadium station street studio suites symphony theater theatre tower university vs dr mr mrs
    ms prof mx sra srta anytime asap directly instead straight whenever later crazy collect names grüße
    grüßen gruß grüsse grüssen
"""
_NO_NAME = frozenset(_NO_NAME_TEXT.split())

# Given names that are words as well; alone they are masked only where the capital can't come from a sentence's start.
_ORDINARY_NAMES_TEXT = """
    april art august autumn bill bob carol chance charity chase christian cliff daisy dawn dean dick don drew
    earl eve faith frank gene glen grace grant guy hazel hope hunter iris ivy jack jade joy june lance mark
    mason may melody mercy miles nick olive page pat patience penny pierce ray reed rich rob robin rod rose
    ruby rusty sandy sky sterling sue summer tanner violet wade ward will willow woody
"""
_ORDINARY_NAMES = frozenset(_ORDINARY_NAMES_TEXT.split())

# Given names that are words where they are written with a small letter, in one of the three languages.
_WORDS_IN_SMALL_LETTERS = frozenset(
    """
    alex anders clara ella emil ernst frank gloria jan jordan jun kai kim lea leo lin linda logan madison marco marina milan
    rosa rosario sally santiago jean fidel mona charlie vera victoria virginia
    """.split()
)

_ADJECTIVE_ENDINGS = ("ing", "ed", "ful", "less", "able", "ible", "ous", "ive", "ical", "ly", "ally", "tion", "ment")


_FAMILY = r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_])){2,24}"
# A given name, and what may be the family's, in Spanish two: with particles, and only looked at, for the next pair may
# begin there.
_GIVEN_AND_FAMILY = re.compile(
    rf"(?<![\w@.])([^\W\d_]{{2,20}}) (?=((?:(?:van|von|de|del|der|da|di|dos|la) ){{0,2}}{_FAMILY}(?: {_FAMILY}){{0,2}})(?![\w@]))"
)


def find_names(texts: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the names that are introduced anywhere in `texts`, and those among them that are ordinary words as well.

    Of a full name its parts are returned too.
    """
    names: set[str] = set()
    risky: set[str] = set()
    for full_name in {name for text in texts for name in _names_in(text)}:
        words = [word for word in full_name.split() if word.lower() not in _PARTICLES]
        (names if len(words) > 1 or words[0].lower() not in _ORDINARY_NAMES else risky).add(full_name)
        for word in words:
            if len(word) < 3 or word.lower() in _NO_NAME:
                continue
            (risky if word.lower() in _ORDINARY_NAMES else names).add(word)
    return names, risky


def _names_in(text: str) -> Iterable[str]:
    if not text.isascii():
        for match in _ELSEWHERE.finditer(text):
            name = match[match.lastindex or 0]
            # One character is a word of its own and part of many, and nothing divides them.
            if len(name) > 1:
                yield name
                if family := _JAPANESE_FAMILY_BEFORE.match(name):
                    yield family[0]
    for match in _STRONG.finditer(text):
        yield from _leading_name(match[1], sure=True)
    for pattern in (_TITLED, _RELATED, _LABELLED):
        for match in pattern.finditer(text):
            yield from _leading_name(match[1])
    # What is signed stands at the very end.
    for pattern, part in ((_SALUTATION, text), (_ADDRESSED, text), (_SIGNED, text[-_SIGNATURE_CHARACTERS:])):
        for match in pattern.finditer(part):
            yield from (name for name in _leading_name(match[1]) if name == match[1])
    for match in _GIVEN_AND_FAMILY.finditer(text):
        yield from _full_name(match[1], match[2])
    for match in _INTRODUCED.finditer(text):
        for name in _leading_name(match["name"]):
            end = match.start("name") + len(name)
            follows, before = text[end : end + 12], text[max(0, match.start() - 40) : match.start()]
            ends = not follows or follows[0] in ".!,\n"
            opens = match["how"].lower().startswith("i") or not before.strip()
            is_given = name.lower() in GIVEN_NAMES or name.lower() in _ORDINARY_NAMES
            if not name.isupper() and (
                _PERSON_FOLLOWS.match(follows)
                or (ends and " " in name and opens)
                or (ends and is_given and (opens or _OPENS.search(before) is not None))
                or (ends and _GREETED.search(before) is not None)
            ):
                yield name


def _full_name(given: str, following: str) -> Iterable[str]:
    """Yield the name that a given name begins and the words after it go on with, if they do."""
    if given in _WORDS_IN_SMALL_LETTERS or given.lower() not in GIVEN_NAMES:
        return
    words = [given]
    for word in following.split():
        if word in _PARTICLES and words[-1] in (given, *_PARTICLES):
            words.append(word)
            continue
        # Who writes a name in small letters writes all of it so, and then one word of family name is believed.
        is_like_given = given[0].isupper() == word[0].isupper()
        if not is_like_given or not _can_be_family_name(word) or (word[0].islower() and len(words) > 1):
            break
        words.append(re.sub(r"['’]s$", "", word))
    if len(words) > 1 and words[-1] not in _PARTICLES:
        yield " ".join(words)


def _can_be_family_name(word: str) -> bool:
    lower = word.lower()
    return lower not in _NO_NAME and (word[0].isupper() or not lower.endswith(_ADJECTIVE_ENDINGS))


def _leading_name(candidate: str, *, sure: bool = False) -> Iterable[str]:
    """Yield the leading words of `candidate` that can be a name, if there are any; `sure` also takes small letters."""
    words = candidate.split()
    kept: list[str] = []
    for position, word in enumerate(words):
        possessive = re.fullmatch(r"(.{2,})['’]s", word)
        bare = possessive[1] if possessive else word
        lower, capital = bare.lower(), bare[0].isupper()
        if kept and lower in _PARTICLES:
            kept.append(word)
            continue
        next_capital = position + 1 < len(words) and words[position + 1][0].isupper()
        # "Will" and "May" are names where one is announced, or where another capital follows.
        ordinary = lower in _NO_NAME and not (capital and lower in _ORDINARY_NAMES and (sure or next_capital))
        if ordinary or re.search(r"['’](?:ll|m|re|ve|d|t|s)$", bare):
            break
        if (not capital or not sure) and lower.endswith(_ADJECTIVE_ENDINGS):
            break
        if not capital and (not sure or (kept and (kept[0][0].isupper() or position < len(words) - 1))):
            break  # small letters: at most two words, and none after a capitalised one
        kept.append(bare)
        if possessive:
            break
    while kept and kept[-1].lower() in _PARTICLES:
        kept.pop()
    name = " ".join(kept)
    if len(name) >= 2:
        yield name
