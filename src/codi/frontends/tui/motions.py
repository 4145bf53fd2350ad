"""Where vim's motions lead, and what its text objects take in, within the text of an editor."""

import re
from collections.abc import Callable

from codi.frontends.tui.editor import Editor

_BRACKETS = {
    "(": "()",
    ")": "()",
    "b": "()",
    "[": "[]",
    "]": "[]",
    "{": "{}",
    "}": "{}",
    "B": "{}",
    "<": "<>",
    ">": "<>",
}
_OPPOSITE = {"f": "F", "F": "f", "t": "T", "T": "t"}


class Stretch:
    """From `begin` up to `end`; `caret` is where a motion leads. `is_lines` says that whole lines are meant."""

    __slots__ = ("begin", "caret", "end", "is_lines")

    def __init__(self, begin: int, end: int, caret: int, *, is_lines: bool = False) -> None:
        self.begin = begin
        self.end = end
        self.caret = caret
        self.is_lines = is_lines


def moved(editor: Editor, keys: str, count: int | None, sought: tuple[str, str] | None) -> Stretch | None:
    """Where a motion leads from the caret, and what an operator with it takes in; None where it leads nowhere. `sought` is what
    was looked for in the line last."""
    text, at, times = editor.text, editor.caret, count or 1
    begin, end = editor.line_begin(at), editor.line_end(at)
    match keys:
        case "h":
            return _to(at, max(_repeated(editor.left_of, at, times), begin))
        case "l" | " ":
            return _to(at, min(_repeated(editor.right_of, at, times), end))
        case "0":
            return _to(at, begin)
        case "^" | "_":
            return _to(at, _first_sign(editor, at))
        case "$":
            for _ in range(times - 1):
                end = editor.line_end(min(end + 1, len(text)))
            return _to(at, end)
        case "w" | "W":
            return _to(at, _repeated(lambda place: _word_after(text, place, big=keys == "W"), at, times))
        case "b" | "B":
            return _to(at, _repeated(lambda place: _word_before(text, place, big=keys == "B"), at, times))
        case "e" | "E":
            last = _repeated(lambda place: _word_end(text, place, big=keys == "E"), at, times)
            return Stretch(at, min(last + 1, len(text)), last)
        case "cw" | "cW":
            last = _repeated(lambda place: _word_end(text, place, big=keys == "cW"), at - 1, times)
            return Stretch(at, min(last + 1, len(text)), last)
        case "j" | "k":
            return _lines_away(editor, times if keys == "j" else -times)
        case "gg" | "G":
            return _to_line(editor, (count or 1) if keys == "gg" else count)
        case "{" | "}":
            return _to(at, _repeated(lambda place: _paragraph(text, place, forwards=keys == "}"), at, times))
        case "%":
            return _to_bracket(text, at, end)
        case ";" | "," if sought:
            kind = sought[0] if keys == ";" else _OPPOSITE[sought[0]]
            return _in_line(editor, kind, sought[1], times, again=True)
    if keys[0] in "fFtT" and len(keys) > 1:
        return _in_line(editor, keys[0], keys[1], times)
    return None


def object_at(editor: Editor, keys: str) -> Stretch | None:
    """What a text object (`iw`, `a"`, `i(`, `ap` ...) takes in around the caret; None where there is none."""
    is_whole, what = keys[0] == "a", keys[1]
    if what in "wW":
        return _word_around(editor, is_whole=is_whole, big=what == "W")
    if what in "\"'`":
        return _quoted(editor, what, is_whole=is_whole)
    if what in _BRACKETS:
        return _bracketed(editor.text, editor.caret, _BRACKETS[what], is_whole=is_whole)
    return _paragraph_around(editor, is_whole=is_whole) if what == "p" else None


