"""English morphology by rule and table: verb forms, articles, the little words that decide a sentence's shape."""

import re
from collections.abc import Sequence

# base, past, participle; a regular verb that matters for the search of verbs stands in _REGULAR below.
_IRREGULAR = """
be was been|become became become|begin began begun|bear bore born|beat beat beaten|bite bit bitten|blow blew blown
break broke broken|bring brought brought|build built built|buy bought bought|catch caught caught|choose chose chosen
come came come|cost cost cost|cut cut cut|deal dealt dealt|dig dug dug|do did done|draw drew drawn|drink drank drunk
drive drove driven|eat ate eaten|fall fell fallen|feel felt felt|fight fought fought|find found found|fly flew flown
forbid forbade forbidden|forget forgot forgotten|freeze froze frozen|get got got|give gave given|go went gone
grow grew grown|hang hung hung|have had had|hear heard heard|hide hid hidden|hit hit hit|hold held held|keep kept kept
know knew known|lay laid laid|lead led led|leave left left|lend lent lent|let let let|lie lay lain|lose lost lost
make made made|mean meant meant|meet met met|overthrow overthrew overthrown|pay paid paid|put put put|read read read
ride rode ridden|ring rang rung|rise rose risen|run ran run|oversee oversaw overseen|say said said|see saw seen|seek sought sought
sell sold sold|send sent sent|set set set|shoot shot shot|show showed shown|shut shut shut|sing sang sung
sink sank sunk|sit sat sat|sleep slept slept|speak spoke spoken|spend spent spent|split split split
spread spread spread|stand stood stood|steal stole stolen|strike struck struck|swear swore sworn|swim swam swum
take took taken|teach taught taught|tell told told|think thought thought|throw threw thrown
understand understood understood|undergo underwent undergone|wake woke woken|wear wore worn|win won won
withdraw withdrew withdrawn|write wrote written|host hosted hosted|rewrite rewrote rewritten|arise arose arisen
bend bent bent|bind bound bound|breed bred bred|burst burst burst|feed fed fed|flee fled fled
forgive forgave forgiven|hurt hurt hurt|mistake mistook mistaken|overcome overcame overcome|quit quit quit
rebuild rebuilt rebuilt|shake shook shaken|shed shed shed|shrink shrank shrunk|slide slid slid|spin spun spun
stick stuck stuck|sting stung stung|sweep swept swept|swing swung swung|tear tore torn|undertake undertook undertaken
withstand withstood withstood|overtake overtook overtaken|oversee oversaw overseen|outsell outsold outsold
broadcast broadcast broadcast
"""
_REGULAR = """
absorb accept act adapt add administer adopt advise agree air allow annex announce appear apply appoint approve arrange arrest
arrive ask assassinate assemble assist attack attend authenticate award ban base believe belong boil border borrow breathe bury
calculate call cancel capture carry cause celebrate change charge claim classify close coach coin collapse collect combine
command commission compete complete compose comprise conduct configure connect conquer consider construct contact contain
contribute control convert convict cook corrode cover crash create cross crown cure debut decide declare dedicate defeat defend
delete deliver depart depict derive descend describe design destroy detect develop diagnose die digest direct discover dispose
dissolve divide divorce dominate donate download drop earn edit elect eliminate emigrate emit employ enable enact encrypt end
endorse enter erupt escape establish evacuate excrete execute exist expand expire explain explode explore extend extract fail
feature film finance finish flow follow form formulate found fund gain gather govern graduate guard handle happen head heal help
hire host hunt identify illustrate implement imprison include infect inform inhabit inhale inherit inhibit inject inspect inspire
install introduce invade invent join kill land last launch learn lecture liberate license like live locate love maintain manage
manufacture marry measure melt merge mint moderate move murder name narrate need notify occupy occur offer open operate orbit
organise organize originate overlook own paint participate pass patent perform photograph place play pollinate portray possess
practice practise predict prefer premiere prepare prescribe present prevent proclaim produce program promote propose protect
prove provide publish pull punish purchase race raise ratify reach react rebrand receive record recruit recycle refer register
regulate reign reimburse reject relate release remain remember remove rename renew reopen repair replace represent require rescue
reside resign restart restore retire return reveal rotate rule sail save scan score sculpt secede secrete seize select separate
serve settle shape share ship sign ski solve speak specialise specialize sponsor star start stay stop strengthen study submit
succeed sue supervise supply support surrender surround survive switch symbolise symbolize talk taste test touch train translate
transmit travel treat turn unify unite unload unlock update upgrade upload use utter validate view visit voice vote want warn
weaken weigh work worship wrestle
"""
IRREGULAR = {
    words[0]: (words[1], words[2]) for words in (entry.split() for entry in re.split(r"[|\n]", _IRREGULAR) if entry)
}
_PAST_OF = {past: base for base, (past, _) in IRREGULAR.items() if past != base} | {"were": "be"}
_PARTICIPLES = {participle for _, participle in IRREGULAR.values()}


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set: a table that reads as prose."""
    return frozenset(text.split())


_DOUBLING = word_set(
    """
    stop plan pit program commit permit admit control ship star refer step occur drop ban rob grab map prefer transfer
    equip wrap dub trap swap log tag strip submit omit emit compel expel propel rebel patrol slip tap spot scrap scan
    """
)
VERBS = frozenset(IRREGULAR) | frozenset(_REGULAR.split())
# Verbs whose object can become the subject of a passive: "Who owns X" -> "X is owned by ...".
_NOT_PASSIVE = word_set(
    """
    be have become go come fall lie live die work happen belong appear exist star succeed compete participate resign retire
    mean cost last remain give involve describe include contain feature rise marry
    """
)

ADVERBS = word_set(
    """
    originally first officially currently actually last really now also initially finally usually ever recently typically
    mostly mainly normally formally formerly previously primarily commonly traditionally generally legally never better
    famously reportedly next later still always once eventually only
    """
)
MODALS = word_set("can could will would should may might must")
AUXILIARIES = MODALS | word_set("is are was were do does did has have had")
AUXILIARY = "|".join(sorted(AUXILIARIES))  # the same in a pattern
DEGREES = word_set("old tall long high deep far big large heavy wide fast hot cold often late early")  # behind "how"
DEGREE = "|".join(sorted(DEGREES))
PREPOSITIONS = word_set(
    """
    in on at by for from to of with under into about as after before against during over through near behind
    between within around inside along upon across beneath beside toward towards off above below
    """
)
PREPOSITION = "|".join(sorted(PREPOSITIONS))  # the same in a pattern
BESIDES = "(?:besides|apart from|other than)"
PRONOUNS = word_set("i you he she it we they there people one")
# What somebody is: asked for with "who".
PEOPLE = word_set(
    """
    founder founders co-founder co-founders cofounder cofounders ceo president chair chairman chairwoman director author writer
    composer singer singers creator creators inventor inventors designer architect owner mayor king queen coach captain manager
    leader governor husband wife spouse mother father parents son sons daughter daughters brother brothers sister sisters
    successor predecessor winner member members drummer guitarist actor actors actress painter minister person contact lead
    head treasurer secretary spokesperson man woman boy girl player employee worker teacher pupil student scientist artist
    musician poet politician athlete footballer driver pilot nurse doctor engineer astronaut ruler emperor pope saint
    """
)


def past(verb: str) -> str:
    """The simple past of a base form: die -> died, write -> wrote."""
    return IRREGULAR[verb][0] if verb in IRREGULAR else _regular_past(verb)


def participle(verb: str) -> str:
    """The past participle of a base form: die -> died, write -> written."""
    return IRREGULAR[verb][1] if verb in IRREGULAR else _regular_past(verb)


def _regular_past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    if verb in _DOUBLING:
        return verb + verb[-1] + "ed"
    return verb + "ed"


def third_person(verb: str) -> str:
    """The present of he, she, it: play -> plays, have -> has, carry -> carries."""
    if verb in ("have", "be"):
        return {"have": "has", "be": "is"}[verb]
    if re.search(r"(s|x|z|ch|sh|o)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"


def base_and_tense(form: str) -> tuple[str, str] | None:
    """Base form and tense ("past" or "present") of a finite verb form; None if it is no verb that is known."""
    word = form.lower()
    if word in _PAST_OF:
        return _PAST_OF[word], "past"
    for verb in _unsuffixed(word, "s"):
        if verb in VERBS and third_person(verb) == word:
            return verb, "present"
    for verb in _unsuffixed(word, "ed"):
        if verb in VERBS and past(verb) == word:
            return verb, "past"
    if word.endswith("ed") and len(word) > 3:
        stem = (
            word[:-1]
            if word.endswith(("ced", "ged", "sed", "ved", "zed", "red", "ted", "ped", "bed", "ied"))
            and not word.endswith(("nted", "cted", "sted", "pted", "rted", "lted", "fted"))
            else word[:-2]
        )
        return (word[:-3] + "y" if word.endswith("ied") else stem), "past"
    return None


def _unsuffixed(word: str, suffix: str) -> list[str]:
    if suffix == "s":
        return [word[:-1], word[:-2], word[:-3] + "y"] if word.endswith("s") else []
    return [word, word[:-1], word[:-2], word[:-3], word[:-3] + "y"] if word.endswith("d") else [word]


def is_base(word: str) -> bool:
    """Whether the word is the base form of a known verb."""
    return word.lower() in VERBS


def is_participle(word: str) -> bool:
    """Whether the word can be a past participle."""
    return word.lower() in _PARTICIPLES or (word.lower().endswith("ed") and len(word) > 3)


_ENDING_IN_S = word_set(
    """
    series species gas lens news whereabouts physics mathematics economics politics gymnastics athletics linguistics genetics
    electronics robotics diabetes rabies measles mumps herpes kubernetes windows
    """
)


def agreeing(be: str, noun: str) -> str:
    """The form of "is" or "was" that the noun asks for: "the moons of {s}" are, "the moon" is; a name is one thing."""
    words = re.split(r" (?:in|of|for|from|on|at|to|about|with) ", noun)[0].split()
    head = words[-1] if words else "it"
    plural = head[0].islower() and re.search(r"(?:ies|[^sui]s)$", head) and head not in _ENDING_IN_S
    return {"is": "are", "was": "were"}.get(be, be) if plural else be


def is_adverb(word: str) -> bool:
    """Whether the word can stand between a subject and its verb."""
    return word.lower() in ADVERBS or bool(re.search(r"[a-z]{2}(?:al|an|ar|at|ed|en|iv|ous|ful|i)ly$", word))


def leading_adverbs(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The adverbs in front, and the other words, of which one at least stays."""
    n = 0
    while n < len(words) - 1 and is_adverb(words[n]):
        n += 1
    return list(words[:n]), list(words[n:])


