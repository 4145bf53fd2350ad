"""Sessions, and the tree of the present one."""

import re
from collections.abc import Sequence

from msgspec import DecodeError
from msgspec.json import decode

from codi.commands.beside import heard, told
from codi.commands.command import Desk, Do, Fail, Open, Outcome, Show
from codi.protocol.events import Entry, ForkedDelta, MessageAdded, StatusDelta, TitleGiven
from codi.protocol.messages import Message
from codi.protocol.ops import ClearContext, ForkAt, Navigate, Pin, Rename, Rewind

_NO_FILE = Fail("this session is kept in memory alone", "Leave --no-session away to keep it.")
_CODE = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1", re.DOTALL | re.MULTILINE)
_LONGEST_NAME = 60


async def sessions(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case [] | ["list"]:
            return await told(desk, "sessions", "list", empty="no sessions yet")
        case ["search", *query] if query:
            return await told(desk, "sessions", "search", *query, empty="nothing was found")
        case ["info"]:
            return await told(desk, "sessions", "show", desk.session_file) if desk.session_file else _NO_FILE
        case ["path"]:
            return Show(desk.session_file) if desk.session_file else _NO_FILE
        case ["dir"]:
            return await told(desk, "sessions", "dir")
        case ["rename", *name] if name:
            return _renamed(" ".join(name))
        case ["delete", *ids] if ids:
            if not await desk.confirm(f"Move {', '.join(ids)} to the trash?"):
                return Show("nothing was deleted")
            return await told(desk, "sessions", "delete", *ids, "--yes")
        case ["clear"]:
            return await _clear_all(desk)
    return Fail("usage: /sessions [list|search QUERY|info|delete ID|rename NAME|dir|path|clear]")


async def _clear_all(desk: Desk) -> Outcome:
    listed = await desk.subcommand("sessions", "list", "--json")
    try:
        rows = [decode(line, type=dict[str, object]) for line in listed.text.splitlines()]
    except DecodeError:
        return Fail("the sessions could not be listed", "Try `codi sessions list`.")
    others = [str(row["path"]) for row in rows if row.get("id") != desk.session_id]
    if not others:
        return Show("there is no other session")
    many = "1 session" if len(others) == 1 else f"{len(others)} sessions"
    if not await desk.confirm(f"Move {many} of this project to the trash? This one stays."):
        return Show("nothing was deleted")
    return await told(desk, "sessions", "delete", *others, "--yes")


async def resume(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Open("sessions")
    text = " ".join(words)
    found = await desk.subcommand("sessions", "path", text)
    if found.status == 0:
        return Open("session", found.text.strip())
    error, _, hint = found.error.partition("\nhint: ")
    if "Several sessions match" in error:
        return Open("sessions", text)
    return Fail(error.removeprefix("error: ").strip(), hint.strip())


async def new(words: Sequence[str], desk: Desk) -> Outcome:
    return Fail("usage: /new") if words else Open("session")


async def clear(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) > 1 or (words and words[0] not in ("all", "context", "history", "workingset", "files")):
        return Fail("usage: /clear [all|context|history|workingset|files]")
    if list(words) in (["workingset"], ["files"]):
        return await heard(desk, Pin("*" if words[0] == "workingset" else "", pinned=False))
    if list(words) == ["context"]:
        return Do((ClearContext(),))
    said = sum(isinstance(entry.fact, MessageAdded) for entry in desk.entries)
    if not said:
        return Show("nothing was said yet")
    many = "1 message" if said == 1 else f"{said} messages"
    return Do((Navigate(""),), f"{many} left the conversation; /tree goes back to them")


async def save(words: Sequence[str], desk: Desk) -> Outcome:
    if words:
        return _renamed(" ".join(words))
    return Show(f"this session is saved in {desk.session_file}") if desk.session_file else _NO_FILE


async def name(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case [] | ["show"]:
            given = [entry.fact.name for entry in desk.entries if isinstance(entry.fact, TitleGiven)]
            return Show(given[-1] if given and given[-1] else "this session has no name")
        case ["clear"]:
            return Do((Rename(""),), "this session has no name now")
        case ["auto"]:
            first = next((text for entry in desk.entries if (text := _prompt(entry))), "")
            if not first:
                return Fail("nothing was said yet", "Say something first, or give a name.")
            return _renamed(first[:_LONGEST_NAME].strip())
    return _renamed(" ".join(words))


async def tree(words: Sequence[str], desk: Desk) -> Outcome:
    return Fail("usage: /tree") if words else Open("tree")


async def fork(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) > 1:
        return Fail("usage: /fork [ENTRY]")
    return await _forked(ForkAt(words[0]), desk) if words else Open("fork")


async def clone(words: Sequence[str], desk: Desk) -> Outcome:
    return Fail("usage: /clone") if words else await _forked(ForkAt(), desk)


async def _forked(op: ForkAt, desk: Desk) -> Outcome:
    match await desk.answer(op):
        case ForkedDelta(path=path, prompt=prompt):
            return Open("session", path, prompt)
        case StatusDelta(text=text, hint=hint):
            return Fail(text, hint or "")
    return Fail("nothing became of the fork", "Try again.")


async def rewind(words: Sequence[str], desk: Desk) -> Outcome:
    named = [word for word in words if word != "--files"]
    if len(named) > 1 or (not named and words):
        return Fail("usage: /rewind [ENTRY] [--files]")
    if named and "--files" in words:
        return Do((Rewind(named[0]),))
    return Open("rewind", named[0] if named else "")


async def export(words: Sequence[str], desk: Desk) -> Outcome:
    if desk.session_file is None:
        return _NO_FILE
    if len(words) > 1:
        return Fail("usage: /export [PATH]")
    return await told(desk, "export", desk.session_file, *(("--out", words[0]) if words else ()))


async def bring_in(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) != 1:
        return Fail("usage: /import PATH")
    answered = await desk.subcommand("import", words[0], "--json")
    if answered.status:
        error, _, hint = answered.error.partition("\nhint: ")
        return Fail(error.removeprefix("error: ").strip(), hint.strip())
    try:
        rows = [decode(line, type=dict[str, object]) for line in answered.text.splitlines()]
    except DecodeError:
        rows = []
    paths = [str(row["path"]) for row in rows if row.get("path")]
    if len(paths) == 1:
        return Open("session", paths[0])
    return Show(f"{len(paths)} sessions were brought in; /resume lists them")


async def share(words: Sequence[str], desk: Desk) -> Outcome:
    if desk.session_file is None:
        return _NO_FILE
    if any(word not in ("--html", "--gist") for word in words):
        return Fail("usage: /share [--html|--gist]")
    held = await told(desk, "share", desk.session_file, *words, "--dry-run")
    if not isinstance(held, Show):
        return held
    if not await desk.confirm(f"{held.text}\nWrite it?"):
        return Show("nothing was written")
    return await told(desk, "share", desk.session_file, *words, "--yes")


async def copy(words: Sequence[str], desk: Desk) -> Outcome:
    answers = [
        entry.fact.message.text
        for entry in desk.entries
        if isinstance(entry.fact, MessageAdded)
        and entry.fact.message.role == "assistant"
        and entry.fact.message.text.strip()
    ]
    if not answers:
        return Fail("there is no answer yet", "Ask something first.")
    match list(words):
        case []:
            return Open("copy", answers[-1])
        case ["code"]:
            blocks = _CODE.findall(answers[-1])
            return Open("copy", blocks[-1][1]) if blocks else Fail("the last answer holds no block of code", "/copy")
        case [number] if number.isdecimal() and 1 <= int(number) <= len(answers):
            return Open("copy", answers[-int(number)])
    return Fail(f"usage: /copy [1-{len(answers)}|code]")


def _renamed(text: str) -> Outcome:
    text = " ".join(text.split())
    if len(text) > _LONGEST_NAME:
        return Fail(f"the name is {len(text)} characters long", f"Give at most {_LONGEST_NAME}.")
    return Do((Rename(text),), f"this session is called {text!r} now")


def _prompt(entry: Entry) -> str:
    match entry.fact:
        case MessageAdded(Message("user") as message) if not message.tool_results:
            return " ".join(message.text.split())
    return ""
