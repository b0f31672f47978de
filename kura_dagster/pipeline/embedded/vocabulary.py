"""The word lists that reading a request needs: function words, and verbs that ask for something.

Only lists belong here, and only of ordinary words of the language; nothing about any product or subject. They are short
on purpose: what a list doesn't have is treated as a noun, which costs a better name and never a wrong one.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH_FUNCTION_WORDS = _words(
    """
    a about above after again against all almost already also although always am among an and another any
    anybody anyone anything are aren't around as at away back be because been before being below beside besides
    between both but by came can can't cannot come could couldn't did didn't do does doesn't doing don't done
    down during each either else even ever every everyone everything few for from further get gets getting go
    goes going gone gonna got gotta had hadn't has hasn't have haven't having he he'd he'll he's her here hers
    herself him himself his how how's however i i'd i'll i'm i've if in instead into is isn't it it'd it'll it's
    its itself just let let's like lot lots made make makes making many maybe me mine more most much must my
    myself near need needed needs neither no nobody none nor not nothing now of off often on once one only onto
    or other our ours ourselves out over own per perhaps quite rather really same shall she she'd she'll she's
    should shouldn't since so some somebody someone something somewhere still such than that that'd that'll
    that's the their theirs them themselves then there there's these they they'd they'll they're they've thing
    things this those though through thru thus till to together too toward towards under unless until up upon us
    use used using very via want wanted wants was wasn't way we we'd we'll we're we've well were weren't what
    what's whatever when when's where where's whether which while who who's whoever whom whose why why's will
    with within without won't would wouldn't yet you you'd you'll you're you've your yours yourself yourselves
    able bit hey hi hello ok okay please thank thanks yes yeah yep yup nope sure great good fine nice cool
    perfect sorry kindly actually basically anyway oh um uh hmm today tomorrow tonight yesterday try trying
    tried know tell think im ive dont doesnt cant wont isnt whats id
    """
)

GERMAN_FUNCTION_WORDS = _words(
    """
    ab aber alle allem allen aller alles als also am an andere anderen auch auf aus außer bei beim bereits bin
    bis bist bitte da dabei dadurch dafür damit danach danke dann daran darauf das dass dazu dein deine dem den
    denn der des deren dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine
    einem einen einer eines einfach er es etwas euch euer für gegen gerade gern gerne gibt habe haben hallo hat
    hatte hätte hier ich ihm ihn ihnen ihr ihre ihren im immer in ins ist ja jede jeder jedes jemand jetzt kann
    kannst kein keine keinen könnte könnten können leider man mal mehr mein meine meinem meinen meiner mich mir
    mit möchte muss müssen nach nein nicht nichts noch nun nur ob oder ohne schon sehr sein seine seit sich sie
    sind so soll sollte sondern um und uns unser unsere unter viel viele vielleicht vom von vor wann war waren
    warum was weil welche welcher welches wenn wer werde werden wie wieder will wir wird wo wollte worden wurde
    wurden würde zu zum zur zwar zwischen über guten tag morgen
    """
)

SPANISH_FUNCTION_WORDS = _words(
    """
    a al algo algún alguna alguno ante antes aquí así aún aunque bien buenas buenos cada como cómo con contra
    cual cuál cuando cuándo cuánto cuánta de del desde días donde dónde durante e el él ella ellos en entre era
    eres es esa ese eso esta está están estar este esto estos estoy favor fue gracias ha hace hacer han has
    hasta hay he hola la las le les lo los luego más me mi mis mucho muy nada ni no nos nosotros o otra otro
    para pero poder podría podrías por porque puede puedes puedo pues que qué quién quiero quisiera se según ser
    será si sí sido sin sobre solo sólo son soy su sus también tan tanto te tener tengo ti tiene tienes todo
    todos tu tus un una unas uno unos usted ustedes va ver y ya yo necesito gustaría tardes noches
    """
)

FUNCTION_WORDS = ENGLISH_FUNCTION_WORDS | GERMAN_FUNCTION_WORDS | SPANISH_FUNCTION_WORDS

ENGLISH_VERBS = _words(
    """
    accept access activate adapt add adjust advise allow analyse analyze answer apply appeal approve arrange ask
    assemble assign attach authenticate authorize automate avoid back bake balance ban become begin block boil
    book borrow brainstorm break bring browse build buy calculate call cancel capture carry cast catch celebrate
    center change charge chat cheat check choose claim clarify classify clean clear click clone close collect
    combine come comment commit communicate compare compile complain complete compose compress compute configure
    confirm connect consider construct contact continue control convert convince cook copy correct count cover
    craft create critique crop cut deactivate deal debug decide declare decline decorate decrease deduct defend
    define delay delete deliver demonstrate deploy deposit describe design detect determine develop diagnose
    dial differentiate disable disagree discard disconnect discover discuss dispute divide do donate download
    downgrade draft draw dress drink drive drop dry duplicate earn eat edit elaborate eliminate enable encrypt
    end enhance enlarge enroll enter erase escalate estimate evaluate exchange execute exercise expand explain
    explore export express extend extract fetch figure file fill filter finance find finish fit fix flip fly
    follow forecast forget format forward freeze fry fund generate get give go grade grant greet grill grow
    guess guide handle hang have heal hear help hide highlight hire hold identify imagine implement import
    improve include increase inform insert inspect install insure integrate interpret introduce invent invest
    investigate invite invoice issue join jump keep know label launch lay lead learn leave lend lengthen let
    limit link list listen load loan locate lock log look lose lower maintain make manage mark match measure
    meet memorize mention merge message migrate minimize mirror mix modify monitor mount move multiply mute name
    narrate navigate negotiate notify obtain offer omit open operate optimise optimize order organise organize
    outline overcome overwrite own pack paint pair paraphrase park parse participate pass paste pause pay
    perform personalize phrase pick place plan plant play plot polish post postpone practice practise predict
    prepare present preserve press pretend prevent print prioritise prioritize process produce program promote
    pronounce proofread propose protect prove provide publish pull purchase push put qualify query quit quiz
    quote raise rank rate reach react read rebook rebuild recall receive recite recommend reconnect record
    recover recycle redeem redo redirect redesign reduce refactor refer refill refinance reformat refresh refund
    register reinstall reject relax release reload relocate remember remind remove rename rent renew reorder
    reorganize repair repeat rephrase replace reply report represent request require reschedule research reserve
    reset resize resolve respond restart restore restrict retrieve retry return reverse revert review revise
    revoke rewrite ride roast roll rotate round run save say scan schedule score scrape scroll search secure see
    select sell send separate serve set settle share shift ship shop shorten show shrink shut sign silence
    simplify simulate sing skip sleep slice snooze solve sort speak specify spell spend split start state stay
    stop store stream stretch structure study submit subscribe subtract sue suggest sum summarise summarize
    support suspend swap switch sync take talk teach tell terminate test text thank throw tie tip top trace
    track train transcribe transfer transform translate transpose travel treat trim troubleshoot trust try tune
    turn type unblock uncover understand undo uninstall unlink unlock unsubscribe update upgrade upload use
    validate verify view visit vote wait wake walk warn wash watch water wear weigh whip whisper win wipe wire
    withdraw work worry wrap write zip
    """
)
"""Verbs as an imperative or after "can you", "how do I" and "I want to"."""

TIME_WORDS = _words(
    """
    second minute hour day week weekend month quarter year morning noon afternoon evening night today tomorrow
    tonight yesterday next last previous current monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december jan feb mar apr jun
    jul aug sep sept oct nov dec am pm days weeks months years hours minutes mornings evenings nights time times
    date dates
    """
)
"""Words that say when. They set one request apart from another, and hardly ever one group of requests."""

VERBS_THAT_ARE_NOUNS = _words(
    """
    access answer appeal bake balance bill block book call change charge chat check claim code contact control
    cook copy cost count cover credit cut deal delay deposit design draft dress drink drive drop duplicate email
    escalate estimate exchange exercise export figure file filter fix form forward fund grade guide hire hold
    import insert issue jump label launch lead link list load loan lock look mail mark match measure monitor
    mount move name offer order outline paint pair park pass pause phrase pick place plan plant play plot polish
    post practice practise present press print process produce program project promise quiz quote rank rate
    reach record refund release rent repair repeat reply report request research reset return reverse review
    ride roast roll run scan schedule score scroll search set share shift ship shop show sign sleep snooze sort
    speed spell split start state stay stop store stream stretch structure study support switch sync talk test
    text tip trace track train transfer travel treat trim turn type update upgrade upload use view visit vote
    wait walk wash watch water wear wire work worry
    """
)
"""Those of them that start a noun phrase as easily: "order status", "loan for a car"."""

GERMAN_REQUEST_WORDS = _words(
    """
    brauche benötige möchte würde will suche kannst können könnten könntest hilf helfen helft zeig zeige erkläre
    erklär schreib schreibe gib nenne übersetze finde mach erstelle berechne buche storniere kündige kündigen
    stornieren ändern löschen zurücksetzen buchen bestellen finden umtauschen zurückgeben reklamieren frage
    wieso weshalb wie warum wo wann welche welcher welches wieviel
    """
)

SPANISH_REQUEST_WORDS = _words(
    """
    necesito quiero quisiera busco puedes podrías puede podría puedo gustaría ayuda ayúdame ayudarme dime dame
    muéstrame explícame explica escribe escríbeme traduce encuentra haz crea calcula reserva cancela cancelar
    cambiar reservar devolver recuperar cómo dónde cuándo cuál cuánto cuánta qué quién
    """
)

PROBLEM_WORDS = _words(
    """
    can't cannot cant couldn't won't wont doesn't doesnt didn't isn't hasn't haven't wasn't unable error errors
    crash crashes crashed crashing fail fails failed failing failure broken broke stuck freezes frozen lost
    stolen missing wrong incorrect declined rejected charged overcharged twice locked blocked expired late
    delayed damaged leaking problem problems issue issues trouble bug bugs slow forgot hacked fraud scam
    unauthorized refused never keeps stopped geht funktioniert fehler kaputt verloren gestohlen gesperrt defekt
    fehlt falsch abgebucht vergessen klappt funciona falla fallo perdí perdido robado roto bloqueada bloqueado
    cobraron olvidé incorrecto llegado
    """
)

# English parts of speech, as far as rewriting needs them

DETERMINERS = _words(
    """
    a an the my our your his her their its this that these those some any no every each
    """
)

PRONOUNS = _words(
    """
    i you he she it we they there this that these those someone somebody anyone anybody everyone everybody one
    """
)
"""Subjects of one word."""

PREPOSITIONS = _words(
    """
    about above across after against along instead among around as at before behind below beside between beyond by
    despite down during except for from in inside into like near of off on onto out outside over past per since
    through throughout till to toward towards under until up upon using via with within without regarding
    concerning including
    """
)

CONJUNCTIONS = _words(
    """
    and or but because so if when while although though unless whether than then where which who
    """
)

BE = _words("am is are was were")
DO = _words("do does did")
HAVE = _words("have has had")
MODALS = _words(
    """
    can could will would shall should may might must
    """
)
AUXILIARIES = BE | DO | HAVE | MODALS

PREDICATES = _words(
    """
    able active actually affordable allowed all already also always available aware bad better big blocked
    bookable busy cheap cheaper clean closed cold compatible complete correct covered currently dangerous dead
    deductible delayed different difficult done due easy eligible enough even ever exactly expensive fast fine
    free full gluten-free going gonna good hard healthy here high hot illegal included important just late legal
    likely long low lower mandatory necessary needed new normal not now off ok okay old on online only open
    optional out over permitted possible powered private public ready real really refundable required right
    running safe secure short slow so still supposed sure taxable there too true unlimited up useful valid vegan
    vegetarian very warm well working worth wrong yet
    """
)
"""Adjectives and adverbs that end a subject and start what is said of it: "is the shop | open on Sunday"."""

TIMES = _words(
    """
    today tomorrow tonight now again anymore later yesterday soon
    """
)
"""Adverbs that say when."""

NUMBER_WORDS = _words(
    """
    one two three four five six seven eight nine ten eleven twelve dozen hundred thousand million first second
    third
    """
)

VERBS = ENGLISH_VERBS | _words(
    """
    be have cost need want mean contain exist happen last expire belong like love hate owe own seem qualify
    require accept take come look feel taste smell sound matter arrive depart fit match rain snow die live count
    sleep ship crash fail freeze leak drain flicker drip stop
    """
)
"""Verbs in a statement or a question, beside those that can be asked for."""

IRREGULAR_PAST = dict(
    pair.split(":")
    for pair in sorted(
        _words(
            """
            be:was become:became begin:began break:broke bring:brought build:built buy:bought catch:caught
            choose:chose come:came cost:cost cut:cut do:did draw:drew drink:drank drive:drove eat:ate fall:fell
            feel:felt find:found fly:flew forget:forgot get:got give:gave go:went grow:grew have:had hear:heard
            hide:hid hit:hit hold:held keep:kept know:knew lead:led leave:left lend:lent let:let lose:lost
            make:made mean:meant meet:met pay:paid put:put read:read ride:rode ring:rang rise:rose run:ran
            say:said see:saw sell:sold send:sent set:set show:showed shut:shut sing:sang sit:sat sleep:slept
            speak:spoke spend:spent stand:stood steal:stole take:took teach:taught tell:told think:thought
            throw:threw understand:understood wake:woke wear:wore win:won write:wrote
            """
        )
    )
)
"""The simple past of verbs that don't add -ed, by the verb."""

