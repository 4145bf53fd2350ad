"""What of a growing text may be shown already: all before the place where a call could begin.

What is shown stays shown, so a beginning that may still become a call is held back until it is known; what then turns out to
be none is shown with the rest of the reply.
"""

import re
from collections.abc import Iterator
from typing import Literal

from codi.agent.dialects.fences import CALLING
from codi.agent.dialects.json_form import KEYS
from codi.agent.dialects.reading import THOUGHT, Reading
from codi.agent.dialects.vocabulary import Vocabulary

Kind = Literal["thinking", "text"]

_MARKS = (
    *(f"<{name}>" for name in ("tool_call", "tool_calls", "function_call", "function_calls", "toolcall")),
    *(f"<{name}>" for name in ("think", "thinking", "thought", "reasoning")),
    *(f"</{name}>" for name in ("think", "thinking", "thought", "reasoning")),
    "<function=",
    "<function ",
    "<invoke",
    "<|python_tag|>",
    "<｜DSML",
    "<|DSML",
    "[TOOL_CALLS]",
)
_CANDIDATE = re.compile(r"[<\[{`~]")
_TAG = re.compile(r"<([A-Za-z_][\w.-]*)(>?)")
_FENCE = re.compile(r"(`{3,}|~{3,})([^\n`]*)(\n\s*)?")
_KEY = re.compile(r"""(?:\[\s*)?\{\s*["'](\w+)["']\s*:""")
_KEY_BEGUN = re.compile(r"""(?:\[\s*)?(?:\{\s*(?:["'](\w*)(?:["']\s*)?)?)?\Z""")
_LEADING = re.compile(r"\s*(<\w*)?\Z")
_LONGEST_MARK = max(map(len, _MARKS))


class Growing:
    """One text of a reply as it comes."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._text = ""
        self._at = 0
        self._look = 0
        self._state: Literal["begin", "thought", "text", "held"] = "begin"
        self._closing = ""
        self._said = 0

    @property
    def text(self) -> str:
        return self._text

    def add(self, text: str) -> Iterator[tuple[Kind, str]]:
        """What may be shown now."""
        self._text += text
        if self._state == "begin":
            self._begin()
        if self._state == "thought":
            yield from self._think()
        if self._state == "text":
            yield from self._speak()

    def rest(self, reading: Reading) -> Iterator[tuple[Kind, str]]:
        """What is still to be shown once it is known what the text means."""
        if self._state == "thought" and len(self._text) > self._at:
            yield "thinking", self._text[self._at :]
        if left := reading.shown[self._said :]:
            yield "text", left

    def _begin(self) -> None:
        leading = len(self._text) - len(self._text.lstrip())
        if opening := THOUGHT.match(self._text, leading):
            self._state, self._at = "thought", opening.end()
            self._closing = f"</{opening['tag']}>"
        elif not _LEADING.match(self._text) or len(self._text) - leading > _LONGEST_MARK:
            self._state = "text"

    def _think(self) -> Iterator[tuple[Kind, str]]:
        stop = self._text.find(self._closing, self._at)
        end = stop if stop >= 0 else len(self._text) - _begun(self._text, self._closing)
        if end > self._at:
            yield "thinking", self._text[self._at : end]
            self._at = end
        if stop >= 0:
            self._at = self._look = stop + len(self._closing)
            self._state = "text"

    def _speak(self) -> Iterator[tuple[Kind, str]]:
        end = self._settled()
        while end > self._at and self._text[end - 1].isspace():
            end -= 1
        piece = self._text[self._at : end]
        if not self._said and self._closing:
            piece = piece.lstrip()  # what separates the answer from the thought belongs to neither
        if piece:
            self._said += len(piece)
            yield "text", piece
        self._at = max(self._at, end)

    def _settled(self) -> int:
        """The place up to which nothing can be a call any more."""
        while candidate := _CANDIDATE.search(self._text, self._look):
            place = candidate.start()
            could = self._opens(place)
            if could is not False:
                self._look = place
                if could:
                    self._state = "held"
                return place
            self._look = place + 1
        self._look = len(self._text)
        return len(self._text)

    def _opens(self, at: int) -> bool | None:
        """Whether a call begins here; None while it cannot be told."""
        rest = self._text[at : at + 400]
        if rest.startswith(_MARKS):
            return True
        if any(mark.startswith(rest) for mark in _MARKS):
            return None
        if tag := _TAG.match(rest):
            return (self._words.knows(tag[1]) if tag[2] else False) if tag.end() < len(rest) or tag[2] else None
        line = self._text[self._text.rfind("\n", 0, at) + 1 : at]
        if line.strip():
            return False
        if rest[0] in "`~":
            return self._fence_opens(rest)
        return _json_opens(rest)

    def _fence_opens(self, rest: str) -> bool | None:
        fence = _FENCE.match(rest)
        if fence is None:
            return None if len(rest) < 3 and not rest.strip(rest[0]) else False
        if fence[3] is None:
            return None if fence.end() == len(rest) else False
        tag = fence[2].strip().lower()
        if fence[1] != "```" or tag not in CALLING:
            return False
        content = rest[fence.end() :]
        if not content:
            return None
        return True if tag == "tool_code" or content[0] == "<" else _json_opens(content)


def _json_opens(text: str) -> bool | None:
    if key := _KEY.match(text):
        return key[1] in KEYS
    if begun := _KEY_BEGUN.match(text):
        return None if any(key.startswith(begun[1] or "") for key in KEYS) else False
    return False


def _begun(text: str, closing: str) -> int:
    """How many characters at the end of the text may begin the closing tag."""
    return next((size for size in range(len(closing) - 1, 0, -1) if text.endswith(closing[:size])), 0)