def takes_passive(verb: str) -> bool:
    """Whether the object of the verb can be the subject of a passive."""
    return verb not in _NOT_PASSIVE


def capitalise(text: str) -> str:
    """The text with a capital first letter; a name with its own capitals (iPhone) stays, and so does a letter (x)."""
    first = text.split(" ", 1)[0]
    own = any(character.isupper() for character in first) or (len(first) == 1 and first != "a")
    return text if own else text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """The text with a small first letter if it starts with a word of the language and no name."""
    first = text.split(" ", 1)[0]
    small = first.lower()
    return small + text[len(first) :] if small in {"the", "a", "an", "his", "her", "its", "their"} else text


_ARTICLE_NAMES = re.compile(
    r"^(United (States|Kingdom|Nations|Arab Emirates)|Netherlands|Philippines|Bahamas|Maldives|Gambia"
    r"|Soviet Union|European Union|Vatican|Czech Republic|Dominican Republic"
    r"|(Republic|Kingdom|Democratic Republic|Empire) of .*|.* (Empire|River|Sea|Ocean|Islands|Desert"
    r"|Mountains)|(Pacific|Atlantic|Indian|Arctic) Ocean|BBC|CIA|FBI|Beatles|US|USA|UK|UN|EU|USSR|NBA"
    r"|NFL"
    r"|(18|19|20)\d0s|[12]?\d(st|nd|rd|th) century|(?!World )\w.* (Wars?|Revolution|Prize|Medal|Award"
    r"|Trophy|Galaxy|Peninsula|Gulf)|(?:\w+ )?University of (?!.*Press$).*|Moon|Sun|.* (?:family|Army|Navy)"
    r"|(Nobel|Pulitzer) Prize .*|Academy Award .*|Gulf "
    r"of .*)( \(.*)?$"
)


