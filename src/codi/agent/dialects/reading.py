"""From what a model wrote to the calls that it means, all dialects in one pass over the whole text.

A call is what stands where a call would stand: alone on its lines, in the open. What is shown is not said: fences of other
languages, longer fences, block quotes, inline code, indented code, a sentence that only mentions a call, an example that is
announced as one, and what stands word for word in a result that the model has read.
"""

import re
from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct

from codi.agent.dialects import dsml, fences, function_tag, hermes, json_form, mistral, python_tag, xml_form
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.vocabulary import Vocabulary


class Reading(Struct, frozen=True, kw_only=True):
    """`shown` is what remains for the person, `thought` what the model thought before it spoke. `fault` says why nothing
    that was meant as a call can be run; it is empty where there are calls, or none was meant. `cut` is the name, perhaps
    empty, of a call in the middle of which the text ends; that text is not shown."""

    shown: str
    calls: tuple[Spoken, ...] = ()
    thought: str = ""
    fault: str = ""
    cut: str | None = None


class _Form(Protocol):
    OPENING: re.Pattern[str]

    def read_at(self, text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None: ...


_MARKED: tuple[Any, ...] = (hermes, function_tag, dsml, mistral, python_tag)
"""Forms that say by a mark that they are calls."""
_FORMS: tuple[Any, ...] = (*_MARKED, xml_form, json_form)

THOUGHT = re.compile(r"<(?P<tag>think|thinking|thought|reasoning)>")
_THOUGHT_END = re.compile(r"</(?:think|thinking|thought|reasoning)>")
_STRAY = re.compile(r"`+|<|\[TOOL_CALLS\]")
_NAMED_ONLY = re.compile(
    r"\[(?:tool_use|tool_call|tool|calling tool)\s*:\s*(?P<name>[\w.:-]+)[^\]\n]*\]", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t]*")
_LINE_END = re.compile(r"[ \t]*(?:<\|?/?[\w_]+\|>[ \t]*|</s>[ \t]*)*(?=\n|\Z)")
_NEW_SENTENCE = re.compile(r"[ \t]*[A-Z]")
_SENTENCE_ENDS = re.compile(r"[.!?:;…>)\]][ \t]*\Z")
_GAP = 8
"""More characters than usually stand between a sentence and a call in the same line."""

_ANNOUNCED = re.compile(
    r"\b(?:for example|examples?|e\.g\.|for instance|such as|like this|like so|as follows|looks? like|samples?|syntax|formats?|"
    r"would (?:be|write|look|say)|contains?|says|said|printed|quot(?:e|ed|es|ing))\b",
    re.IGNORECASE,
)
_INTENDED = re.compile(
    r"\b(?:let me|let's|i'll|i will|i'm going|i am going|i need|i should|i have to|we need|we should|we'll|now|first|next|"
    r"then)\b|^\W*(?:\w+ing|to (?:see|check|find|look|know|read|learn|verify))\b",
    re.IGNORECASE,
)
_LINE_NUMBER = re.compile(r"^[ \t]*\d+[ \t]*[|:\t→]", re.MULTILINE)
_ALL_SPACE = re.compile(r"\s+")


def read(text: str, words: Vocabulary, *, whole: bool, results: Iterable[str] = ()) -> Reading:
    """`whole`: the reply came to its normal end, so what is missing was left out and not cut off. `results` are texts that
    the model was given; what stands there is quoted."""
    return _Pass(text, words, whole, results).read()


class _Pass:
    def __init__(self, text: str, words: Vocabulary, whole: bool, results: Iterable[str]) -> None:
        self._text = text
        self._words = words
        self._whole = whole
        self._results = results
        self._known: list[str] | None = None
        self._calls: list[Spoken] = []
        self._faults: list[str] = []
        self._removed: list[tuple[int, int]] = []
        self._thought = ""
        self._begin = 0
        self._blank = -1
        self._cut: str | None = None

    def read(self) -> Reading:
        at = self._leading_thought()
        while at < len(self._text) and self._cut is None:
            at = self._line(at)
        fault = "" if self._calls or self._cut is not None else next(iter(self._faults), "")
        return Reading(shown=self._shown(), calls=tuple(self._calls), thought=self._thought, fault=fault, cut=self._cut)

    def _leading_thought(self) -> int:
        begin = len(self._text) - len(self._text.lstrip())
        opening = THOUGHT.match(self._text, begin)
        if opening is None:
            return 0
        stop, end = self._end_of_thought(opening)
        self._thought = self._text[opening.end() : stop]
        self._begin = end
        return end

    def _end_of_thought(self, opening: re.Match[str]) -> tuple[int, int]:
        tag = f"</{opening['tag']}>"
        stop = self._text.find(tag, opening.end())
        return (len(self._text), len(self._text)) if stop < 0 else (stop, stop + len(tag))

    def _line(self, at: int) -> int:
        """Read on from the beginning of a line, or from behind a call; the place to go on at."""
        text = self._text
        space = _SPACE.match(text, at)
        assert space is not None
        body = space.end()
        fence = fences.fence_at(text, at)
        if fence is not None:
            return self._fence(at, fence)
        if text[body : body + 1] == ">" or self._is_indented_code(at, body):
            return self._next_line(body)
        if opening := THOUGHT.match(text, body):
            _, end = self._end_of_thought(opening)
            self._removed.append((at, end))
            return end
        if (behind := self._call(body, _FORMS)) is not None:
            return behind
        if (named := _NAMED_ONLY.match(text, body)) and _LINE_END.match(text, named.end()):
            self._faults.append(f'{named[0]} is no call: a call of "{named["name"]}" needs its arguments')
        return self._rest_of_line(body)

    def _rest_of_line(self, body: int) -> int:
        """Look through a line that begins as prose."""
        text, at = self._text, body
        stop = self._next_line(body)
        while (stray := _STRAY.search(text, at, stop)) is not None:
            at = stray.end()
            if stray[0][0] == "`":
                at = self._behind_inline_code(stray)
                stop = self._next_line(at) if at > stop else stop
                continue
            if ended := _THOUGHT_END.match(text, stray.start()):
                # It began in the prompt: all that was said so far was thought.
                self._calls.clear()
                self._faults.clear()
                self._removed = [span for span in self._removed if span[1] <= self._begin]
                return ended.end()
            if _SENTENCE_ENDS.search(text[max(body, stray.start() - _GAP) : stray.start()]):
                end = self._call(stray.start(), _MARKED)
                if end is not None:
                    return end
        return stop

    def _call(self, at: int, forms: tuple[_Form, ...]) -> int | None:
        """Take what is meant as a call at this place; the place behind it, None where nothing is."""
        for form in forms:
            if form.OPENING.match(self._text, at) is None:
                continue
            piece = form.read_at(self._text, at, self._words, whole=self._whole)
            if piece is not None:
                return self._take(at, piece, marked=form in _MARKED)
        return None

    def _fence(self, at: int, fence: fences.Fence) -> int:
        piece = fences.call_in(self._text, fence, self._words, whole=self._whole)
        return fence.end if piece is None else self._take(at, piece, marked=False)

    def _take(self, at: int, piece: Piece, *, marked: bool) -> int:
        if self._is_announced(at) or not self._ends_well(piece, marked=marked):
            return piece.end
        if piece.cut is not None:
            self._cut = piece.cut
            self._removed.append((at, len(self._text)))
            return len(self._text)
        if piece.fault:
            self._faults.append(piece.fault)
        elif not self._is_quoted(at, piece.end):
            self._calls += piece.calls
            behind = _LINE_END.match(self._text, piece.end)
            end = behind.end() if behind else piece.end
            self._removed.append((at, end))
            return end
        return piece.end

    def _ends_well(self, piece: Piece, *, marked: bool) -> bool:
        """Behind a call the line ends, or another call or a new sentence begins; else it is a word of a sentence."""
        text, end = self._text, piece.end
        if _LINE_END.match(text, end):
            return True
        return marked and (_NEW_SENTENCE.match(text, end) is not None or _begins_marked(text, end))

    def _is_announced(self, at: int) -> bool:
        """The sentence before says that an example follows, or a quotation."""
        before = self._text[self._removed[-1][1] if self._removed else self._begin : at].rstrip()
        last = before[before.rfind("\n") + 1 :].strip().rstrip("*_")
        last = re.split(r"(?<=[.!?])\s+(?=[A-Z])", last)[-1]
        return last.endswith(":") and bool(_ANNOUNCED.search(last)) and not _INTENDED.search(last)

    def _is_quoted(self, begin: int, end: int) -> bool:
        if self._known is None:
            self._known = [_squeezed(result) for result in self._results]
        written = _squeezed(self._text[begin:end].strip("`"))
        return any(written in known for known in self._known)

    def _is_indented_code(self, at: int, body: int) -> bool:
        if len(self._text[at:body].expandtabs(4)) < 4 or self._text[body : body + 1] in ("", "\n"):
            return False
        before = self._text[self._begin : at].rstrip("\n")
        last = before[before.rfind("\n") + 1 :]
        return self._text[:at].endswith("\n\n") or not before or len(last) - len(last.lstrip()) >= 4

    def _behind_inline_code(self, marks: re.Match[str]) -> int:
        if self._blank < marks.end():
            blank = self._text.find("\n\n", marks.end())
            self._blank = len(self._text) if blank < 0 else blank
        closing = re.compile(rf"(?<!`){marks[0]}(?!`)").search(self._text, marks.end(), self._blank)
        return closing.end() if closing else marks.end()

    def _next_line(self, at: int) -> int:
        found = self._text.find("\n", at)
        return len(self._text) if found < 0 else found + 1

    def _shown(self) -> str:
        if not self._removed and not self._begin:
            return self._text
        parts = []
        at = self._begin
        for begin, end in self._removed:
            parts.append(self._text[at:begin])
            at = end
        parts.append(self._text[at:])
        if not self._removed:
            return parts[0].lstrip()
        shown = [part for part in (parts[0].rstrip(), *(part.strip() for part in parts[1:])) if part.strip()]
        return "\n\n".join(shown) if not self._begin else "\n\n".join(shown).lstrip()


def _begins_marked(text: str, at: int) -> bool:
    while at < len(text) and text[at].isspace():
        at += 1
    return any(form.OPENING.match(text, at) for form in _MARKED)


def _squeezed(text: str) -> str:
    return _ALL_SPACE.sub("", _LINE_NUMBER.sub("", text))
