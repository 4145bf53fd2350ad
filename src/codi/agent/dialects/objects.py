"""A decoded JSON value as calls: the object that names a tool and its arguments, in the ways in which models nest it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.spoken import Dialect, Spoken
from codi.agent.dialects.vocabulary import Vocabulary

ARGUMENTS = ("arguments", "parameters", "input")
_BESIDE = frozenset(["id", "type", "index", "call_id", "tool_call_id"])
_AROUND = frozenset(["role", "content"])


class Meant(Struct, frozen=True):
    """The calls that a value says, or the fault in them. Neither: it is no call at all."""

    calls: tuple[Spoken, ...] = ()
    fault: str = ""


_NO_CALL = Meant()


def meant_by(value: Any, words: Vocabulary, dialect: Dialect, *, marked: bool) -> Meant:
    """`marked`: the text around the value says that it is a call; so whatever it says instead is a fault. Without that, an
    object that merely resembles a call is left alone."""
    found = _calls_in(value, dialect, words, marked=marked)
    if found.fault or not found.calls:
        return found if found.fault or not marked else Meant(fault="there is no tool's name and arguments in it")
    for call in found.calls:
        if fault := words.fault(call):
            resembles = not marked and not words.knows(call.name) and not _is_bare(value)
            return _NO_CALL if resembles else Meant(fault=fault)
    return found


def _calls_in(value: Any, dialect: Dialect, words: Vocabulary, *, marked: bool) -> Meant:
    if isinstance(value, list):
        calls: tuple[Spoken, ...] = ()
        for item in value:
            found = _calls_in(item, dialect, words, marked=marked) if isinstance(item, dict) else _NO_CALL
            if found.fault or not found.calls:
                return found
            calls += found.calls
        return Meant(calls)
    if not isinstance(value, dict):
        return _NO_CALL
    if isinstance(value.get("tool_calls"), list) and value.keys() <= {"tool_calls", *_AROUND}:
        return _calls_in(value["tool_calls"], dialect, words, marked=marked)
    if isinstance(value.get("function"), dict) and value.keys() <= {"function", *_BESIDE}:
        return _calls_in(value["function"], dialect, words, marked=True)
    return _call_in(value, dialect, words, marked=marked)


def _call_in(value: Mapping[str, Any], dialect: Dialect, words: Vocabulary, *, marked: bool) -> Meant:
    given = [key for key in ARGUMENTS if key in value]
    name = value.get("name")
    if len(given) > 1 or not value.keys() <= {"name", *given, *_BESIDE}:
        return _NO_CALL
    if not given:
        if isinstance(name, str) and (marked or (value.keys() == {"name"} and words.knows(name))):
            return Meant(fault=f'the call of "{name}" has no arguments')
        return _NO_CALL
    if not isinstance(name, str) or not name:
        return Meant(fault="there are arguments, but no name of a tool") if marked or len(value) == 1 else _NO_CALL
    arguments = value[given[0]]
    if isinstance(arguments, str):
        arguments = _inside(arguments)
    if not isinstance(arguments, dict):
        if marked or words.knows(name):
            return Meant(fault=f'the arguments of "{name}" are no JSON object')
        return _NO_CALL
    return Meant((Spoken(name, arguments, dialect),))


def _inside(text: str) -> Any:
    """The object that a string of JSON holds, or the string."""
    try:
        found = decode_at(text, 0)
    except Unreadable:
        return text
    return text if found.missing or text[found.end :].strip() else found.value


def _is_bare(value: Any) -> bool:
    """Nothing but a name and arguments: who writes that of a tool that does not exist still means a call."""
    return isinstance(value, dict) and value.keys() == {"name", "arguments"}