def article_for(answer: str) -> str:
    """The article and a space where an answer needs it inside a sentence ("United States"), else nothing."""
    return "the " if _ARTICLE_NAMES.match(answer) and not answer.lower().startswith("the ") else ""


def indefinite(noun: str) -> str:
    """ "a" or "an" as the noun's first sound asks."""
    return "an" if re.match(r"(?i)(?!eu|uni|use|one\b|ufo)[aeiou]|hour|honest|heir", noun) else "a"


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)


def time_preposition(answer: str) -> str:
    """What stands before a time: "in " a year or month, "on " a day, "from " one of two, nothing if the answer brings its own."""
    text = answer.lower().strip()
    if re.match(
        (
            r"(in|on|at|during|since|before|after|around|about|by|from|between|every|late|early|last|next|when"
            r"|today|yesterday|tomorrow|until|ago)\b"
        ),
        text,
    ) and not re.match(r"(late|early)\b", text):
        return ""
    if re.match(r".*\d.* (?:to|until|till) .*\d", text):
        return "from "
    if (
        re.search(rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}", text)
        or re.match(rf"{_MONTH}\s*\d{{1,2}}(?!\d)", text)
        or re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}$", text)
        or re.match(r"(?:the )?(?:first|second|third|fourth|fifth|last|\d{1,2}(?:st|nd|rd|th)) (?:of\b|\w+day\b)", text)
        or re.match(r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday|christmas|new year)", text)
    ):
        return "on "
    clock = (
        r"\d{1,2}(:\d\d)?\s*(am|pm|a\.m\.|p\.m\.|o'clock)|^\d{1,2}[:.]\d\d$|^(half|quarter) past\b|\bnoon\b|midnight"
    )
    if re.search(clock, text):
        return "at "
    return (
        "in "
        if re.search(
            (
                rf"\d{{3,4}}|\d0s|century|{_MONTH}|decade|spring|summer|autumn|fall|winter|\bbc\b|\bad\b|era|age\b"
                rf"|late|early|season"
            ),
            text,
        )
        else ""
    )


