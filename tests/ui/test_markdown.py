"""Markdown from strangers: what is disarmed, what is left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.markdown import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain **bold** words", "plain **bold** words"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("a < b and x <3 and $$a < b$$", "a < b and x <3 and $$a < b$$"),
        ("`<b>` stays, <b> does not", "`<b>` stays, &lt;b> does not"),
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


@given(st.text(alphabet="<>/`~ab!&;#[]()\n ", max_size=80))
def test_no_tag_survives_outside_code(text):
    shown = harmless(text)
    without_code = re.sub(r"(?ms)^ {0,3}(```+|~~~+).*?(^ {0,3}\1[`~]*\s*$|\Z)", "", shown)
    without_code = re.sub(r"(?s)(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", without_code)
    assert not re.search(r"<[a-zA-Z/!?]", without_code)
