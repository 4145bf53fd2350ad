"""Which of many files deserve a deep look: scored by a model, or by their names where it gives no scores."""

import json
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from msgspec import Struct

from codi.engine.pipeline_inputs import Piece
from codi.protocol.errors import CodiError

Depth = Literal["deep", "normal", "quick"]
CHUNK = 200
_EXCERPT_CHARS = 400
_RISKS = {"low": 1, "medium": 4, "high": 7, "critical": 10}
_DEEP_FROM, _QUICK_TO = 14.0, 6.0
_PROMPT = (
    "Score each of these files for a review. Answer with one JSON object a line and nothing else: "
    '{"file": PATH, "risk": "low|medium|high|critical", "complexity": 1-10, "importance": 1-10, "why": SHORT}.\n\n'
)
_RISKY = re.compile(r"auth|login|passw|crypt|secret|token|payment|security|permission|admin|sql|migrat", re.IGNORECASE)
_HARMLESS = re.compile(r"(^|/)(tests?|docs?|examples?|fixtures)/|\.(md|txt|json|lock|css|svg)$", re.IGNORECASE)


class Score(Struct, frozen=True):
    """`priority` is from 2 to 20."""

    path: str
    risk: Literal["low", "medium", "high", "critical"]
    complexity: int
    importance: int
    why: str = ""

    @property
    def priority(self) -> float:
        return _RISKS[self.risk] + (self.complexity + self.importance) / 2

    @property
    def depth(self) -> Depth:
        return "deep" if self.priority >= _DEEP_FROM else "quick" if self.priority <= _QUICK_TO else "normal"


async def scored(files: Sequence[Piece], ask: Callable[[str], Awaitable[str]]) -> list[Score]:
    """All of them, the most urgent first."""
    scores: dict[str, Score] = {}
    for begin in range(0, len(files), CHUNK):
        chunk = files[begin : begin + CHUNK]
        told = "\n".join(f'<file name="{file.path}">\n{file.text[:_EXCERPT_CHARS]}\n</file>' for file in chunk)
        try:
            answer = await ask(_PROMPT + told)
        except CodiError:
            answer = ""
        named = {file.path for file in chunk}
        for line in answer.splitlines():
            score = _score(line)
            if score and score.path in named:
                scores[score.path] = score
    guessed = (scores.get(file.path) or by_name(file) for file in files)
    return sorted(guessed, key=lambda score: (-score.priority, score.path))


def by_name(file: Piece) -> Score:
    """A guess from what the file is called and how long it is."""
    length = 1 + min(file.text.count("\n") // 60, 9)
    if _RISKY.search(file.path):
        return Score(file.path, "high", length, 8, "by its name")
    if _HARMLESS.search(file.path):
        return Score(file.path, "low", min(length, 3), 2, "by its name")
    entry = os.path.basename(file.path).startswith(("main", "index", "app", "server", "cli"))
    return Score(file.path, "medium", length, 7 if entry else 5, "by its name")


def _score(line: str) -> Score | None:
    try:
        told: Any = json.loads(line.strip().strip(",[]` "))
        if told["risk"] not in _RISKS:
            return None
        hard, weighty = (min(max(round(float(told[name])), 1), 10) for name in ("complexity", "importance"))
        return Score(str(told["file"]), told["risk"], hard, weighty, str(told.get("why", "")))
    except (ValueError, TypeError, KeyError):
        return None
