"""Plays a script: for each request, what is said next, with the variables filled in.

The player does not know how the request came, in process or over a wire: it is shown a `View` of it.
"""

import os
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from codi.protocol.errors import ProviderError
from codi.providers.provider import Stop
from codi.providers.script import RESULT_VARIABLE, Branch, Call, Expect, Fault, Place, Script, Spent, Step, in_order

_ROUND_VARIABLE = re.compile(r"\{\{n(?:([+*%-])(\d+))?(?::([\w<>^,.]+))?\}\}")


class ScriptUnmet(ProviderError):
    """The request is not what the script expects. The message is the difference, a line for each point."""

    code = "script_unmet"


class SeenResult(Struct, frozen=True):
    call_id: str
    text: str
    is_error: bool = False


class View(Struct, frozen=True, kw_only=True):
    """What a script can see of a request, whatever its format. `message` is the text of the last message, results
    included; `results` are those since the last reply; `plain` gives the whole request as plain data."""

    model: str
    message: str
    plain: Callable[[], Any]
    first: str = ""
    system: str = ""
    results: tuple[SeenResult, ...] = ()
    tools: tuple[str, ...] = ()


class PlayedCall(Struct, frozen=True):
    """`arguments` is the argument text, which may be cut or no JSON at all."""

    id: str
    name: str
    arguments: str

    @property
    def plain(self) -> dict[str, Any] | None:
        """The arguments as an object; None where the text is none."""
        try:
            plain = msgspec.json.decode(self.arguments)
        except msgspec.DecodeError:
            return None
        return plain if isinstance(plain, dict) else None


class Played(Struct, frozen=True, kw_only=True):
    """What is said to one request."""

    label: str
    serial: int
    text: str = ""
    thinking: str = ""
    redacted: bool = False
    calls: tuple[PlayedCall, ...] = ()
    stop: Stop = "end"
    raw_stop: str | None = None
    usage: Spent | Literal["none"] | None = None
    delay_ms: float = 0.0
    pause_ms: float = 0.0
    chunk: int | None = None
    fault: Fault | None = None

    def pieces(self, text: str, usual: int) -> list[str]:
        """A text in the pieces in which it is streamed, `usual` characters long unless the step says otherwise."""
        size = self.chunk or usual
        return [text[at : at + size] for at in range(0, len(text), size)]


