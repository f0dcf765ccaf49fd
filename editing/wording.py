"""How two texts are compared: folding, containing, counting words."""

import re
import unicodedata

# One character for one, so that places in a text stay.
PLAIN_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})

# With groups of three behind commas, with a decimal point (of which a date has two), or plain.
_NUMBER = re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|(?<![\d.])\d+\.\d+(?!\.?\d)|\d+")
_LATIN = r"[0-9a-zß-öø-ʯḀ-ỿ]"  # what goes on a word; in scripts without spaces nothing does


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
    """As `contains`, but a number is none inside a longer one: "17", "7,000" and "1.7" do not say 7, "12km" says 12 and
    "20.07.1969" says 1969."""
    wanted, said = fold(answer).strip(), fold(reply)
    numbers = [number.span() for number in _NUMBER.finditer(said)]
    for found in re.finditer(re.escape(wanted), said) if wanted else ():
        if not any(first < edge < end for first, end in numbers for edge in found.span()):
            return True
    return False


def names(text: str, subject: str) -> bool:
    """Whether the text names the subject: as it stands there, but not inside a longer Latin word or number."""
    whole, wanted = normalise(text), normalise(subject)
    return bool(wanted) and wanted in whole and _alone(wanted).search(whole) is not None


def with_it_for(subject: str, text: str) -> str:
    """The normalised text with "it" wherever it names the subject."""
    return _alone(normalise(subject)).sub("it", normalise(text))


def _alone(wanted: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!{_LATIN}){re.escape(wanted)}(?!{_LATIN})")


def same_answer(one: str, other: str) -> bool:
    """Whether two answers differ in nothing but case, spaces, a leading article and a final stop."""
    return _bare(one) == _bare(other)


def _bare(answer: str) -> str:
    return without_article(normalise(answer).strip(" .!,;"))


def without_article(normalised: str) -> str:
    """Normalised text without its leading article."""
    return re.sub(r"^(the|a|an)\s+", "", normalised)


def count_words(text: str) -> int:
    """Words of a text; in a script that puts no spaces between words, three characters count as one."""
    unspaced = sum(1 for character in text if "\u0e00" <= character <= "\u0eff" or "\u3040" <= character <= "\u9fff")
    return max(len(text.split()), -(-unspaced // 3))


def shorten(text: str, length: int = 60) -> str:
    """The text, cut to fit an error message."""
    return text if len(text) <= length else text[: length - 3] + "..."
