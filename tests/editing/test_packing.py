import pytest
import torch

from editing.chat import chat_of
from editing.decoder import Decoder
from editing.memit.contexts import contexts_for
from editing.memit.packing import Heads, frozen_prefixes, line_up
from editing.statements import write_statements
from editing.testing import TINY, TINY_CONFIGS, tiny_model, tiny_tokenizer


def _groups(model, facts):
    chat = chat_of(model, tiny_tokenizer())
    said = [write_statements(f.question, f.subject, f.target_new) for f in facts]
    return [contexts_for([fact], [words], chat, TINY) for fact, words in zip(facts[:2], said[:2], strict=True)]


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_rows_in_a_line_behind_frozen_prefixes_see_what_whole_rows_see(kind, facts):
    model = tiny_model(kind)
    decoder = Decoder(model)
    groups = _groups(model, facts)
    with torch.no_grad():
        heads = Heads.of(decoder, [row for group in groups for row in group])
        cache, behind = frozen_prefixes(decoder, groups, heads)
        lines = line_up(decoder, groups, lambda row: (row.subject_at, len(row.tokens)), heads=heads, behind=behind)
        seen = decoder.run(lines.rows, cache=cache, record=[3])
        replayed = decoder.replay(seen, seen.inputs[3], [3])
        for g, group in enumerate(groups):
            for row, begin in zip(group, lines.begins[g], strict=True):
                here = slice(begin, begin + len(row.tokens) - row.subject_at)
                plain = model(torch.tensor([row.tokens])).logits[0, row.subject_at :]
                torch.testing.assert_close(decoder.logits(seen.last[g, here]), plain, atol=1e-4, rtol=1e-3)
                torch.testing.assert_close(replayed[g, here], seen.last[g, here], atol=1e-6, rtol=1e-5)


def test_a_line_is_as_long_as_its_rows_together(facts):
    decoder = Decoder(tiny_model())
    groups = _groups(decoder.model, facts)
    heads = Heads.of(decoder, [row for group in groups for row in group])
    lines = line_up(decoder, groups, lambda row: (row.head, len(row.tokens)), heads=heads, behind=heads.places(2))
    assert lines.rows.tokens.shape == (2, max(sum(len(row.tokens) - row.head for row in group) for group in groups))