class Player:
    """Goes through a script, one step a request. `salt` makes the ids of calls different from those of other runs."""

    def __init__(self, script: Script, *, salt: str | None = None) -> None:
        self.script = script
        self.played = 0
        self._salt = os.urandom(6).hex() if salt is None else salt
        self._cursors: dict[tuple[int, str], _Cursor] = {}
        self._ids: set[str] = set()

    def next(self, view: View) -> Played:
        """What is said to this request; raises ScriptUnmet."""
        cursor = self._cursor(view)
        cursor.remember(view.results)
        place = cursor.place()
        if place is None:
            steps = len(cursor.places)
            raise ScriptUnmet(
                f"{self.script.name} is over after its {steps} step{'s' * (steps != 1)}, but there is one more request:\n"
                f"+ message: {_quoted(view.message)}",
                hint="Add a step, or `loop: true`.",
            )
        if place.step.expect is not None and (unmet := differences(place.step.expect, view)):
            raise ScriptUnmet(
                "\n".join([f"{self.script.name}, step {place.label} expects another request:", *unmet]),
                hint="Correct the script, or what led to the request.",
            )
        fault = self._fault(cursor, place.step)
        step = place.step
        if fault is not None and not step.speaks:
            if cursor.tries == fault.times:
                cursor.advance()
            return Played(label=place.label, serial=self._serial(), fault=fault)
        played = self._spoken(cursor, place, fault)
        if fault is None or fault.harmless:
            cursor.advance(played.calls, step.calls)
        return played

    @property
    def finished(self) -> bool:
        """Every step of the main script was played."""
        cursor = self._cursors.get((-1, "")) or _Cursor(self.script.steps, self.script.loop)
        return cursor.place() is None

    @property
    def upcoming(self) -> Fault | None:
        """The fault of the next step of the main script, for faults that come before the request does."""
        cursor = self._cursors.get((-1, "")) or _Cursor(self.script.steps, self.script.loop)
        place = cursor.place()
        if place is None or (fault := place.step.fault) is None or (fault.times and cursor.tries >= fault.times):
            return None
        return fault

    def had_fault(self) -> None:
        """Count a try of the next step that failed before there was a request."""
        cursor = self._cursors.setdefault((-1, ""), _Cursor(self.script.steps, self.script.loop))
        place = cursor.place()
        fault = self._fault(cursor, place.step) if place is not None else None
        if place is not None and fault is not None and not place.step.speaks and cursor.tries == fault.times:
            cursor.advance()

    def _cursor(self, view: View) -> "_Cursor":
        for number, branch in enumerate(self.script.branches):
            if not differences(branch.when, view):
                return self._cursors.setdefault((number, view.first), _Cursor.of(branch))
        return self._cursors.setdefault((-1, ""), _Cursor(self.script.steps, self.script.loop))

    def _fault(self, cursor: "_Cursor", step: Step) -> Fault | None:
        fault = step.fault
        if fault is None or (fault.times and cursor.tries >= fault.times):
            return None
        cursor.tries += 1
        return fault

    def _serial(self) -> int:
        self.played += 1
        return self.played

    def _spoken(self, cursor: "_Cursor", place: Place, fault: Fault | None) -> Played:
        step = place.step
        filled = _Variables(place.round or cursor.round, cursor.results, f"{self.script.name}, step {place.label}")
        serial = self._serial()
        calls = tuple(self._call(call, filled, serial, index) for index, call in enumerate(step.calls))
        stop = step.stop or ("tool_calls" if calls else "end")
        if fault is not None and fault.kind in ("truncate", "length"):
            if calls:
                cut = calls[-1].arguments[: len(calls[-1].arguments) // 2 if fault.at is None else fault.at]
                calls = (*calls[:-1], PlayedCall(calls[-1].id, calls[-1].name, cut))
            stop = "length" if fault.kind == "length" else stop
        return Played(
            label=place.label,
            serial=serial,
            text=filled.text(step.text) * step.copies,
            thinking=filled.text(step.thinking),
            redacted=step.redacted,
            calls=calls,
            stop=stop,
            raw_stop=step.raw_stop,
            usage=step.usage,
            delay_ms=step.delay_ms,
            pause_ms=step.pause_ms,
            chunk=step.chunk,
            fault=fault,
        )

    def _call(self, call: Call, filled: "_Variables", serial: int, index: int) -> PlayedCall:
        if call.raw_arguments is not None:
            arguments = filled.text(call.raw_arguments)
        else:
            arguments = msgspec.json.encode(filled.plain(call.arguments)).decode()
        call_id = filled.text(call.id) or f"call_{self._salt}{serial:06}{index:02}"
        while call_id in self._ids:  # a label that a repeated step uses again
            call_id = f"{filled.text(call.id)}_{serial}"
            serial += 1
        self._ids.add(call_id)
        return PlayedCall(call_id, call.name, arguments)


class _Cursor:
    """How far one conversation has come."""

    def __init__(self, steps: tuple[Step, ...], loop: bool) -> None:
        self.places = in_order(steps)
        self.round = 1
        self.tries = 0
        self.results: dict[str, str] = {}
        self._loop = loop
        self._at = 0
        self._calls: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, branch: Branch) -> "_Cursor":
        return cls(branch.steps, branch.loop)

    def place(self) -> Place | None:
        if self._at == len(self.places) and self._loop and self.places:
            self._at = 0
            self.round += 1
        return self.places[self._at] if self._at < len(self.places) else None

    def advance(self, played: tuple[PlayedCall, ...] = (), calls: tuple[Call, ...] = ()) -> None:
        self._at += 1
        self.tries = 0
        self._calls = tuple((call.id, label.id) for call, label in zip(played, calls, strict=True))

    def remember(self, results: tuple[SeenResult, ...]) -> None:
        # By place where the numbers agree: clients may give calls other ids, and not every format has ids.
        if len(results) == len(self._calls):
            pairs = [(label, result.text) for (_, label), result in zip(self._calls, results, strict=True)]
        else:
            labels = dict(self._calls)
            pairs = [(labels.get(result.call_id, ""), result.text) for result in results]
        self.results.update((label, text) for label, text in pairs if label)


