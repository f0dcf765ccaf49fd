"""Markdown from strangers: what is disarmed, what is left alone."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ui.markdown import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain **bold** words", "plain **bold** words"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("a < b and x <3 and $$a < b$$", "a < b and x <3 and $$a < b$$"),
        ("`<b>` stays, <b> does not", "<code>&#60;b&#62;</code> stays, &lt;b> does not"),
        ("```html\n<b>\n```\n<b>", "```html\n<b>\n```\n&lt;b>"),
        ("~~~\n<b>\n```\n<b>\n~~~", "~~~\n<b>\n```\n<b>\n~~~"),
        ("an open ` tick <b>", "an open ` tick &lt;b>"),
        ("`a\n\n<b>`", "`a\n\n&lt;b>`"),
        ("![alt](http://elsewhere.invalid/x)", "!\\[alt](http://elsewhere.invalid/x)"),
        ("&lt;b&gt; and R&D", "&amp;lt;b&amp;gt; and R&D"),
        ("</div><!-- x --><?php", "&lt;/div>&lt;!-- x -->&lt;?php"),
    ],
)
def test_what_is_shown(text, shown):
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("text", "sources", "shown"),
    [
        ("so [1].", 1, "so [\\[1\\]](#source-ans_1-1)."),
        ("so [2].", 1, "so [2]."),
        ("so [1](http://x.invalid)", 1, "so [1](http://x.invalid)"),
        ("`[1]`", 1, "`[1]`"),
        ("[1]", 0, "[1]"),
    ],
)
def test_citations_link_to_sources_that_exist(text, sources, shown):
    assert harmless(text, answer_id="ans_1", sources=sources) == shown


ALPHABET = "<>/`~ab!&;#[]()|*-+=:.1$\\\"'\r\n\t "
PIECES = [
    "```",
    "~~~",
    "`",
    "``",
    "<b>",
    "<img src=x>",
    "![a](/b)",
    "- ",
    "1. ",
    "> ",
    "    ",
    "  ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
]
PIECES += ["|", "|-|", "# ", "\\", "[a](", ")", "</code>", "<code>", "a", " "]


def alive(markdown):
    """What a real reader of Markdown finds in it beside text: tags and images."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    found = [*tokens, *(child for token in tokens for child in token.children or ())]
    kinds = {"html_block", "html_inline", "image"}
    return [one for one in found if one.type in kinds and one.content not in ("<code>", "</code>")]


@given(st.text(ALPHABET, max_size=80) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@example("# `\n<img src=x onerror=alert(1)> `")
@example("- `\n- <b>x</b> `")
@example("a ` b\nc ` <b> ` d")
@example("\\` <b> `")
@example("[a](`) <b> `")
@example("| ` | <b> ` |\n|---|---|")
@example("- ```\n  a\n  ```\n  <b>")
@example("1. a\n   ```\nb <b>")
@example("1. a\n   ```\n```\n```\n<b>")
@example("```\n```\t\n<b>")
@example("``` `<b>`\n```\n<b>")
@example("```\r\n```\r\n<b>")
@example("# `<b>\n`\n```\n<b>")
@settings(max_examples=400)
def test_no_tag_and_no_image_survives_outside_code(text):
    assert alive(harmless(text)) == []


@pytest.mark.parametrize("opening", ["$$", "\\("])
def test_a_formula_that_reaches_into_a_fence_leaves_nothing_alive(opening):
    closing = {"$$": "$$", "\\(": "\\)"}[opening]
    assert "<b>" not in harmless(f"{opening}\n```\n{closing}\n<b>\n```")
    assert "<b>" in harmless(f"{opening}x{closing}\n```\n<b>\n```")


@pytest.mark.parametrize("definition", ["[x]:", "[x]: /u '", "[x\ny]: /u (", '  [x]: /u "'])
def test_a_link_s_definition_that_may_take_a_fence_leaves_nothing_alive(definition):
    assert "<b>" not in harmless(f"{definition}\n```\n'\")\n<b>\n```")


def test_a_diagram_s_source_is_disarmed_because_the_page_draws_it():
    assert "<b>" not in harmless("```mermaid\n<b>\n```")


@pytest.mark.parametrize(
    "text",
    [
        "```\n<b>\n\n  <b>\n```",
        "1. Do this:\n\n   ```html\n   <b>\n\n     <i>\n   ```\n\n2. Then this:\n   ~~~\n   <b>\n   ~~~",
        "Run `a < b`, then ``x ` y``.\n\n````md\n```html\n<b>\n```\n````",
    ],
)
def test_code_that_all_readers_see_alike_is_left_alone(text):
    assert harmless(text) == text


@pytest.mark.parametrize("code", ["<b>", "List<String>", "![x](y)", "a *b* <i>_c_</i> [1] http://x.invalid", "&lt;<b>"])
def test_a_span_of_code_reads_as_it_was_written(code):
    shown = harmless(f"Use `{code}` here.", answer_id="ans_1", sources=1)
    tokens = MarkdownIt("commonmark", {"linkify": False}).parse(shown)[1].children
    assert "".join(one.content for one in tokens if one.type == "text") == f"Use {code} here."
    assert {one.type for one in tokens} <= {"text", "html_inline"}
