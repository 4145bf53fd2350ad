"""Writing as in vim: what keys make of a text, and that the installed program obeys them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.frontends.tui.composer import Composer
from codi.frontends.tui.keymap import Keymap
from codi.frontends.tui.keys import Input, Keys
from codi.frontends.tui.vim import Vim
from conftest import says

ESC, ENTER, CTRL_R = "\x1b", "\r", "\x12"


def composed(text: str, at: int = 0) -> Composer:
    """In normal mode, the caret at a place."""
    made = Composer(Keymap(), lambda typed: None, lambda action: False)
    made.modal = Vim(lambda: made.editor, lambda step: made.do(f"cursor-{'down' if step > 0 else 'up'}"))
    made.take(("text", text))
    made.take(("key", "esc"))
    made.editor.move(at)
    return made


def press(made: Composer, keys: str) -> Composer:
    """`<esc>` and the like are keys, all else is typed letter by letter."""
    while keys:
        name, _, rest = keys[1:].partition(">")
        if keys[0] == "<" and name in ("esc", "enter", "ctrl+r", "backspace"):
            made.take(("key", name))
            keys = rest
        else:
            made.take(("text", keys[0]))
            keys = keys[1:]
    return made


T = "one two(three, four) five"


@pytest.mark.parametrize(
    ("text", "at", "keys", "then", "caret"),
    [
        (T, 0, "w", T, 4), (T, 0, "3w", T, 8), (T, 0, "W", T, 4), (T, 4, "W", T, 15), (T, 10, "b", T, 8), (T, 0, "e", T, 2),
        (T, 4, "E", T, 13), (T, 5, "0", T, 0), (T, 0, "$", T, 24), ("  ab", 3, "^", "  ab", 2), (T, 0, "5l", T, 5), (T, 5, "2h", T, 3),
        ("a\nb\nc", 0, "G", "a\nb\nc", 4), ("a\nb\nc", 4, "gg", "a\nb\nc", 0), ("a\nb\nc", 0, "2G", "a\nb\nc", 2),
        ("ab\ncd", 1, "j", "ab\ncd", 4), ("ab\ncd", 4, "k", "ab\ncd", 1),
        (T, 0, "ft", T, 4), (T, 0, "fe;", T, 11), (T, 0, "fe;,", T, 2), (T, 0, "t(", T, 6), (T, 24, "Fo", T, 16), (T, 24, "To", T, 17),
        (T, 0, "%", T, 19),
        (T, 0, "dw", "two(three, four) five", 0), (T, 0, "d2w", "(three, four) five", 0), (T, 0, "2dw", "(three, four) five", 0),
        (T, 4, "d$", "one ", 3), (T, 4, "D", "one ", 3), (T, 4, "d0", "two(three, four) five", 0), (T, 0, "dt(", "(three, four) five", 0),
        (T, 0, "df(", "three, four) five", 0), (T, 0, "x", T[1:], 0), (T, 0, "3x", T[3:], 0), (T, 4, "X", "onetwo(three, four) five", 3),
        (T, 0, "cwten<esc>", "ten two(three, four) five", 2), (T, 4, "cbx<esc>", "xtwo(three, four) five", 0),
        (T, 0, "Call<esc>", "all", 2), (T, 0, "ccall<esc>", "all", 2), (T, 0, "sx<esc>", "xne two(three, four) five", 0),
        (T, 1, "diw", " two(three, four) five", 0), (T, 1, "daw", "two(three, four) five", 0), (T, 24, "daw", "one two(three, four)", 19),
        (T, 10, "di(", "one two() five", 8), (T, 10, "da(", "one two five", 7), (T, 10, "cib1<esc>", "one two(1) five", 8),
        ('a "b c" d', 4, 'di"', 'a "" d', 3), ('a "b c" d', 4, 'da"', "a d", 2), ('a "b c" d', 0, 'ci"x<esc>', 'a "x" d', 3),
        ("a\nb\n\nc", 0, "dip", "\nc", 0), ("a\nb\n\nc", 0, "dap", "c", 0),
        ("a\nb\nc", 2, "dd", "a\nc", 2), ("a\nb\nc", 4, "dd", "a\nb", 2), ("a\nb\nc", 0, "2dd", "c", 0), ("a\nb\nc", 0, "dj", "c", 0),
        ("a\nb\nc", 0, "dG", "", 0), ("ab\ncd", 0, "yyp", "ab\nab\ncd", 3), ("ab\ncd", 3, "yyP", "ab\ncd\ncd", 3),
        (T, 0, "yiw$p", T + "one", 27), ("ab", 0, "xp", "ba", 1), ("ab cd", 0, "yw2P", "ab ab ab cd", 5),
        (T, 0, "dwu", T, 0), (T, 0, "dwu<ctrl+r>", "two(three, four) five", 0), (T, 0, "dw.", "(three, four) five", 0),
        ("a b a", 0, "cwx<esc>w.w.", "x x x", 4), ("ab", 0, "ix<esc>.", "xxab", 0), ("a\nb", 0, "Ax<esc>j.", "ax\nbx", 4),
        ("ab", 0, "ox<esc>", "ab\nx", 3), ("ab", 0, "Ox<esc>", "x\nab", 0), ("  ab", 3, "Ix<esc>", "  xab", 2),
        ("ab", 0, "rx", "xb", 0), ("abc", 0, "2rx", "xxc", 1), ("aB", 0, "~", "AB", 1), ("a\n  b", 0, "J", "a b", 1),
        ("one two one", 0, "/one<enter>", "one two one", 8), ("one two one", 0, "/one<enter>n", "one two one", 0),
        ("one two one", 4, "?one<enter>", "one two one", 0), ("one two one", 0, "/on<backspace><esc>x", "ne two one", 0),
        (T, 0, "vey", T, 0), (T, 0, "ved", " two(three, four) five", 0), (T, 0, "vd", T[1:], 0), (T, 4, "viwcX<esc>", "one X(three, four) five", 4),
        ("a\nb\nc", 0, "Vjd", "c", 0), (T, 0, "v$<esc>x", "one two(three, four) fiv", 23), ("ab", 0, "vU", "Ab", 0),
        (T, 10, "vi(d", "one two() five", 8), ("abc", 0, "vllod", "", 0),
        ("word one", 0, "A and more words<esc>u", "word one", 7),
    ],
)  # fmt: skip
def test_keys_make_this_of_a_text(text, at, keys, then, caret):
    made = press(composed(text, at), keys)
    assert (made.editor.text, made.editor.caret) == (then, caret)


def test_what_comes_in_one_piece_is_the_same():
    made = composed("one two")
    for what in Keys().feed(b"cwten"):
        made.take(what)
    made.take(("key", "esc"))
    made.take(("text", "w."))
    assert made.editor.text == "ten ten"


def test_the_mode_is_shown_and_the_selection_has_the_character_under_the_caret():
    made = composed("one two")
    assert ("─ normal ", "mode") in made.view(10, 40).lines[0]
    press(made, "ve")
    view = made.view(10, 40)
    assert ("─ visual ", "mode") in view.lines[0] and ("one", "selected") in view.lines[1]
    press(made, "<esc>2d")
    assert ("─ normal 2d ", "mode") in made.view(10, 40).lines[0]
    press(made, "<esc>i")
    assert ("─ insert ", "mode") in made.view(10, 40).lines[0]


LETTERS = st.text("hjklwbeWBE0^$gGfFtT;,dcyxXpPu.ia\"'([{wpvVoOJrs~/?nN%123 \n", max_size=30)


@given(st.text('ab ("[,.\n漢é', max_size=40), LETTERS)
@settings(max_examples=300, deadline=None)
def test_no_keys_break_it(text, keys):
    made = composed(text)
    inputs: list[Input] = [("key", "enter") if key == "\n" else ("text", key) for key in keys]
    for what in [*inputs, ("key", "esc"), ("key", "esc")]:
        if made.modal and made.modal.mode == "insert" and what == ("key", "enter"):
            continue
        made.take(what)
        assert 0 <= made.editor.caret <= len(made.editor.text)
        made.view(10, 40)
    assert made.modal and made.modal.mode == "normal"


def test_the_installed_program_obeys_and_sends(codi, lab, terminals):
    codi.set_up("[ui]\nvim = true\n")
    server = lab([says("Done.")])
    talk = terminals()
    talk.wait_for("codi 0", "─ insert ")
    talk.type("one two three")
    talk.wait_for("one two three")
    talk.type(ESC)
    talk.wait_for("─ normal ")
    talk.type("bcwfour")
    talk.wait_for("one two four", "─ insert ")
    talk.type(ESC + ENTER)
    talk.wait_for("› one two four", "Done.", "─ insert ")
    assert b"one two four" in server.requests[-1].body


def test_it_is_off_by_default(lab, terminals):
    lab([says("Done.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("one" + ESC)
    talk.watch(0.3)
    talk.type("dd" + ENTER)
    talk.wait_for("› onedd", "Done.")
    assert "─ insert" not in talk.shown