GRANTED_VERBS = _words(
    """
    get have see book order reserve change cancel return exchange pay speak talk buy add schedule know ask
    request check view move transfer update upgrade downgrade reschedule rent borrow set remove delete hear try
    """
)
"""What a user may do by asking for it. Of other verbs "can I …?" asks for leave or for a fact."""

NOUNS_IN_ING = _words(
    """
    thing something anything nothing everything morning evening building meeting wedding parking housing
    training clothing shopping ceiling king spring string ring wing swing painting recording booking listing
    billing banking pricing shipping heating cooking swimming running marketing accounting engineering cleaning
    setting rating ranking funding savings
    """
)

SINGULARS_IN_S = _words(
    """
    this is was has does us its his news gas bus class address access business process
    """
)

ABSTRACT_NOUNS = _words(
    """
    difference differences meaning definition purpose reason point cause causes concept idea
    """
)
"""What is explained rather than found out: "what is the difference …"."""

TOLD_NOUNS = _words(
    """
    joke jokes story stories tale poem riddle fact facts something secret
    """
)
"""What is told rather than found out: "tell me a joke"."""

BEFORE_INFINITIVE = _words(
    """
    possible able allowed necessary safe ok okay how what where when which whether need needs want wants has
    have had way going supposed best better easy hard forget forgetting sure like legal due
    """
)
"""Words that "to" and a verb belong to."""

INCOMPLETE_ENDS = _words(
    """
    not i you he she we they it how what why who whose possible able supposed very too so more most going trying
    need needs want wants like there user assistant's be been being get getting right just such as next this
    last
    """
)
"""Words that a phrase can't end with, beside those of the closed classes."""

LIGHT_VERBS = _words("find search look get locate see show give help tell need want have check know ask")
"""Verbs that name no kind of request: "search for songs" is "find a song" again."""

NOUNS_THAT_SAY_NOTHING = TIME_WORDS | _words(
    """
    user assistant name names person people problem problems question questions thing things way ways answer answers
    example examples idea ideas reason reasons plan plans case version line kind sort part parts place places number
    numbers list lists end point setting settings mail e-mail email lot bit help task message messages error errors issue issues difference differences
    """
)
"""Nouns that any group of requests may use, and that say nothing about what is asked."""
