"""Undo, snapshots, blame and bisection in words: what a person types becomes an op, what is told becomes lines."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence

from codi.protocol.errors import UsageError
from codi.protocol.events import (
    BisectDelta,
    BlameDelta,
    ChangesDelta,
    Resumed,
    SnapshotsDelta,
    ToldStep,
    UndoDelta,
)
from codi.protocol.ops import (
    Bisect,
    Blame,
    CompareSnapshots,
    CreateSnapshot,
    RestoreSnapshot,
    ShowSnapshots,
    Undo,
)

_PLACE = re.compile(r"(.+?)(?::(\d+)(?:-(\d+))?)?", re.DOTALL)
_MOST_FILES = 10
_PROMPT_CHARS = 80

USAGE = {
    "undo": "/undo [N | --turn | --to STEP | --all] [--path P]... [--dry-run] [--conversation]",
    "redo": "/redo [N]",
    "changes": "/changes [--json]",
    "blame": "/blame FILE[:LINE[-LINE]]",
    "bisect": "/bisect [--from A] [--to B] -- COMMAND",
    "snapshot": "/snapshot list | create [NAME] | diff A [B] | restore ID [PATH]... [--conversation]",
}


class Unclear(UsageError):
    """What was typed after a command means nothing."""

    def __init__(self, command: str) -> None:
        super().__init__(f"usage: {USAGE[command]}", hint="Paths with spaces go in quotes.")


def undo_of(words: Sequence[str]) -> Undo:
    """Raises Unclear."""
    options, rest = _options(
        words, "undo", flags=("--turn", "--all", "--dry-run", "--conversation"), named=("--to", "--path")
    )
    rest = [word for word in rest if word != "turn"] if len(rest) < 2 else rest
    steps = int(rest.pop()) if len(rest) == 1 and rest[0].isdecimal() else None
    turn = "--turn" in options or "turn" in words
    to = _step(options["--to"][-1], "undo") if "--to" in options else None
    if steps == 0 or (steps is not None) + turn + (to is not None) + ("--all" in options) > 1:
        raise Unclear("undo")
    return Undo(
        steps=steps,
        to=to,
        paths=(*options.get("--path", ()), *rest),
        dry_run="--dry-run" in options,
        turn=turn,
        all="--all" in options,
        conversation="--conversation" in options,
    )


def blame_of(words: Sequence[str]) -> Blame:
    """Raises Unclear."""
    told = _PLACE.fullmatch(words[0]) if len(words) == 1 else None
    if told is None:
        raise Unclear("blame")
    return Blame(told[1], int(told[2]) if told[2] else None, int(told[3]) if told[3] else None)


def bisect_of(text: str, words: Sequence[str]) -> Bisect:
    """`text` is all that was typed behind the command, `words` what stands in it before `--`. Raises Unclear."""
    options, rest = _options(words, "bisect", named=("--from", "--to"))
    command = re.split(r"(?:^|\s)--(?:\s|$)", text, maxsplit=1)[-1].strip() if "--" in text.split() else ""
    if rest or not command:
        raise Unclear("bisect")
    begin, end = (_step(options[name][-1], "bisect") if name in options else None for name in ("--from", "--to"))
    return Bisect(command, begin, end)


def snapshot_of(words: Sequence[str]) -> ShowSnapshots | CreateSnapshot | CompareSnapshots | RestoreSnapshot:
    """Raises Unclear."""
    match list(words):
        case [] | ["list"]:
            return ShowSnapshots()
        case ["create", *name]:
            return CreateSnapshot(" ".join(name))
        case ["diff", a]:
            return CompareSnapshots(a)
        case ["diff", a, b]:
            return CompareSnapshots(a, b)
        case ["restore", *rest]:
            options, rest = _options(rest, "snapshot", flags=("--conversation",))
            if rest:
                return RestoreSnapshot(rest[0], tuple(rest[1:]), "--conversation" in options)
    raise Unclear("snapshot")


def _options(
    words: Sequence[str], command: str, flags: Sequence[str] = (), named: Sequence[str] = ()
) -> tuple[dict[str, list[str]], list[str]]:
    """The options with their values, and the other words. Raises Unclear."""
    options: dict[str, list[str]] = {}
    rest: list[str] = []
    waiting = list(words)[::-1]
    while waiting:
        word = waiting.pop()
        name, equals, value = word.partition("=")
        if word in flags:
            options[word] = []
        elif name in named and (equals or waiting):
            options.setdefault(name, []).append(value if equals else waiting.pop())
        elif word.startswith("--"):
            raise Unclear(command)
        else:
            rest.append(word)
    return options, rest


def _step(text: str, command: str) -> int:
    if not (told := re.fullmatch(r"s?(\d+)", text)):
        raise Unclear(command)
    return int(told[1])


def undo_in_words(delta: UndoDelta) -> Iterator[str]:
    verb = "brought back" if delta.taken else "put back" if delta.redo else "taken back"
    if delta.outcomes:
        yield f"{'is' if delta.done else 'would be'} {verb}:"
    elif delta.taken:
        yield "all files are as they were"
    else:
        yield f"there is nothing to {'put back' if delta.redo else 'take back'}"
    for outcome in delta.outcomes:
        why = f"  ({outcome.why})" if outcome.why else ""
        yield f"  {outcome.what:<9} {outcome.path}{why}"
    for path in delta.aside:
        yield f"  wrote     {path}"
    if delta.taken:
        yield f"what was there is {delta.taken}; /undo brings it back"
    if delta.resumed:
        yield resumed_in_words(delta.resumed, done=delta.done)


def resumed_in_words(resumed: Resumed, *, done: bool = True) -> str:
    if not resumed.moved:
        return "the conversation stands there already"
    goes = "goes" if done else "would go"
    if resumed.prompt is not None:
        line = " ".join(resumed.prompt.split())
        prompt = line if len(line) <= _PROMPT_CHARS else f"{line[: _PROMPT_CHARS - 1]}…"
        return f"the conversation {goes} on from before “{prompt}”"
    return f"the conversation {goes} on from " + ("its beginning" if resumed.to is None else f"entry {resumed.to}")


def changes_in_words(delta: ChangesDelta) -> Iterator[str]:
    for file in delta.files:
        lines = "" if file.added is None else f" +{file.added} -{file.removed}"
        ids = f"{(file.before or '-')[:12]}..{(file.after or '-')[:12]}"
        yield f"{file.kind:<9} {file.path}{lines} {ids} {file.by or file.owner}"
    if not delta.files:
        yield "nothing was changed in this session"


def history_in_words(delta: ChangesDelta) -> Iterator[str]:
    """What became of one file, step by step."""
    for file in delta.files:
        lines = "" if file.added is None else f"+{file.added} -{file.removed} "
        ids = f"{(file.before or '-')[:12]}..{(file.after or '-')[:12]}"
        yield f"{_time(file.at)}  step {file.steps[-1]:<4} {file.kind:<9} {lines}{ids} {file.by}"


def blame_in_words(delta: BlameDelta) -> Iterator[str]:
    for line in delta.lines:
        if line.owner in (None, "person"):
            whose = "a person" if line.owner else "before codi"
        else:
            at = "" if line.at is None else _time(line.at)
            whose = f"step {line.step}, turn {line.turn or '-'}, {at}, {line.tool or line.owner}: {line.prompt or ''}".rstrip(
                ": "
            )
        yield f"{line.line:>5} {line.text}  [{whose}]"


def bisect_in_words(delta: BisectDelta) -> Iterator[str]:
    if not delta.done:
        step = delta.steps[-1]
        yield f"{delta.said:<8} after step {step.step}: {step.tool} {step.what}"
        return
    for step in delta.steps:
        yield from step_in_words(step)
    yield f"{delta.runs} runs" + ("" if len(delta.steps) == 1 else "; steps were skipped, it is one of these")


def step_in_words(step: ToldStep) -> Iterator[str]:
    yield f"step {step.step}, turn {step.turn} of session {step.session}"
    yield f"prompt: {step.prompt}"
    yield f"call:   {step.tool} {step.what} ({step.call})"
    for name in step.files[:_MOST_FILES]:
        yield f"        {name}"
    if len(step.files) > _MOST_FILES:
        yield f"        and {len(step.files) - _MOST_FILES} more"


def snapshots_in_words(delta: SnapshotsDelta) -> Iterable[str]:
    if delta.created:
        return [f"{delta.snapshots[0].id} is {delta.snapshots[0].name}"]
    if not delta.snapshots:
        return ["there are no snapshots yet"]
    return [
        f"{each.id:<6} {_time(each.at)}  {each.name if each.named else f'before turn {each.turn}: {each.name}'}"
        for each in delta.snapshots
    ]


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