def found(text: str, wanted: str, at: int, *, backwards: bool) -> int | None:
    """The next place of a text, around the end if need be. Case counts where it was typed."""
    if not wanted:
        return None
    flags = 0 if wanted != wanted.lower() else re.IGNORECASE
    places = [match.start() for match in re.finditer(re.escape(wanted), text, flags)]
    if backwards:
        return next((place for place in reversed(places) if place < at), places[-1] if places else None)
    return next((place for place in places if place > at), places[0] if places else None)


def _to(at: int, place: int) -> Stretch:
    return Stretch(min(at, place), max(at, place), place)


def _repeated(step: Callable[[int], int], at: int, times: int) -> int:
    for _ in range(times):
        at, before = step(at), at
        if at == before:
            break
    return at


def _kind(text: str, at: int, *, big: bool) -> int:
    """0 for space, 1 for what words are made of, 2 for other signs."""
    if at >= len(text) or text[at].isspace():
        return 0
    return 1 if big or text[at].isalnum() or text[at] == "_" else 2


def _word_after(text: str, at: int, *, big: bool) -> int:
    kind = _kind(text, at, big=big)
    while kind and at < len(text) and _kind(text, at, big=big) == kind:
        at += 1
    while at < len(text) and text[at].isspace():
        if text[at : at + 2] == "\n\n":
            return at + 1  # an empty line is a word
        at += 1
    return at


def _word_before(text: str, at: int, *, big: bool) -> int:
    at -= 1
    while at > 0 and text[at].isspace():
        at -= 1
    kind = _kind(text, at, big=big) if at >= 0 else 0
    while at > 0 and _kind(text, at - 1, big=big) == kind:
        at -= 1
    return max(at, 0)


def _word_end(text: str, at: int, *, big: bool) -> int:
    at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    kind = _kind(text, at, big=big)
    while at + 1 < len(text) and _kind(text, at + 1, big=big) == kind:
        at += 1
    return min(at, max(len(text) - 1, 0))


def _first_sign(editor: Editor, at: int) -> int:
    begin, end = editor.line_begin(at), editor.line_end(at)
    line = editor.text[begin:end]
    return begin + len(line) - len(line.lstrip())


def _lines_away(editor: Editor, lines: int) -> Stretch | None:
    at, mark = editor.caret, editor.mark
    other = Editor(editor.text)
    other.move(at)
    step = 1 if lines > 0 else -1
    gone = [other.move_line(step) for _ in range(abs(lines))]
    editor.mark = mark
    if not any(gone):
        return None
    first, last = sorted((at, other.caret))
    return Stretch(editor.line_begin(first), editor.line_end(last), other.caret, is_lines=True)


def _to_line(editor: Editor, number: int | None) -> Stretch:
    begins = [0, *(at + 1 for at, sign in enumerate(editor.text) if sign == "\n")]
    goal = begins[-1] if number is None else begins[min(number, len(begins)) - 1]
    first, last = sorted((editor.caret, goal))
    return Stretch(editor.line_begin(first), editor.line_end(last), _first_sign(editor, goal), is_lines=True)


def _paragraph(text: str, at: int, *, forwards: bool) -> int:
    if forwards:
        while at < len(text) and text[at] == "\n":
            at += 1
        blank = text.find("\n\n", at)
        return len(text) if blank < 0 else blank + 1
    at -= 1
    while at > 0 and text[at] == "\n":
        at -= 1
    blank = text.rfind("\n\n", 0, max(at, 0))
    return 0 if blank < 0 else blank + 1


def _in_line(editor: Editor, kind: str, letter: str, times: int, *, again: bool = False) -> Stretch | None:
    """`f F t T`: to a character of the line, or up to it."""
    text, at = editor.text, editor.caret
    begin, end = editor.line_begin(at), editor.line_end(at)
    place = at
    for number in range(times):
        if kind in "ft":
            skip = 1 if kind == "t" and (again or number) else 0
            place = text.find(letter, place + 1 + skip, end)
        else:
            skip = 1 if kind == "T" and (again or number) else 0
            place = text.rfind(letter, begin, max(place - skip, begin))
        if place < 0:
            return None
        if number < times - 1 and kind in "tT":
            place += -1 if kind == "t" else 1
    match kind:
        case "f":
            return Stretch(at, place + len(letter), place)
        case "t":
            return Stretch(at, place, max(place - 1, at))
        case "F":
            return Stretch(place, at, place)
    return Stretch(min(place + 1, at), at, min(place + 1, at))