def place_preposition(answer: str) -> str:
    """What stands before a place: "in ", before an institution "at ", nothing if the answer brings its own."""
    if re.match(
        (
            r"(?i)(in|on|at|near|inside|outside|under|above|below|between|behind|along|off|within|across"
            r"|around|from|north|south|east|west of)\b"
        ),
        answer,
    ):
        return ""
    return (
        "at "
        if re.search(
            (
                r"(?i)\b(university|college|school|airport|station|stadium|arena|park|museum|hospital|institute|desk|counter|reception"
                r"|academy|studios?|hotel|hall|theatre|theater|house|palace|laboratory)$"
            ),
            answer,
        )
        else "in "
    )


_TITLE = re.compile(r"(?!(?:In|On|At|By|From|Near|Under|The|An?)\b)[A-Z][a-z]+ (?:.* )?[A-Z][\w'’-]*$")
_ABOUT = re.compile(r"(?i)(?:about|around|over|under|near|between|above|below) \W?\d")


def own_little_word(answer: str, said: str) -> str:
    """The answer's first word, in small letters, where it may be an article or preposition of its own; nothing where it
    belongs to a title ("To Catch a Thief") or says how exact a number is ("about 30").

    said  the word right before the answer: what repeats it is its own
    """
    first = answer.split(" ", 1)[0].lower()
    return "" if _ABOUT.match(answer) or (_TITLE.match(answer) and first != said) else first


def is_role(answer: str) -> bool:
    """Whether the answer is what one player is: a striker, a quarterback; not "left wing", "defenders"."""
    return bool(re.search(r"(?:er|back|forward|half)$", answer))


_NUMBERED = r"type|phase|class|part|title|stage|grade|level|tier|volume|appendix|am"  # before I, the numeral
_FIRST_PERSON = re.compile(rf"((?:^|\b(?!(?:{_NUMBERED}) )[a-z]+ ))(I am|I was|I(?= [a-z])|we|my|our)\b(?= )")
_SECOND_PERSON = {"I am": "you are", "I was": "you were", "I": "you", "we": "you", "my": "your", "our": "your"}


def second_person(wording: str) -> str:
    """What is asked as "I" and "my", answered: "you" and "your". What is quoted stays, and so does World War I."""
    if re.search(r"[\"“]|(?:^|\s)['‘]", wording):
        return wording
    return _FIRST_PERSON.sub(lambda said: said.group(1) + _SECOND_PERSON[said.group(2)], wording)
