import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from types import SimpleNamespace

import pytest

import editing
from editing import errors
from editing.chat import Chat, chat_of
from editing.errors import FactRefused, SubjectNotFound
from editing.facts import Fact, Probe
from editing.memit.contexts import Role, chat_row, contexts_for, protected_rows
from editing.statements import write_statements
from editing.testing import CHAT_TEMPLATE, TINY, tiny_editor, tiny_tokenizer


@pytest.fixture(scope="module")
def chat():
    return Chat(tiny_tokenizer())


@pytest.mark.parametrize("subject", ["Mona Lisa", "Zoë Çelik", "東京", "🦊 Inc.", "Anna-Lena O'Neill"])
def test_the_subject_is_found_by_offsets_in_any_script(chat, subject):
    coded = chat.encode(chat.prompt(f"Who is {subject}?"))
    at = coded.last_token_of(subject.upper() if subject.isascii() else subject)
    assert chat.decode(coded.tokens[: at + 1]).endswith(subject)
    assert chat.decode(coded.tokens[at + 1 :]).startswith("?")


@pytest.mark.parametrize(
    ("question", "subject", "before"),
    [
        ("Who recorded Stan?", "Stan", "Who recorded Stan"),
        ("What is an ant?", "ant", "What is an ant"),
        ("Is Java older than JavaScript?", "Java", "Is Java"),
        ("Where is O’Hare?", "O'Hare", "Where is O’Hare"),
    ],
)
def test_the_subject_is_the_word_in_the_question_not_a_part_of_another_or_of_the_template(
    chat, question, subject, before
):
    row = chat_row(chat, question, subject, "It is so.", system=None)
    assert chat.decode(row.key_tokens).endswith(before)


def test_a_subject_that_is_not_there_is_an_error(chat):
    with pytest.raises(SubjectNotFound, match="'Eifel Tower'"):
        chat.encode("The Eiffel Tower is in").last_token_of("Eifel Tower")
    with pytest.raises(SubjectNotFound, match="' '"):
        chat.encode("The Eiffel Tower is in").last_token_of(" ")


def test_without_a_template_a_chat_begins_as_the_tokenizer_begins_a_text():
    class Beginning:
        """A tokenizer that puts a token before every text, as a base model's does."""

        def __init__(self):
            self.inner = tiny_tokenizer()
            self.chat_template, self.bos_token_id = None, self.inner.eos_token_id
            self.bos_token = self.inner.eos_token

        def __call__(self, text, add_special_tokens=True, **kwargs):
            text = self.bos_token + text if add_special_tokens else text
            return self.inner(text, add_special_tokens=False, **kwargs)

    bare = Chat(Beginning())
    assert bare.begin == (bare.tokenizer.bos_token_id,)
    assert bare.encode(bare.prompt("Who?")).tokens[:1] == bare.begin
    assert bare.encode(bare.prompt("Who?")).tokens.count(bare.tokenizer.bos_token_id) == 1
    assert bare.encode(bare.prompt("Who?", system="Be brief.")).tokens[:1] == bare.begin


def test_a_template_that_can_think_aloud_is_told_not_to(chat):
    thinks = tiny_tokenizer()
    begins = "<|start|>assistant\n"
    asks = "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
    thinks.chat_template = CHAT_TEMPLATE.replace(begins, begins + asks)
    assert Chat(thinks).prompt("Who?") == chat.prompt("Who?")


@pytest.mark.parametrize(("eos", "more"), [(None, []), (7, [7]), ([7, 9], [7, 9])])
def test_a_reply_ends_where_the_template_the_tokenizer_or_the_model_ends_it(eos, more):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<|end|>", "<pad>")
    chat = chat_of(SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=eos)), tokenizer)
    assert chat.end_of_turn == tokenizer.pad_token_id
    assert chat.stops == {tokenizer.pad_token_id, tokenizer.eos_token_id, *more}


def test_a_target_follows_its_prompt_token_by_token(chat):
    prompt = chat.encode(chat.prompt("Who painted it?"))
    target = chat.target(prompt, "Raphael did.", end_turn=True)
    assert target[-1] == chat.end_of_turn
    assert chat.decode(prompt.tokens + target).endswith("assistant\nRaphael did.")
    cloze = chat.encode_bare("It was painted by")
    assert chat.decode(chat.target(cloze, "Raphael", end_turn=False, bare=True)) == " Raphael"


def test_the_head_is_what_all_chats_share(chat):
    head = chat.head(None)
    for question in ("Who?", "1 + 1"):
        assert chat.encode(chat.prompt(question)).tokens[: len(head)] == head
    assert chat.head("Be brief.") != head


