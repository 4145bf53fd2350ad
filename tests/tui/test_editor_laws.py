"""The editor against a plain model of a text, and widths against what terminals and wcwidth say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from codi.frontends.tui.cells import cut, cut_in_the_middle, graphemes, head, padded, width
from codi.frontends.tui.editor import Editor

_TEXT = st.text(alphabet="ab c\n.é漢🙂e\u0301👩\u200d👧🇩🇪", min_size=1, max_size=4)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), _TEXT),
        st.tuples(st.sampled_from(["backspace", "delete", "yank", "rotate", "undo", "redo"]), st.just(0)),
        st.tuples(st.sampled_from(["kill", "move", "select"]), st.integers(-6, 6)),
    ),
    max_size=40,
)


def _place(editor: Editor, steps: int) -> int:
    at = editor.caret
    for _ in range(abs(steps)):
        at = editor.left_of(at) if steps < 0 else editor.right_of(at)
    return at


class Plain:
    """A text, a caret, a mark, and the ring: written down as simply as can be."""

    def __init__(self) -> None:
        self.text, self.caret, self.mark = "", 0, None
        self.kills: list[str] = []

    def put(self, text: str) -> None:
        begin, end = sorted((self.caret, self.caret if self.mark is None else self.mark))
        self.text, self.caret, self.mark = self.text[:begin] + text + self.text[end:], begin + len(text), None

    def drop(self, begin: int, end: int) -> None:
        self.text, self.caret, self.mark = self.text[:begin] + self.text[end:], begin, None


@settings(max_examples=100, deadline=None)
@given(_STEPS)
def test_the_editor_is_a_text_with_a_caret(steps) -> None:
    editor, plain = Editor(), Plain()
    for what, value in steps:
        if what == "insert":
            editor.insert(value)
            plain.put(value)
        elif what in ("backspace", "delete"):
            begin, end = sorted((editor.caret, _place(editor, -1 if what == "backspace" else 1)))
            editor.backspace() if what == "backspace" else editor.delete()
            plain.put("") if plain.mark not in (None, plain.caret) else plain.drop(begin, end)
        elif what in ("move", "select"):
            at = _place(editor, value)
            plain.mark = (plain.caret if plain.mark is None else plain.mark) if what == "select" else None
            editor.move(at, select=what == "select")
            plain.caret = at
        else:
            continue
        assert (editor.text, editor.caret) == (plain.text, plain.caret), (what, value)


@settings(max_examples=100, deadline=None)
@given(_STEPS)
def test_undo_goes_back_through_every_text_and_redo_forth_again(steps) -> None:
    editor = Editor()
    for what, value in steps:
        if what not in ("undo", "redo"):
            _do(editor, what, value)
        assert 0 <= editor.caret <= len(editor.text)
    last = editor.text
    texts = [last]
    while editor.undo():
        texts.append(editor.text)
    assert editor.text == ""
    while editor.redo():
        assert editor.text in texts
    assert editor.text == last


@settings(max_examples=100, deadline=None)
@given(_TEXT, _TEXT, _TEXT)
def test_what_was_killed_is_yanked_and_rotated_through(first, second, third) -> None:
    editor = Editor(first)
    editor.kill_to(0)
    editor.insert(second)
    editor.kill_to(0)
    editor.insert(third)
    editor.yank()
    assert editor.text == third + second
    editor.rotate()
    assert editor.text == third + first
    editor.rotate()
    assert editor.text == third + second


def test_kills_in_a_row_are_one_and_a_thousand_steps_are_kept() -> None:
    editor = Editor("one two three")
    editor.kill_to(editor.word_left_of(editor.caret))
    editor.kill_to(editor.word_left_of(editor.caret))
    editor.yank()
    assert editor.text == "one two three"
    for number in range(1200):
        editor.insert(f" {number}")
    for _ in range(1000):
        assert editor.undo()
    assert editor.text.startswith("one two three")


def _do(editor: Editor, what: str, value) -> None:
    match what:
        case "insert":
            editor.insert(value)
        case "kill":
            editor.kill_to(_place(editor, value))
        case "move" | "select":
            editor.move(_place(editor, value), select=what == "select")
        case _:
            getattr(editor, what)()


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0), ("a", 1), ("é", 1), ("e\u0301", 1), ("漢字", 4), ("ｱ", 1), ("Ａ", 2), ("🙂", 2), ("👩\u200d👩\u200d👧\u200d👦", 2),
        ("🇩🇪", 2), ("👍🏽", 2), ("❤\ufe0f", 2), ("☺", 1), ("한", 2), ("กำ", 2), ("\u200d", 0), ("─│", 2), ("…", 1), ("1\ufe0f\u20e3", 2),
    ],
)  # fmt: skip
def test_widths_of_signs_that_are_hard(text, cells) -> None:
    assert width(text) == cells


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=30),
    st.integers(0, 40),
)
def test_widths_add_up_and_nothing_is_cut_wider(text, cells) -> None:
    known = wcswidth(text)
    assert known < 0 or width(text) == known
    assert "".join(graphemes(text)) == text
    for shorter in (head(text, cells), cut(text, cells), cut_in_the_middle(text, cells)):
        assert width(shorter) <= cells
    assert text.startswith(head(text, cells))
    assert width(padded(text, cells)) == max(width(text), cells)
