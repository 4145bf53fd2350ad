"""What a scripted model says, step by step: the file format of scripts and scenarios.

A script is YAML or JSON. The same file drives the in-process provider (`providers/scripted`) and the server of the lab,
which speaks the wire formats of the real services. Every answer is decided by the file alone, so a run can be repeated.

    model: scripted-1
    steps:
      - expect: {message: "fix", tools: [read, edit]}
        thinking: I look first.
        calls: [{id: look, name: read, arguments: {path: a.py}}]
      - text: "It defines {{result:look:def (\\\\w+)}}."
      - repeat: 3
        text: "Round {{n}} of 3."

Variables in texts and arguments: `{{n}}` is the round of the innermost `repeat` (else of the loop), counted from 1, also
`{{n+2}}`, `{{n-1}}`, `{{n*10}}`, `{{n%7}}` and with a format `{{n:03}}`; `{{result:ID:REGEX}}` is the first group (or the
match) of REGEX in the newest result of the call labelled ID. A string that is `{{n}}` alone becomes a number.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from codi.protocol.errors import ConfigError
from codi.providers.provider import Stop

FaultKind = Literal[
    "status",
    "error_event",
    "refuse",
    "reset",
    "cut",
    "unfinished",
    "stall",
    "half_open",
    "slow",
    "slow_first_byte",
    "garbage",
    "content_type",
    "html",
    "json_in_stream",
    "split",
    "bad_utf8",
    "crlf",
    "gzip",
    "long_line",
    "truncate",
    "length",
]

# Faults under which the whole answer arrives all the same: the client has no reason to ask again, so the step is over.
_HARMLESS = frozenset({"slow", "slow_first_byte", "split", "crlf", "long_line", "truncate", "length"})

_MOST_ROUNDS = 100_000

_T = TypeVar("_T")


class Fault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goes wrong with an answer. `at` counts bytes of the body (in process: characters); for `truncate` and `length`
    characters of the last call's argument text, for `status` it may name the status. `times` tries fail before the step
    is played; 0 is every try.

    `seconds`: how long a `stall` lasts before the answer goes on, how long connections are refused, how long the first
    byte takes, and how long a `slow` answer rests between two pieces of `size` bytes. `retry_after` is seconds, or
    `date:SECONDS` for the form with a date, or `ms:MILLISECONDS`; `skew_s` is how far the server's clock is off.
    """

    kind: FaultKind
    at: int | None = None
    times: int = 1
    status: int | None = None
    type: str = ""
    message: str = ""
    headers: dict[str, str] = {}
    body: str | None = None
    retry_after: float | str | None = None
    skew_s: float = 0.0
    seconds: float | None = None
    size: int | None = None
    content_type: str = "text/plain"

    @property
    def harmless(self) -> bool:
        """The whole answer arrives all the same."""
        return self.kind in _HARMLESS or (self.kind == "gzip" and self.at is None)


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """A call of the scripted reply. `raw_arguments` is sent in place of the encoded arguments, be it JSON or not. `id` labels
    the call within the script, and is its id on the wire the first time it is used."""

    name: str
    arguments: dict[str, Any] = {}
    id: str = ""
    raw_arguments: str | None = None


class Expect(Struct, frozen=True, forbid_unknown_fields=True):
    """What a step demands of the request. Patterns are searched for, not matched in full.

    `message` looks at the texts and results of the last message, `first` at the first message of the person; `results` holds
    one pattern for each result since the last reply, in order; `request` maps paths such as `messages[-1].role` to a
    pattern, or to the very value.
    """

    message: str | None = None
    first: str | None = None
    system: str | None = None
    model: str | None = None
    tools: tuple[str, ...] | None = None
    without_tools: tuple[str, ...] | None = None
    results: tuple[str, ...] | None = None
    request: dict[str, Any] | None = None


class Spent(Struct, frozen=True, forbid_unknown_fields=True):
    """Usage as the script dictates it; what is left out is computed."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    thinking: int | None = None


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One reply, or one group of `steps` that is repeated. `text` is said `copies` times; it is cut in pieces of `chunk`
    characters with `pause_ms` between them, after a first `delay_ms`. `raw_stop` is sent in place of the format's word for
    `stop`. `usage: none` withholds the usage."""

    expect: Expect | None = None
    text: str = ""
    copies: int = 1
    thinking: str = ""
    redacted: bool = False
    calls: tuple[Call, ...] = ()
    stop: Stop | None = None
    raw_stop: str | None = None
    usage: Spent | Literal["none"] | None = None
    delay_ms: float = 0.0
    pause_ms: float = 0.0
    chunk: int | None = None
    fault: Fault | None = None
    repeat: int = 1
    steps: tuple["Step", ...] = ()

    @property
    def speaks(self) -> bool:
        """There is a reply, and not a fault alone."""
        return bool(self.text or self.thinking or self.calls or self.stop or self.raw_stop or not self.fault)