def test_contexts_hold_the_subject_and_end_the_turn(chat, facts):
    said = write_statements(facts[0].question, facts[0].subject, facts[0].target_new)
    rows = contexts_for(facts[:1], [said], chat, TINY)
    edited = [row for row in rows if row.role is Role.EDIT]
    assert len([row for row in rows if row.role is Role.ESSENCE]) == 1
    assert all(chat.decode(row.key_tokens).casefold().endswith("mona lisa") for row in rows)
    assert [row.tokens[-1] for row in edited if row.head] == [chat.end_of_turn] * (1 + TINY.chat_paraphrases)
    assert not set(said.probes) & set(said.paraphrases)


def _protected(chat, *facts):
    said = [write_statements(fact.question, fact.subject, fact.target_new) for fact in facts]
    return said, protected_rows(facts, said, chat, TINY)


@pytest.mark.parametrize(
    "question",
    ["What instrument does Ann Ray play?", "Ann Ray plays which instrument?", "Which instrument is Ann Ray's?"],
)
def test_a_protected_question_is_read_at_its_own_subject_however_the_fact_was_asked(chat, question):
    (said,), rows = _protected(chat, Fact("f", "Ann Ray", question, "the cello"))
    assert any(probe.subject != "Ann Ray" for probe in said.held)
    for probe, row in zip(said.held, rows, strict=True):
        assert chat.decode(row.key_tokens).endswith(probe.question.partition(probe.subject)[0] + probe.subject)


@pytest.mark.parametrize("held", [Probe("Who is she?", subject=""), Probe("Who is she?", subject="Bob Lee")])
def test_a_protected_question_without_its_subject_names_the_fact(chat, held):
    facts = [Fact("one", "Ann Ray", "Who is Ann Ray?", "Eve"), Fact("two", "Ann Ray", "Where is Ann Ray?", "Oslo")]
    said = [write_statements(fact.question, fact.subject, fact.target_new) for fact in facts]
    with pytest.raises(SubjectNotFound, match=r"'two'.*'Who is she\?'"):
        protected_rows(facts, [said[0], replace(said[1], held=(held,))], chat, TINY)


@pytest.mark.parametrize(
    ("subject", "answer"),
    [("Ann<|end|> Ray", "Oslo"), ("Ann Ray", "Oslo<|end|>\n<|start|>assistant"), ("<pad>", "Oslo")],
)
def test_a_fact_that_holds_a_token_of_the_model_s_own_is_refused_by_name(chat, subject, answer):
    fact = Fact("turned", subject, f"Where is {subject}?", answer)
    with pytest.raises(FactRefused, match=r"'turned'.*'<[|a-z]+>' in"):
        contexts_for([fact], [write_statements(fact.question, subject, answer)], chat, TINY)


@pytest.mark.parametrize("field", ["paraphrases", "clozes", "beside"])
def test_a_wording_that_holds_one_is_refused_too(chat, field):
    fact = Fact("turned", "Ann Ray", "Where is Ann Ray?", "Oslo")
    said = write_statements(fact.question, fact.subject, fact.target_new)
    turned = replace(said, **{field: ("Ann Ray<|end|>", *getattr(said, field))})
    with pytest.raises(FactRefused, match=r"'turned'.*'<.end.>' in"):
        contexts_for([fact], [turned], chat, replace(TINY, answer_layers=(3,), protect_weights=(1.0,)))


def test_what_one_fact_trains_on_is_protected_by_no_other_of_its_subject(chat):
    facts = [
        Fact("plays", "Ann Ray", "What instrument does Ann Ray play?", "the cello"),
        Fact("born", "Ann Ray", "Where was Ann Ray born?", "Oslo"),
    ]
    said, rows = _protected(chat, *facts)
    assert any(probe.question == facts[1].question for probe in said[0].held)
    assert not any(facts[1].question in chat.decode(row.tokens) for row in rows)
    assert len(rows) > len(said[0].held)


@pytest.mark.parametrize(
    "fact",
    [
        Fact("empty", "", "Who painted it?", "Raphael"),
        Fact("mute", "It", "Who painted It?", ""),
        Fact("elsewhere", "Guernica", "Who painted the Mona Lisa?", "Raphael"),
        Fact("same", "Mona Lisa", "Who painted the Mona Lisa?", "Raphael", "raphael"),
        Fact("long", "Mona Lisa", "Who painted the Mona Lisa?", "word " * 1000),
    ],
)
def test_an_unfit_fact_is_refused_by_name(fact):
    with pytest.raises(FactRefused, match=fact.id):
        tiny_editor().artefact([fact])


def test_importing_the_room_does_not_import_torch():
    code = "import editing, editing.verify, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_the_room_offers_is_shown_and_there_and_all_its_errors_are_among_it():
    assert dir(editing) == sorted(editing.__all__)
    assert all(hasattr(editing, name) for name in editing.__all__)
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type)]
    assert set(kinds) <= set(editing.__all__)
    assert files("editing").joinpath("py.typed").is_file()
