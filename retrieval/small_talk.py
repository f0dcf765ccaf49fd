"""Chit-chat and creative requests, told by rule: nothing is looked up for them."""

import re

_MAX_CHARACTERS = 400

# A whole message that greets, thanks, parts, or asks after the assistant itself.
_CHAT = re.compile(
    r"""^(?:
      (?:oh|ah|well|ok(?:ay)?|and|so|haha|lol|wow|um|hmm+|great|cool|nice|perfect|awesome)?[\s,!.]*
      (?:
        (?:hi|hello|hey|hiya|howdy|yo|greetings|good\s(?:morning|afternoon|evening|night|day))(?:\sthere|\sagain|\severyone|\sall|\sbot|\serrata)?
      | (?:thanks|thank\syou|thx|ty|cheers|much\sappreciated|i\sappreciate\s(?:it|that))(?:\s(?:so|very)\smuch|\sa\slot|\sagain|\sfor\s(?:your|the)\s\w+)?
      | (?:bye|goodbye|good\s?bye|see\syou|see\sya|later|take\scare|farewell)(?:\s(?:later|soon|tomorrow|then|now))?
      | (?:yes|no|yep|nope|yeah|sure|ok(?:ay)?|fine|right|great|cool|nice|perfect|awesome|lol|haha+|wow|sorry|please|never\s?mind|got\sit|i\ssee|well\sdone|good\s(?:job|bot)|you'?re\s(?:right|welcome|great|funny|wrong))
      | how\s(?:are|r)\s(?:you|u|things)(?:\s(?:doing|today|feeling|going))*
      | how(?:'s|\sis)\s(?:it\sgoing|your\sday|life|everything)(?:\s\w+)?
      | what'?s\s(?:up|new|good)
      | (?:who|what)\sare\syou
      | what(?:'s|\sis)\syour\s(?:name|favou?rite\s[\w\s]+|hobby|purpose)
      | (?:are|were|do|did|can|could|will|would)\syou\s(?:ok(?:ay)?|there|human|real|alive|a\s(?:bot|robot|human|person|machine)|an\sai|sentient|conscious|happy|sad|bored|feel[\w\s]*|like\s(?:me|humans|people|music)|love\sme|dream|sleep|help(?:\sme)?|hear\sme|understand(?:\sme)?)
      | what\scan\syou\s(?:do|help(?:\sme)?(?:\swith)?)
      | (?:nice|good|pleased)\sto\s(?:meet|see)\syou
      | (?:i(?:'m|\sam)|my\sname\sis)\s(?:bored|sad|happy|tired|hungry|lonely|fine|good|ok(?:ay)?|back|[a-z]{2,12})
      | i\s(?:love|like|hate)\syou | have\sa\s(?:nice|good|great)\s(?:day|evening|night|weekend|one)
      | (?:let'?s|can\swe)\s(?:talk|chat)(?:\sabout\s(?:something|anything))?
      | test(?:ing)?
      )
      (?:[\s,!.?]+(?:errata|there|friend|buddy|my\sfriend|bot|please|today|then|again|and\syou|how\sare\syou(?:\sdoing)?|what'?s\sup|see\s(?:you|ya)(?:\s(?:later|soon|tomorrow))?|thanks|thank\syou(?:\sso\smuch|\svery\smuch)?|bye))*
    )[\s!.?,:;)\u2764\U0001F300-\U0001FAFF-]*$""",  # noqa: E501 - one rule per line
    re.IGNORECASE | re.VERBOSE,
)
_POLITE = (
    r"(?:(?:please|can|could|would|will)\s(?:you\s)?(?:please\s)?(?:help\sme\s(?:to\s)?)?"
    r"|i(?:'d|\swould)\slike\syou\sto\s|i\s(?:want|need)\s(?:you\sto\s)?|help\sme\s(?:to\s)?|let'?s\s)?"
)
_WORKS = (
    r"poems?|haikus?|limericks?|sonnets?|ballads?|odes?|rhymes?|songs?|lyrics|raps?|jokes?|puns?|riddles?|story|stories|tales?"
    r"|fables?|novels?|essays?|scripts?|screenplays?|dialogues?|dialogs?|monologues?|speech(?:es)?|toasts?|slogans?|taglines?|jingles?"
    r"|tweets?|captions?|blog\sposts?|posts?|emails?|e-mails?|letters?|messages?|cover\sletters?|ads?|advertisements?|product\sdescriptions?"
    r"|invitations?|greetings?|cards?|names?|nicknames?|usernames?|titles?|ideas?|metaphors?|plots?|characters?|recipes?"
    r"|functions?|programs?|scripts?|regex(?:es)?|quer(?:y|ies)|paragraphs?|sentences?|scenes?|chapters?|prompts?|pick-?up\slines?"
)
# A verb of making with a thing to be made: what comes back is invented, not looked up.
_CREATIVE = re.compile(
    rf"""^{_POLITE}(?:
      (?:write|compose|draft|invent|imagine|create|craft|make\sup|come\sup\swith|brainstorm|generate|improvise|pen|sing|rap)\b
        (?:\s(?:me|us))?\b[^?]*?\b(?:{_WORKS})\b
    | (?:tell|give|read|sing|write|make)\s(?:me|us)\s(?:[\w'-]+\s){{0,4}}?(?:poems?|haikus?|limericks?|songs?|jokes?|puns?|riddles?|story|stories|tales?|bedtime\sstory|pick-?up\slines?|pep\stalk)\b
    | (?:write|compose|invent|imagine|improvise|brainstorm|roleplay|role-play|rap|sing)\b(?!\s(?:down|out))
    | (?:pretend|act|behave|talk|speak|respond|answer)\s(?:to\sbe|that\syou|you|as\sif|as\sa|as\san|like\sa|like\san|as)\b
    | (?:rewrite|rephrase|paraphrase|proofread|reword|edit|improve|shorten|polish|correct\sthe\sgrammar|fix\sthe\sgrammar)\b
    | (?:translate)\b
    | (?:make\sme\slaugh|cheer\sme\sup|entertain\sme|surprise\sme|motivate\sme|flirt\swith\sme)
    | (?:suggest|give\sme|list)\s(?:(?:a|an|some|a\sfew|\d+|me|us|\w+)\s){{0,4}}?(?:names?|nicknames?|titles?|slogans?|captions?|taglines?|ideas?)\b(?!\sof\b)
    )""",  # noqa: E501 - one rule per line
    re.IGNORECASE | re.VERBOSE,
)


def is_small_talk(question: str) -> bool:
    """Whether the message is chit-chat or asks for something to be made up.

    By rule, so it errs to the side of looking up: what no rule knows is a question.
    """
    text = " ".join(question.split())
    if not re.search(r"\w", text):
        return True
    if len(text) <= _MAX_CHARACTERS and _CHAT.match(text):
        return True
    opening = re.sub(
        r"^(?:hi|hello|hey|ok(?:ay)?|now|thanks|great)\b[\s,!.]+", "", text[:_MAX_CHARACTERS], flags=re.IGNORECASE
    )
    return _CREATIVE.match(opening) is not None