class Branch(Struct, frozen=True, kw_only=True):
    """Steps for conversations of their own, such as those of workers or the request for a title: a request that fits `when`
    is answered from here. Each conversation, told by its first message, goes through the steps on its own."""

    when: Expect
    steps: tuple[Step, ...]
    name: str = ""
    loop: bool = False


class Script(Struct, frozen=True, kw_only=True):
    steps: tuple[Step, ...] = ()
    branches: tuple[Branch, ...] = ()
    loop: bool = False
    model: str = "scripted-1"
    name: str = "script"
    description: str = ""
    prompt: str = ""
    """What a person says to begin it."""
    window: int = 200_000


class _Outline(Struct, forbid_unknown_fields=True, kw_only=True):
    # The file before its steps are looked at one by one, so that an error can name the step.
    steps: list[Any] = []
    branches: list[dict[str, Any]] = []
    loop: bool = False
    model: str = "scripted-1"
    name: str = ""
    description: str = ""
    prompt: str = ""
    window: int = 200_000


class _BranchOutline(Struct, forbid_unknown_fields=True, kw_only=True):
    when: Any
    steps: list[Any] = []
    name: str = ""
    loop: bool = False


class Place(Struct, frozen=True):
    """A step in the order of play, with its round and its number as messages name it."""

    step: Step
    round: int | None
    label: str


