"""Plain text is wrapped by a shorter way than text of several styles, and to the same rows."""

from hypothesis import given
from hypothesis import strategies as st

from codi.frontends.tui.lines import line_width, merged, plain, wrapped

texts = st.text(alphabet="ab -\n\t" + " " * 4, max_size=60)
indents = st.sampled_from([(), (("  ", ""),), (("- ", "mark"),)])


@given(texts, st.integers(0, 60), st.integers(1, 20), indents, indents)
def test_the_rows_of_a_text_do_not_depend_on_its_styles(text, at, cells, first, rest):
    text = text.expandtabs(4)
    one = wrapped(((text, "said"),), cells, first=first, rest=rest)
    two = wrapped(((text[:at], "said"), (text[at:], "said again")), cells, first=first, rest=rest)
    assert [plain(row) for row in one] == [plain(row) for row in two]
    assert all(line_width(row) <= cells and row == merged(row) for row in one)


def test_a_line_of_a_million_characters_takes_no_time_to_speak_of():
    rows = wrapped((("word " * 200_000, "said"),), 80)
    assert len(rows) == 12_500 and plain(rows[-1]).split() == ["word"] * 16
