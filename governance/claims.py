"""Submitted text: what is refused, and the normal form under which two claims are the same."""

import re
import unicodedata
from collections.abc import Sequence

from governance.errors import InvalidClaim

MAX_QUESTION = 4_000
MAX_ANSWER_OLD = 32_000
MAX_CORRECT_ANSWER = 2_000
MAX_SUBJECT = 200
MAX_COMMENT = 4_000
MAX_EVIDENCE = 20
MAX_EVIDENCE_ITEM = 4_000
MAX_REASON = 4_000
MAX_PHRASINGS = 64

# What chat templates and tokenizers treat as structure: ChatML and Llama 3 `<|...|>`, DeepSeek's full-width bars (NFKC
# makes them plain), Llama 2 and Mistral brackets, Gemma's turns, sentence marks, and tool-call tags.
TEMPLATE_MARKER = re.compile(
    r"<\s?\|[^<>\n]{0,64}?\|\s?>|<\|[a-z_]+|[a-z_]\|>"
    r"|\[/?\s?(?:inst|system_prompt|available_tools|tool_calls|tool_results|img|assistant|gmask)\s?\]"
    r"|<<\s?/?\s?sys\s?>>"
    r"|</?(?:start_of_turn|end_of_turn|start_of_image|end_of_image|s|bos|eos|pad|unk|mask|sop|eop|think|tool_call|"
    r"tool_response|tools|extra_id_\d+|unused\d+|reserved_special_token_\d+)>"
    r"|\[/?(?:bos|eos|pad|unk|cls|sep|mask)\]"
    r"|^[^\S\n]*#{2,}\s*(?:instruction|response|system|assistant|user|human)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
DIRECTION_CHANGE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ALLOWED_CONTROLS = frozenset("\n\r\t")
MINUS = re.compile(r"(?<![^\W_])-(?=\d)")
EMPHASIS = re.compile(r"(?<![^\W_])(\*{1,3})(?=[^\s*])([^*\n]+)(?<=\S)\1(?![^\W_]|\*)")  # Markdown's, around words
# Those of C#, A*, 10*2 and 10/2 stay: "#" stands behind a word, "*" touches one, "/" stands between numbers.
LOOSE_SYMBOL = re.compile(r"(?<![^\W_])(?<!#)#++|(?<![^\W_])(?<!\*)\*++(?![^\W_])|(?<!\d)/|/(?!\d)")
MARKUP = frozenset("<=>|~\ufe0e\ufe0f")
NORMAL_FORM = 3
LEADING_ARTICLE = re.compile(r"^(?:the|a|an)\s+")


def check_text(field: str, text: str, *, longest: int, required: bool = True) -> str:
    """The text without spaces at its ends. Raises InvalidClaim if it is empty, too long or carries control tokens."""
    if not isinstance(text, str):
        raise InvalidClaim(f"{field} must be text, not {type(text).__name__}", field)
    if len(text) > longest:
        raise InvalidClaim(f"{field} has {len(text):,} characters: {longest:,} are allowed, so shorten it", field)
    stripped = text.strip()
    if required and not stripped:
        raise InvalidClaim(f"{field} is empty: say it in a few words", field)
    check_characters(field, stripped)
    return stripped


def check_characters(field: str, text: str) -> None:
    """Raises InvalidClaim for control characters, changes of writing direction and chat-template markers."""
    for character in text:
        category = unicodedata.category(character)
        if (
            category == "Cs"
            or (category == "Cc" and character not in ALLOWED_CONTROLS)
            or character in DIRECTION_CHANGE
        ):
            raise InvalidClaim(f"{field} contains the control character {character!a}: remove it", field)
    if marker := TEMPLATE_MARKER.search(INVISIBLE.sub("", unicodedata.normalize("NFKC", text))):
        raise InvalidClaim(f"{field} contains the chat-template marker {marker.group()!r}: remove it", field)


def check_texts(field: str, texts: Sequence[str], *, longest: int, most: int) -> tuple[str, ...]:
    """The texts, each checked. Raises InvalidClaim, also for too many of them."""
    if isinstance(texts, str) or len(texts) > most:
        raise InvalidClaim(f"{field} must be a list of at most {most} texts", field)
    return tuple(check_text(field, text, longest=longest) for text in texts)


def check_subject(subject: str, question: str) -> None:
    """Raises InvalidClaim unless the subject occurs in the canonical question: an edit is keyed on it there."""
    if normal(subject) not in normal(question):
        raise InvalidClaim(
            f"the subject {subject!r} does not occur in the question {question!r}: change one of them", "subject"
        )


def normal(text: str) -> str:
    """Case, accents' encoding, punctuation, spaces and a leading article set aside: for comparing, not for showing.

    Keys are stored of it: where it changes, so does `NORMAL_FORM`, and they are set anew (`Ledger.renew_keys`).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return LEADING_ARTICLE.sub("", words_and_symbols(folded.replace("'", "")))


def words_and_symbols(folded: str) -> str:
    """What tells one thing from another: words with their marks, numbers with their sign, symbols; one space for all else.

    Of punctuation `#` counts behind a word, `*` beside one and `/` between numbers. Pictures are words of their own.
    """
    if not frozenset("-#*/").isdisjoint(folded):
        folded = LOOSE_SYMBOL.sub(" ", EMPHASIS.sub(r" \2 ", MINUS.sub("−", folded)))
    return " ".join(folded.translate(WORDS_AND_SYMBOLS).split())


class _WordsAndSymbols(dict[int, str]):
    """For `str.translate`: what a character counts for. Each is looked up once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category == "So":
            self[code] = f" {character} "
        else:
            is_kept = character in "#*/" or category[0] in "LNM" or category in ("Sc", "Sm")
            self[code] = character if is_kept and character not in MARKUP else " "
        return self[code]


WORDS_AND_SYMBOLS = _WordsAndSymbols()