def read_script(path: str) -> Script:
    """The script in a file; raises ConfigError naming file and step."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ConfigError(
            f"cannot read the script {path}: {error.strerror}", hint="Give the path of a YAML or JSON script."
        ) from error
    return decode_script(content, where=path)


def decode_script(content: bytes | str, *, where: str = "script") -> Script:
    """A script from YAML or JSON text; `where` names it in errors."""
    if isinstance(content, bytes):
        try:
            content = content.decode()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{where}: not UTF-8 text ({error})", hint="Save the script as UTF-8.") from error
    if content.lstrip()[:1] in ("{", "["):
        try:
            return script_of(msgspec.json.decode(content), where=where)
        except msgspec.DecodeError as error:
            if where.endswith(".json"):
                raise ConfigError(f"{where}: not JSON: {error}", hint="Correct the file.") from error
    return script_of(_from_yaml(content, where), where=where)


def script_of(plain: Any, *, where: str = "script") -> Script:
    """A script from plain data: a mapping, or the list of its steps alone."""
    if isinstance(plain, list):
        plain = {"steps": plain}
    outline = _converted(plain, _Outline, where)
    branches = []
    for number, raw in enumerate(outline.branches, 1):
        at = f"{where}, branch {number}"
        branch = _converted(raw, _BranchOutline, at)
        if not branch.steps:
            raise ConfigError(f"{at}: no steps", hint="List what the model says under `steps`.")
        branches.append(
            Branch(
                when=_expect(branch.when, at),
                steps=tuple(_steps(branch.steps, at)),
                name=branch.name or f"branch {number}",
                loop=branch.loop,
            )
        )
    if not outline.steps and not branches:
        raise ConfigError(f"{where}: no steps", hint="List what the model says under `steps`.")
    script = Script(
        steps=tuple(_steps(outline.steps, where)),
        branches=tuple(branches),
        loop=outline.loop,
        model=outline.model,
        name=outline.name or where,
        description=outline.description,
        prompt=outline.prompt,
        window=outline.window,
    )
    for steps in (script.steps, *(branch.steps for branch in branches)):
        _check_labels(steps, where)
    return script


def in_order(steps: tuple[Step, ...]) -> list[Place]:
    """The steps as they are played, groups and repetitions laid out."""
    return list(_laid_out(steps, None, ""))


def reads_requests(script: Script) -> bool:
    """What is said depends on more of a request than that it came."""
    said = [place.step for place in in_order(script.steps)]
    return (
        bool(script.branches)
        or any(step.expect is not None for step in said)
        or any(RESULT_VARIABLE.search(text) for step in said for text in _texts_of(step))
    )


def _texts_of(step: Step) -> Iterator[str]:
    yield from _strings([step.text, step.thinking, *(call.arguments for call in step.calls)])


def _laid_out(steps: tuple[Step, ...], round_: int | None, prefix: str) -> Iterator[Place]:
    for number, step in enumerate(steps, 1):
        label = f"{prefix}{number}"
        for turn in range(1, step.repeat + 1):
            inner = turn if step.repeat > 1 else round_
            if step.steps:
                yield from _laid_out(step.steps, inner, f"{label}.")
            else:
                yield Place(step, inner, label)


def _from_yaml(content: str, where: str) -> Any:
    import yaml  # slow to import, and scripts may be JSON

    try:
        return yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not YAML: {' '.join(str(error).split())}", hint="Correct the file.") from error


def _steps(raw: list[Any], where: str) -> Iterator[Step]:
    for number, plain in enumerate(raw, 1):
        yield _step(plain, f"{where}, step {number}")


def _step(plain: Any, where: str) -> Step:
    if not isinstance(plain, dict):
        raise ConfigError(f"{where}: a step is a mapping, not {plain!r}", hint="Write for instance `- text: Hello.`")
    plain = dict(plain)
    reply = plain.pop("reply", None)
    if isinstance(reply, dict):
        plain = {**plain, **reply}
    elif isinstance(reply, str):
        plain = {**plain, "text": reply}
    nested = plain.pop("steps", None)
    if "expect" in plain:
        plain["expect"] = _expect(plain["expect"], where)
    fault = plain.get("fault")
    if isinstance(fault, str):
        plain["fault"] = {"kind": fault}
    step = _converted(plain, Step, where)
    if not 1 <= step.repeat <= _MOST_ROUNDS:
        raise ConfigError(f"{where}: repeat is {step.repeat}", hint=f"Repeat 1 to {_MOST_ROUNDS} times.")
    if nested is not None:
        if extra := sorted(set(plain) - {"repeat"}):
            raise ConfigError(
                f"{where}: a group of steps says nothing of its own, but has {', '.join(extra)}",
                hint="Move it into one of the steps of the group.",
            )
        if not isinstance(nested, list) or not nested:
            raise ConfigError(f"{where}: steps is no list of steps", hint="List the steps that are repeated.")
        inner = tuple(_step(each, f"{where}.{number}") for number, each in enumerate(nested, 1))
        return Step(repeat=step.repeat, steps=inner)
    if not set(plain) & {"text", "thinking", "calls", "stop", "raw_stop", "fault"}:
        raise ConfigError(
            f"{where}: says nothing", hint='Add `text`, `calls` or `fault`; an empty reply is `text: ""`.'
        )
    _check(step, where)
    return step


def _check(step: Step, where: str) -> None:
    if (step.chunk is not None and step.chunk < 1) or step.copies < 1:
        raise ConfigError(f"{where}: chunk and copies are at least 1", hint="Leave them out for the usual.")
    ids = [call.id for call in step.calls if call.id]
    if twice := [each for each in ids if ids.count(each) > 1]:
        raise ConfigError(f"{where}: two calls have the id {twice[0]}", hint="Give each call an id of its own.")
    for said in _texts_of(step):
        for match in RESULT_VARIABLE.finditer(said):
            _compiled(match[2], where)
    fault = step.fault
    if fault is None:
        return
    if fault.at is not None and fault.at < 0:
        raise ConfigError(f"{where}: a fault cannot be at {fault.at}", hint="Count from the beginning, from 0.")
    if isinstance(fault.retry_after, str) and not re.fullmatch(r"(date:|ms:)?-?\d+(\.\d+)?", fault.retry_after):
        raise ConfigError(
            f"{where}: retry_after {fault.retry_after!r} is no waiting time",
            hint="Write seconds, `date:SECONDS` or `ms:MILLISECONDS`.",
        )


def _expect(raw: Any, where: str) -> Expect:
    expect = _converted({"message": raw} if isinstance(raw, str) else raw, Expect, f"{where}, expect")
    for pattern in (expect.message, expect.first, expect.system, expect.model, *(expect.results or ())):
        if pattern is not None:
            _compiled(pattern, f"{where}, expect")
    for path, wanted in (expect.request or {}).items():
        if isinstance(wanted, str):
            _compiled(wanted, f"{where}, expect {path}")
    return expect


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"{where}: {pattern!r} is no regular expression: {error}", hint="Escape what is meant literally with \\."
        ) from error


RESULT_VARIABLE = re.compile(r"\{\{result:([\w.-]+):(.+?)\}\}", re.DOTALL)
"""`{{result:ID:REGEX}}`: the label of a call, and a pattern for its newest result."""


def _check_labels(steps: tuple[Step, ...], where: str) -> None:
    known: set[str] = set()
    for number, step in enumerate(steps, 1):
        inner = [place.step for place in in_order((Step(steps=step.steps),))] if step.steps else [step]
        if step.steps:  # a later step of a group may speak of an earlier round
            known.update(call.id for each in inner for call in each.calls)
        for each in inner:
            for said in _texts_of(each):
                for match in RESULT_VARIABLE.finditer(said):
                    if match[1] not in known:
                        raise ConfigError(
                            f"{where}, step {number}: {match[0]} speaks of a call that no earlier step made",
                            hint=f"Give an earlier call `id: {match[1]}`.",
                        )
            known.update(call.id for call in each.calls)


def _strings(plain: Any) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, dict):
        for value in plain.values():
            yield from _strings(value)
    elif isinstance(plain, list | tuple):
        for value in plain:
            yield from _strings(value)


def _converted(plain: Any, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$.", " - at `")
        raise ConfigError(f"{where}: {message}", hint=_fields_of(kind)) from error


def _fields_of(kind: Any) -> str:
    names = [name for name in kind.__struct_fields__ if name != "steps" or kind is not Step]
    return f"Known here: {', '.join(names)}."
