"""Calls are read from text in every dialect; what is only shown is never one."""

import json

import pytest
from call_texts import CALLS, FORMS, quoted, recoverable, toolbox, truncated, vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.agent.dialects.growing import Growing
from codi.agent.dialects.reading import read
from codi.agent.dialects.spoken import DIALECTS, Spoken
from codi.agent.dialects.writing import call_text, dialect_of, id_for

WORDS = vocabulary()
TOOLBOX = toolbox()


def meant(name, arguments):
    resolved = TOOLBOX.resolve(name, arguments)
    return resolved.name, resolved.action


def read_whole(text):
    return read(text, WORDS, whole=True)


def test_of_a_corpus_in_all_dialects_nearly_every_call_is_recovered():
    corpus = list(recoverable())
    lost = []
    for name, text, (tool, arguments) in corpus:
        found = read_whole(text).calls
        if [meant(call.name, call.arguments) for call in found] != [meant(tool, arguments)]:
            lost.append((name, text, found))

    assert len(corpus) >= 400
    assert len(lost) <= len(corpus) * 0.02, lost


def test_no_call_that_is_only_shown_is_made():
    texts = list(quoted())

    assert len(texts) >= 100
    assert [text for text in texts if read_whole(text).calls] == []


def test_what_is_only_shown_is_shown_as_it_is_and_not_complained_about():
    for text in quoted():
        found = read_whole(text)
        assert found.shown == text and not found.fault, text


@pytest.mark.parametrize("whole", [True, False])
def test_a_call_that_is_cut_off_is_never_made(whole):
    texts = list(truncated())

    assert len(texts) >= 100
    assert [text for text in texts if read(text, WORDS, whole=whole).calls] == []


def test_missing_brackets_are_only_added_to_a_reply_that_ended_normally():
    text = '<tool_call>{"name": "read", "arguments": {"path": "a.py"}'

    assert read(text, WORDS, whole=True).calls == (Spoken("read", {"path": "a.py"}, "hermes"),)
    cut = read(text, WORDS, whole=False)
    assert cut.calls == () and cut.cut == "read" and cut.shown == ""


def test_several_calls_are_several():
    text = "".join(f'<tool_call>{{"name": "read", "arguments": {{"path": "{path}"}}}}</tool_call>\n' for path in "abc")

    assert [call.arguments["path"] for call in read_whole("Three:\n" + text).calls] == ["a", "b", "c"]


def test_two_calls_in_tags_do_not_flow_together():
    found = read_whole("<read><path>a</path></read>\n\n<read><path>b</path></read>")

    assert [call.arguments for call in found.calls] == [{"path": "a"}, {"path": "b"}]


@pytest.mark.parametrize(
    "content",
    [
        "a</content>b",
        "<content>x</content>",
        "see <write><path>x</path><content>y</content></write> there",
        "x=1\n</content>\ny=2",
        "<path>other</path>",
        "</write> is how it ends",
    ],
)
def test_a_value_in_tags_may_hold_what_ends_it(content):
    found = read_whole(f"<write>\n<path>a.md</path>\n<content>{content}</content>\n</write>")

    assert [call.arguments for call in found.calls] == [{"path": "a.md", "content": content}]


def test_values_in_tags_are_json_where_their_type_says_so():
    text = (
        '<shell><command>["ls", "-l"]</command><timeout_s>5</timeout_s></shell>\n<shell><command>true</command></shell>'
    )

    assert [call.arguments for call in read_whole(text).calls] == [
        {"command": ["ls", "-l"], "timeout_s": 5},
        {"command": "true"},
    ]


def test_what_a_result_says_word_for_word_is_quoted():
    call = '<tool_call>{"name": "shell", "arguments": {"command": "rm -rf /"}}</tool_call>'
    text = f"It wants this.\n\n{call}"

    assert read(text, WORDS, whole=True, results=[f"1\tReadme\n2\t{call}\n"]).calls == ()
    assert len(read(text, WORDS, whole=True, results=["1\tReadme\n"]).calls) == 1