class _Variables:
    def __init__(self, round_: int, results: dict[str, str], where: str) -> None:
        self._round = round_
        self._results = results
        self._where = where

    def text(self, text: str) -> str:
        if "{{" not in text:
            return text
        return RESULT_VARIABLE.sub(self._result, _ROUND_VARIABLE.sub(self._counter, text))

    def plain(self, value: Any) -> Any:
        if isinstance(value, str):
            alone = _ROUND_VARIABLE.fullmatch(value)
            return self._number(alone) if alone and not alone[3] else self.text(value)
        if isinstance(value, dict):
            return {key: self.plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return value

    def _counter(self, match: re.Match[str]) -> str:
        return format(self._number(match), match[3] or "")

    def _number(self, match: re.Match[str]) -> int:
        operand = int(match[2] or 0)
        match match[1]:
            case "+":
                return self._round + operand
            case "-":
                return self._round - operand
            case "*":
                return self._round * operand
            case "%":
                return self._round % operand
        return self._round

    def _result(self, match: re.Match[str]) -> str:
        seen = self._results.get(match[1])
        found = re.search(match[2], seen) if seen is not None else None
        if found is None:
            told = "has not been seen" if seen is None else f"is {_quoted(seen)}"
            raise ScriptUnmet(
                f"{self._where}: {match[0]} finds nothing: the result of {match[1]} {told}",
                hint="Correct the pattern, or what led to the result.",
            )
        return found[1] or "" if found.re.groups else found[0]


def differences(expect: Expect, view: View) -> list[str]:
    """How a request differs from what is expected: a `-` line for what was wanted, a `+` line for what came."""
    lines: list[str] = []

    def pattern(name: str, wanted: str | None, seen: str) -> None:
        if wanted is not None and not re.search(wanted, seen):
            lines.extend([f"- {name} =~ {wanted}", f"+ {name}: {_quoted(seen)}"])

    pattern("model", expect.model, view.model)
    pattern("system", expect.system, view.system)
    pattern("first", expect.first, view.first)
    pattern("message", expect.message, view.message)
    missing = sorted(set(expect.tools or ()) - set(view.tools))
    unwanted = sorted(set(expect.without_tools or ()) & set(view.tools))
    if missing:
        lines.append(f"- tools with: {', '.join(missing)}")
    if unwanted:
        lines.append(f"- tools without: {', '.join(unwanted)}")
    if missing or unwanted:
        lines.append(f"+ tools: {', '.join(view.tools) or 'none'}")
    if expect.results is not None:
        if len(expect.results) != len(view.results):
            lines.append(f"- results: {len(expect.results)}")
            lines.append(f"+ results: {len(view.results)}")
        for number, (wanted, seen) in enumerate(zip(expect.results, view.results, strict=False), 1):
            pattern(f"result {number}", wanted, seen.text)
    for path, value in (expect.request or {}).items():
        lines.extend(_difference_at(path, value, view.plain()))
    return lines


def _difference_at(path: str, wanted: Any, plain: Any) -> list[str]:
    found, seen = _at(path, plain)
    if found and isinstance(wanted, str):
        text = seen if isinstance(seen, str) else msgspec.json.encode(seen).decode()
        if re.search(wanted, text):
            return []
        return [f"- {path} =~ {wanted}", f"+ {path}: {_quoted(text)}"]
    if found and seen == wanted:
        return []
    shown = _quoted(msgspec.json.encode(seen).decode()) if found else "absent"
    return [f"- {path}: {msgspec.json.encode(wanted).decode()}", f"+ {path}: {shown}"]


def _at(path: str, plain: Any) -> tuple[bool, Any]:
    for name, index in re.findall(r"([^.\[\]]+)|\[(-?\d+)\]", path.removeprefix("$")):
        try:
            plain = plain[int(index)] if index else plain[name]
        except (LookupError, TypeError):
            return False, None
    return True, plain


def _quoted(text: str) -> str:
    shown = text if len(text) <= 300 else f"{text[:200]} … {text[-80:]}"
    return repr(shown)
