"""A question with its subject cut out: what is asked, whatever it is asked of."""

import re
from dataclasses import dataclass

from editing.questions.readings import SLOT
from editing.wording import PLAIN_QUOTES

# "St." and "Mr." end none.
SENTENCE_END = re.compile(r"(?:(?<=[a-z{}]{3}[.!])|(?<=[?]))\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Template:
    """A question with its subject cut out.

    text     the question, SLOT in place of `phrase`
    phrase   the subject as it stands in a sentence: with its article, its quotes, "the film" before it
    subject  the subject alone; occurs literally in `phrase`
    """

    text: str
    phrase: str
    subject: str


# What may stand between "the" and a name, and belongs to the name: "the film Jaws", "the element radium".
_ANNOUNCED = re.compile(
    r"(?i)\b((?:the (?:(?:tv|television|video|short|rock|pop|musical|chemical|programming) )?(?:film|movie|song|album"
    r"|single|book|novel|poem|play|opera|symphony|ballet|musical|painting|artwork|sculpture|show|series|sitcom|game"
    r"|magazine|newspaper|company|firm|brand|band|group|airline|star|planet|moon|comet|asteroid|species|element|mineral"
    r"|drug|disease|virus|gene|plant|animal|bird|dish|language|instrument|device|car|aircraft|software"
    r"|festival|character|ship|lake|mountain|island|painter|writer|author|poet|composer|singer|actor|actress"
    r"|physicist|chemist|scientist|philosopher|politician|footballer|city of|town of|village of|country of|state of"
    r"|river|battle of)"
    r"|film|movie|song|album|novel|the)\s)$"
)


# A capital because the question begins there: "The Karn printer", not "The Hague".
_NO_NAME = re.compile(r"The (?:[\w'’-]+ )*(?!(?:of|the|and|in|on|a|an|to|for)\b)[a-z][\w'’-]*(?: |$)")


def cut_subject(question: str, subject: str) -> Template:
    """The question around its subject, as the question spells it: quotes, spaces and capitals aside; a subject that does
    not occur leaves the text as it is."""
    wanted = " ".join(subject.split())
    at = _find(question, wanted)
    if at < 0 or not wanted:
        return Template(question, wanted, wanted)
    literal = question[at : at + len(wanted)]  # as the question spells it
    if at == 0 and _NO_NAME.match(literal):
        literal = literal[0].lower() + literal[1:]
    before, after = question[:at], question[at + len(literal) :]
    phrase = literal
    if (
        before[-1:]
        and after[:1]
        and before[-1] + after[0] in ('""', "\u201c\u201d", "\u00ab\u00bb", "''", "\u2018\u2019")
    ):
        phrase, before, after = before[-1] + phrase + after[0], before[:-1], after[1:]
    announced = _ANNOUNCED.search(before)
    if announced and announced.group(1).lower() == "the " and literal.startswith("The "):
        before = before[: announced.start()]
    elif announced:
        word = announced.group(1)
        phrase = (word[0].lower() + word[1:]) + phrase
        before = before[: announced.start()]
    return Template(f"{before}{SLOT}{after}", phrase, literal)


def _find(question: str, subject: str) -> int:
    question, subject = (text.translate(PLAIN_QUOTES) for text in (question, subject))
    wanted = re.compile(rf"(?<!\w){re.escape(subject)}(?!\w)")
    *_, last = (0, *(end.end() for end in SENTENCE_END.finditer(question)))
    whole = wanted.search(question, last) or wanted.search(question)  # what is asked stands in the last sentence
    at = whole.start() if whole else question.find(subject)
    if at >= 0 or len(question.casefold()) != len(question) or len(subject.casefold()) != len(subject):
        return at
    return question.casefold().find(subject.casefold())