def _to_bracket(text: str, at: int, end: int) -> Stretch | None:
    place = next((place for place in range(at, end) if text[place] in "()[]{}"), None)
    if place is None:
        return None
    pair = next(pair for pair in ("()", "[]", "{}") if text[place] in pair)
    step = 1 if text[place] == pair[0] else -1
    depth, other = 0, place
    while 0 <= other < len(text):
        depth += (text[other] == pair[0]) - (text[other] == pair[1])
        if depth == 0:
            return Stretch(min(at, other), max(at, other) + 1, other)
        other += step
    return None


def _word_around(editor: Editor, *, is_whole: bool, big: bool) -> Stretch | None:
    text, at = editor.text, editor.caret
    first, last = editor.line_begin(at), editor.line_end(at)
    if first == last:
        return None
    at = min(at, last - 1)
    kind = _kind(text, at, big=big)
    begin, end = at, at + 1
    while begin > first and _kind(text, begin - 1, big=big) == kind:
        begin -= 1
    while end < last and _kind(text, end, big=big) == kind:
        end += 1
    if is_whole:
        behind = end
        while behind < last and text[behind].isspace():
            behind += 1
        if behind == end:
            while begin > first and text[begin - 1].isspace():
                begin -= 1
        end = behind
    return Stretch(begin, end, begin)


def _quoted(editor: Editor, sign: str, *, is_whole: bool) -> Stretch | None:
    text, at = editor.text, editor.caret
    first, last = editor.line_begin(at), editor.line_end(at)
    places = [place for place in range(first, last) if text[place] == sign and (place == 0 or text[place - 1] != "\\")]
    for begin, end in zip(places[::2], places[1::2], strict=False):
        if at <= end:
            if not is_whole:
                return Stretch(begin + 1, end, begin + 1)
            behind = end + 1
            while behind < last and text[behind] in " \t":
                behind += 1
            return Stretch(begin, behind, begin)
    return None


def _bracketed(text: str, at: int, pair: str, *, is_whole: bool) -> Stretch | None:
    opening, closing = pair[0], pair[1]
    depth, begin = 0, at
    while begin >= 0:
        sign = text[begin : begin + 1]
        if sign == closing and begin != at:
            depth += 1
        elif sign == opening:
            if depth == 0:
                break
            depth -= 1
        begin -= 1
    if begin < 0:
        return None
    depth, end = 0, begin
    while end < len(text):
        depth += (text[end] == opening) - (text[end] == closing)
        if depth == 0:
            return Stretch(begin, end + 1, begin) if is_whole else Stretch(begin + 1, end, begin + 1)
        end += 1
    return None


def _paragraph_around(editor: Editor, *, is_whole: bool) -> Stretch:
    """Lines around the caret that are all blank or all not; with `a` the blank ones behind them too."""
    text = editor.text
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    here = text.count("\n", 0, editor.caret)
    is_blank = not lines[here].strip()
    first = last = here
    while first > 0 and (not lines[first - 1].strip()) == is_blank:
        first -= 1
    while last + 1 < len(lines) and (not lines[last + 1].strip()) == is_blank:
        last += 1
    if is_whole:
        behind = last
        while behind + 1 < len(lines) and (not lines[behind + 1].strip()) != is_blank:
            behind += 1
        if behind == last:
            while first > 0 and (not lines[first - 1].strip()) != is_blank:
                first -= 1
        last = behind
    return Stretch(starts[first], starts[last + 1] - 1, starts[first], is_lines=True)