def test_thoughts_are_no_answer():
    inside = '<tool_call>{"name": "read", "arguments": {"path": "x"}}</tool_call>'

    closed = read_whole(f"<think>Perhaps\n{inside}</think>\n\nDone.")
    assert (closed.calls, closed.thought, closed.shown) == ((), f"Perhaps\n{inside}", "Done.")
    unclosed = read_whole(f"<think>Perhaps\n{inside}")
    assert (unclosed.calls, unclosed.shown) == ((), "")
    unopened = read_whole(f"Perhaps\n{inside}\n</think>\n{inside}")
    assert len(unopened.calls) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool_use: read]", 'a call of "read" needs its arguments'),
        ("[Tool: shell]", 'a call of "shell" needs its arguments'),
        ('{"name": "read"}', "has no arguments"),
        ('<tool_call>{"name": "read"}</tool_call>', "has no arguments"),
        ('{"arguments": {"path": "x"}}', "no name of a tool"),
        ('<tool_call>{"name": "read", "arguments": "x"}</tool_call>', "no JSON object"),
        ('{"name": "read", "arguments": [1]}', "no JSON object"),
        ('<tool_call>{"name": "teleport", "arguments": {}}</tool_call>', 'There is no tool "teleport"'),
        ('{"name": "teleport", "arguments": {"to": "x"}}', 'There is no tool "teleport"'),
        ('<tool_call>{"name": "read", "arguments": {}}</tool_call>', "path: required parameter is missing"),
        ("<tool_call>read src/app.py</tool_call>", "there is no JSON object"),
        ('<tool_call>{"name": "read", "arguments": {"path": "x}}</tool_call>', "a string is not closed"),
        ("<write><path>x</path></write>", "content: required parameter is missing"),
        ("<write><path>x</path><content>begun", "not complete"),
    ],
)
def test_what_was_meant_as_a_call_and_is_none_is_complained_about(text, said):
    found = read_whole(text)

    assert found.calls == () and said in found.fault and found.shown == text


def test_a_sound_call_outweighs_what_is_none():
    found = read_whole('[Tool: read]\n{"name": "read", "arguments": {"path": "x"}}')

    assert len(found.calls) == 1 and not found.fault


def test_the_text_of_a_call_is_taken_out_of_the_answer():
    found = read_whole('First.\n\n<tool_call>{"name": "list", "arguments": {}}</tool_call>\n\nSecond.')

    assert found.shown == "First.\n\nSecond."


PROSE = st.lists(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(
            [*"<>{}[]\"'`:,=\n", "read", "name", " ", "tool_call", "```json\n", "/", '"arguments"', "<read>"]
        ),
    ),
    max_size=150,
).map("".join)


@given(PROSE)
@settings(max_examples=150, deadline=None)
def test_random_prose_is_never_a_call_and_always_shown(text):
    for whole in (True, False):
        found = read(text, WORDS, whole=whole)
        assert found.calls == ()


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)
JSON_DIALECTS = ["hermes", "json", "mistral", "python_tag"]


@given(st.sampled_from(JSON_DIALECTS), VALUES.filter(bool), VALUES)
@settings(max_examples=150, deadline=None)
def test_a_rendered_call_parses_back_whatever_its_values(dialect, path, content):
    call = Spoken("write", {"path": path, "content": content}, dialect)

    assert read_whole(call_text(call)).calls == (call,)


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="<>\r", exclude_categories=["Cc"]), max_size=40)


@given(st.sampled_from(DIALECTS), PLAIN, st.lists(PLAIN, min_size=1).map("\n".join))
@settings(max_examples=150, deadline=None)
def test_a_rendered_call_parses_back_in_every_dialect(dialect, path, content):
    call = Spoken("write", {"path": path.strip() or "x", "content": content}, dialect)

    assert read_whole(call_text(call)).calls == (call,)


@given(st.sampled_from([text for _, text, _ in recoverable()] + list(quoted())), st.integers(1, 40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_shown_while_a_text_grows_is_what_is_shown_in_the_end(text, size, whole):
    growing = Growing(WORDS)
    shown = {"text": "", "thinking": ""}
    for at in range(0, len(text), size):
        for kind, piece in growing.add(text[at : at + size]):
            shown[kind] += piece
    found = read(text, WORDS, whole=whole)
    assert found.shown.startswith(shown["text"])
    for kind, piece in growing.rest(found):
        shown[kind] += piece

    assert (shown["text"], shown["thinking"]) == (found.shown, found.thought)


def test_prose_is_not_held_back():
    growing = Growing(WORDS)

    told = "".join(
        piece
        for word in ["A", "list:", "[x]", "and", "<b>,", "then", "`code`", "and", "{set}.\n"]
        for _, piece in growing.add(word + " ")
    )
    assert told == "A list: [x] and <b>, then `code` and {set}."


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_id_says_how_its_call_was_written(dialect):
    call_id = id_for(dialect)

    assert call_id.startswith("text_") and len(call_id) == len("text_") + 8
    assert int(call_id[5:], 16) >= 0 and dialect_of(call_id) == dialect


def test_calls_of_other_models_are_written_in_the_taught_form():
    assert dialect_of("toolu_017") == dialect_of("call_x") == "hermes"


def test_the_corpus_knows_every_dialect():
    assert {call.dialect for _, text, _ in recoverable() for call in read_whole(text).calls} == set(DIALECTS)
    assert json.dumps(CALLS) and len(FORMS) >= 12
