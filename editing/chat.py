"""Render questions as the chat that will be served, and find words and targets in the tokens by offsets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from editing.errors import SubjectNotFound
from editing.wording import PLAIN_QUOTES, shorten

# Templates that can make a model think aloud first (Qwen3) leave it out: edits, gate and server speak of the answer itself.
TEMPLATE_WORDS = {"enable_thinking": False}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A prompt as tokens with each token's place in the text."""

    text: str
    tokens: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]

    def last_token_of(self, words: str, *, within: str = "") -> int:
        """Index of the last token of the last occurrence of `words`, upper and lower case, kinds of quotes and widths of
        spaces aside; as whole words where they stand so.

        within  a part of the text to look in: a chat template has words of its own ("assistant")

        Raises SubjectNotFound.
        """
        text, wanted, part = (given.translate(PLAIN_QUOTES) for given in (self.text, words.strip(), within.strip()))
        at = text.rfind(part)
        place = (at, at + len(part)) if part and at >= 0 else (0, len(text))
        plain = r"\s+".join(map(re.escape, wanted.split()))
        for pattern in (rf"(?<!\w){plain}(?!\w)", plain) if plain else ():
            if found := list(re.compile(pattern, re.IGNORECASE).finditer(text, *place)):
                break
        else:
            raise SubjectNotFound(f"{words!r} does not occur in {shorten(within or self.text)!r}")
        start, end = found[-1].span()
        touching = [i for i, (a, b) in enumerate(self.offsets) if a < end and b > start and b > a]
        return touching[-1]


@dataclass(slots=True)
class Chat:
    """A tokenizer's way to render a chat: template, end of turn, tokens that stop a reply.

    A tokenizer without a template gets "Question: ...\\nAnswer:".
    """

    tokenizer: Any
    generation_stops: tuple[int, ...] = ()
    _heads: dict[str | None, tuple[int, ...]] = field(default_factory=dict)

    def prompt(self, question: str, *, system: str | None = None) -> str:
        """The text up to where the reply begins. Without `system`, the template's own default stands."""
        if getattr(self.tokenizer, "chat_template", None) is None:
            begun = (self.tokenizer.bos_token if self.begin else "") + (f"{system}\n\n" if system else "")
            return f"{begun}Question: {question}\nAnswer:"
        messages = [{"role": "user", "content": question}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, **TEMPLATE_WORDS
        )
        return text

    def encode(self, text: str) -> Encoded:
        """Tokens of a rendered chat, which holds every special token itself."""
        coded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return Encoded(text, tuple(coded["input_ids"]), tuple((a, b) for a, b in coded["offset_mapping"]))

    def encode_bare(self, text: str) -> Encoded:
        """Tokens of a text outside any chat, never with its first word first: position 0 is an attention sink."""
        if not self.begin:
            return self.encode("\n" + text)
        coded = self.tokenizer(text, return_offsets_mapping=True)
        return Encoded(text, tuple(coded["input_ids"]), tuple((a, b) for a, b in coded["offset_mapping"]))

    def target(self, prompt: Encoded, answer: str, *, end_turn: bool, bare: bool = False) -> tuple[int, ...]:
        """The tokens that follow `prompt` when it is answered: tokenised together, then the difference.

        end_turn   append the token that ends the turn, so that the reply stops there
        """
        if not prompt.text[-1:].isspace() and not answer[:1].isspace():
            answer = " " + answer
        whole = self.encode_bare(prompt.text + answer) if bare and self.begin else self.encode(prompt.text + answer)
        n = len(prompt.tokens)
        tokens = whole.tokens[n:] if whole.tokens[:n] == prompt.tokens else self.encode(answer).tokens
        return (*tokens, self.end_of_turn) if end_turn else tuple(tokens)

    def head(self, system: str | None) -> tuple[int, ...]:
        """The tokens that every chat with this system prompt begins with."""
        if system not in self._heads:
            first, second = (self.encode(self.prompt(text, system=system)).tokens for text in ("One?", "9 two"))
            same = 0
            while same < min(len(first), len(second)) and first[same] == second[same]:
                same += 1
            self._heads[system] = first[:same]
        return self._heads[system]

    @property
    def end_of_turn(self) -> int:
        """The token that ends the assistant's turn."""
        if getattr(self.tokenizer, "chat_template", None) is not None:
            turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "ANSWER"}]
            rendered: str = self.tokenizer.apply_chat_template(turns, tokenize=False, **TEMPLATE_WORDS)
            tail = self.encode(rendered.rpartition("ANSWER")[2]).tokens
            if tail and tail[0] in self.tokenizer.all_special_ids:
                return tail[0]
        return int(self.tokenizer.eos_token_id)

    @property
    def stops(self) -> frozenset[int]:
        """Tokens that end a reply."""
        eos = self.tokenizer.eos_token_id
        return frozenset({self.end_of_turn, *self.generation_stops, *([] if eos is None else [int(eos)])})

    def special_in(self, text: str) -> str | None:
        """A token of the tokenizer's own, such as the one that ends a turn, that the text would be read as holding."""
        special = (token.content for token in self.tokenizer.added_tokens_decoder.values() if token.special)
        return next((token for token in special if token in text), None)

    def decode(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    @property
    def begin(self) -> tuple[int, ...]:
        """What the tokenizer puts before a text outside any chat: its first token, or nothing."""
        bos = getattr(self.tokenizer, "bos_token_id", None)
        return (bos,) if bos is not None and self.tokenizer("a")["input_ids"][:1] == [bos] else ()


def chat_of(model: Any, tokenizer: Any) -> Chat:
    """The chat of a model: its tokenizer, and the stop tokens of its generation configuration."""
    eos = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    stops = () if eos is None else tuple(eos) if isinstance(eos, (list, tuple)) else (int(eos),)
    return Chat(tokenizer, stops)
