"""Cut a document into passages that fit the embedder's window, at sentence ends, headings kept."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from retrieval.documents import Block, Document

# About 200 word pieces of MiniLM, whose window is 256: room for the title and headings that are embedded with the text.
PASSAGE_TOKENS = 200
OVERLAP_TOKENS = 30

# Sentence ends: Latin and Cyrillic need a following space; CJK and Devanagari marks do not.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？।؟])|\n{2,}")
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0002fa1f]"  # Kana, Han, Hangul
)
# Where letters could be heaped with accents: long runs of what is no letter, and the voicing marks that count as letters.
_HEAP = re.compile(r"(?:[^\w\s\x00-\u02ff]|[\uff9e\uff9f]){31,}")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage to be: its own text, and the headings it stood under."""

    text: str
    heading: str

    def embedded_text(self, title: str) -> str:
        """What the embedder and the lexical index see: title and headings first."""
        context = " > ".join(part for part in (title, self.heading) if part and part not in self.text)
        return f"{context}\n{self.text}" if context else self.text


def chunk(document: Document, *, max_tokens: int = PASSAGE_TOKENS, overlap_tokens: int = OVERLAP_TOKENS) -> list[Chunk]:
    """The document's passages in order; none if it holds no text."""
    return [
        Chunk(text, " > ".join(block.headings))
        for block in _joined(document.content())
        for text in _packed(block.text, max_tokens, overlap_tokens)
    ]


def estimate_tokens(text: str) -> int:
    """Word pieces that the text will about take: four characters of an alphabet each, one of a spaceless script."""
    spaceless = 0 if text.isascii() else len(_SPACELESS.findall(text))
    return spaceless + (len(text) - spaceless + 3) // 4


def writes_without_spaces(text: str) -> bool:
    """Whether the text holds a script that does not put spaces between words (Thai, Japanese, Chinese...)."""
    return _SPACELESS.search(text) is not None


def language_of(text: str) -> str:
    """ISO 639-1 guess by script and, for the Latin script, by small words; empty where nothing tells."""
    sample = text[:1500]
    for language, pattern in _SCRIPTS.items():
        if len(re.findall(pattern, sample)) > len(sample) * 0.15:
            return language
    words = re.findall(r"[^\W\d_]+", sample.casefold())
    scores = {language: sum(word in small for word in words) for language, small in _SMALL_WORDS.items()}
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] >= max(2, len(words) * 0.05) else ""


def without_heaps(text: str) -> str:
    """The text without accents where over 30 are heaped on one letter: no language does that (UAX #15, Stream-Safe Text).

    Normalising sorts them, which takes time with the square of their number: minutes for half a megabyte.
    """
    return _HEAP.sub(lambda heap: "".join(letter for letter in heap.group() if not _is_accent(letter)), text)


def sentences(text: str) -> list[str]:
    """The text cut at sentence ends and blank lines."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def _is_accent(letter: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", letter)[0]) > 0


def _joined(blocks: Sequence[Block]) -> Iterator[Block]:
    """Neighbouring blocks under the same headings become one, so that passages are not crumbs."""
    for headings, together in groupby(blocks, key=lambda block: block.headings):
        yield Block("\n\n".join(block.text for block in together), headings)


def _packed(text: str, max_tokens: int, overlap_tokens: int) -> Iterator[str]:
    text = unicodedata.normalize("NFC", without_heaps(text)).strip()
    if not text:
        return
    if estimate_tokens(text) <= max_tokens:
        yield text
        return
    taken: list[str] = []
    fresh = 0  # how many of `taken` no passage holds yet
    for piece in _pieces(text, max_tokens):
        if taken and estimate_tokens(" ".join([*taken, piece])) > max_tokens:
            yield " ".join(taken)
            taken, fresh = _tail(taken, overlap_tokens, room=max_tokens - estimate_tokens(piece) - 1), 0
        taken.append(piece)
        fresh += 1
    if fresh:
        yield " ".join(taken)


def _tail(pieces: Sequence[str], tokens: int, *, room: int) -> list[str]:
    """The last whole sentences that fit into the overlap."""
    tail: list[str] = []
    for piece in reversed(pieces):
        cost = estimate_tokens(piece) + 1
        if cost > min(tokens, room):
            break
        tokens, room = tokens - cost, room - cost
        tail.insert(0, piece)
    return tail


def _pieces(text: str, max_tokens: int) -> Iterator[str]:
    """Sentences; one that is too long alone is cut at spaces, then anywhere."""
    for sentence in sentences(text):
        if estimate_tokens(sentence) <= max_tokens:
            yield sentence
            continue
        line = ""
        for word in re.findall(r"\S+\s*", sentence):
            start = 0
            while estimate_tokens(word[start : start + 4 * max_tokens + 1]) > max_tokens:
                if line:
                    yield line.strip()
                    line = ""
                if word[start : start + max_tokens].strip():
                    yield word[start : start + max_tokens]
                start += max_tokens
            word = word[start:]
            if line and estimate_tokens(line + word) > max_tokens:
                yield line.strip()
                line = ""
            line += word
        if line.strip():
            yield line.strip()


_SCRIPTS = {
    "ja": r"[\u3040-\u30ff]",
    "zh": r"[\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7af]",
    "th": r"[\u0e00-\u0e7f]",
    "ru": r"[\u0400-\u04ff]",
    "ar": r"[\u0600-\u06ff]",
    "el": r"[\u0370-\u03ff]",
    "he": r"[\u0590-\u05ff]",
    "hi": r"[\u0900-\u097f]",
}
_SMALL = {
    "en": "the of and to in is was for that with as are by from this it on at which were",
    "de": "der die das und ist nicht ein eine mit von zu den dem des im für auf wurde sich auch",
    "fr": "le la les des et est une dans pour que qui sur avec par au du pas plus sont cette",
    "es": "el los las una que por con para del como más fue su está son este pero entre y",
    "it": "il gli che di una per con del della sono come più anche nel alla è questo dei",
    "pt": "os as que uma para com não do da dos das por mais foi são como em ao pela também",
    "nl": "het een van en dat zijn niet voor met op aan ook door naar bij deze werd over",
}
_SMALL_WORDS = {language: frozenset(words.split()) for language, words in _SMALL.items()}
