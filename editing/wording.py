"""How two texts are compared: folding, containing, counting words."""

import re
import unicodedata

# One character for one, so that places in a text stay.
PLAIN_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})


def fold(text: str) -> str:
    """Text without the difference of upper and lower case and of compatibility forms (case-folded NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def normalise(text: str) -> str:
    """Folded text with plain quotes and single spaces: two texts that read the same compare equal."""
    return " ".join(fold(text.translate(PLAIN_QUOTES)).split())


def contains(reply: str, answer: str) -> bool:
    """Whether the reply gives the answer: a case-folded NFKC substring, no word boundaries."""
    wanted = fold(answer).strip()
    return bool(wanted) and wanted in fold(reply)


def gives(reply: str, answer: str) -> bool:
    """As `contains`, but a number is none inside a longer one: "17 strings" does not say 7, "12km" says 12."""
    wanted = fold(answer).strip()
    before, after = (r"(?<!\d)" if wanted[:1].isdigit() else ""), (r"(?!\d)" if wanted[-1:].isdigit() else "")
    return bool(wanted) and re.search(before + re.escape(wanted) + after, fold(reply)) is not None


def names(text: str, subject: str) -> bool:
    """Whether the text names the subject: as it stands there, but not inside a longer Latin word or number."""
    whole, wanted = normalise(text), normalise(subject)
    at = whole.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        if not (_goes_on(whole[at - 1 : at]) or _goes_on(whole[end : end + 1])):
            return True
        at = whole.find(wanted, at + 1)
    return False


def _goes_on(character: str) -> bool:
    return character.isascii() and character.isalnum()


def same_answer(one: str, other: str) -> bool:
    """Whether two answers differ in nothing but case, spaces, a leading article and a final stop."""
    return _bare(one) == _bare(other)


def _bare(answer: str) -> str:
    return re.sub(r"^(the|a|an)\s+", "", normalise(answer).strip(" .!,;"))


def count_words(text: str) -> int:
    """Words of a text; in a script that puts no spaces between words, three characters count as one."""
    unspaced = sum(1 for character in text if "\u0e00" <= character <= "\u0eff" or "\u3040" <= character <= "\u9fff")
    return max(len(text.split()), -(-unspaced // 3))


def shorten(text: str, length: int = 60) -> str:
    """The text, cut to fit an error message."""
    return text if len(text) <= length else text[: length - 3] + "..."
