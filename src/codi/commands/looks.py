"""Commands that look at something by a subcommand or a tool, and no model is asked."""

from collections.abc import Sequence
from typing import Any

from msgspec import DecodeError, json

from codi.commands.beside import told
from codi.commands.command import Desk, Fail, Open, Outcome, Show
from codi.commands.prompts import init
from codi.protocol.events import MessageAdded

_SPANS = {"today": "1d", "week": "7d", "month": "30d", "all": "", "recent": ""}
_RECENT = 10
_TUNED = {
    "profile": "tools.profile",
    "temperature": "model.temperature",
    "top_p": "model.top_p",
    "max_output": "model.max_output",
}
_MOST_PATCHES = 20
_CONTEXT_FILE = "AGENTS.md"
_KEPT_ALONE = Fail("this session is kept in memory alone", "Leave --no-session away to keep it.")


async def settings(words: Sequence[str], desk: Desk) -> Outcome:
    return Fail("usage: /settings", "/config get KEY shows one of them.") if words else Open("settings")


async def reload(words: Sequence[str], desk: Desk) -> Outcome:
    """What the files say now of the interface; all else counts from the next start, or by a command of its own."""
    if words:
        return Fail("usage: /reload")
    checked = await desk.subcommand("config", "check")
    if checked.status:
        return Fail((checked.error or checked.text).strip().removeprefix("error: "), "Mend it, then /reload.")
    listed = await desk.subcommand("config", "list", "--json")
    rows = (json.decode(line, type=dict[str, Any]) for line in listed.text.splitlines())
    ui: dict[str, Any] = {"keys": {}}
    for row in rows:
        section, _, name = str(row["key"]).partition(".")
        if section == "ui" and name.startswith("keys."):
            ui["keys"][name.removeprefix("keys.")] = row["value"]
        elif section == "ui" and name != "keys":
            ui[name] = row["value"]
    return Open("reload", json.encode(ui).decode())


async def provider(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case [] | ["list"]:
            return await told(desk, "models", "providers")
        case ["setup"]:
            status = await told(desk, "auth", "status", empty="no key is kept")
            text = status.text if isinstance(status, Show) else ""
            return Show(f"{text}\nTo keep a key or sign in, /login NAME".strip(), "services")
    return Fail("usage: /provider [list|setup]")


async def grep(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Fail("usage: /grep PATTERN [PATH]", "A pattern with spaces goes in quotes.")
    return await _called(desk, "grep", {"pattern": words[0], **({"path": words[1]} if words[1:] else {})})


async def find(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) != 1:
        return Fail("usage: /find GLOB")
    pattern = words[0] if any(sign in words[0] for sign in "*?[") else f"**/*{words[0]}*"
    return await _called(desk, "glob", {"pattern": pattern})


async def usage(words: Sequence[str], desk: Desk) -> Outcome:
    """Of this session; or of all sessions of this project that were last used in a span of time."""
    first, *rest = words or ["session"]
    if rest or first not in ("session", *_SPANS):
        return Fail(f"usage: /usage [session|{'|'.join(_SPANS)}]")
    if first == "session":
        return await numbers((), desk)
    since = _SPANS[first]
    listed = await desk.subcommand("sessions", "list", "--json", *(("--since", since) if since else ()))
    if listed.status:
        return Fail(listed.error.removeprefix("error: ").strip())
    rows = [json.decode(line, type=dict[str, Any]) for line in listed.text.splitlines()]
    rows = rows[:_RECENT] if first == "recent" else rows
    costs = [row.get("cost") for row in rows]
    known = sum(cost for cost in costs if cost is not None)
    unknown = sum(cost is None for cost in costs)
    total = f"${known:.4f}" + (f", and {unknown} without a price" if unknown else "")
    lines = [_usage_of(row) for row in rows] if first == "recent" else []
    tokens, turns = (sum(int(row.get(name) or 0) for row in rows) for name in ("tokens", "turns"))
    many = "1 session" if len(rows) == 1 else f"{len(rows)} sessions"
    return Show("\n".join([*lines, f"{first}: {many}, {turns} turns, {tokens} tokens, {total}"]), "usage")


def _usage_of(row: dict[str, Any]) -> str:
    cost = "$?" if row.get("cost") is None else f"${row['cost']:.4f}"
    return f"{str(row.get('id'))[-12:]}  {row.get('turns') or 0} turns  {row.get('tokens') or 0} tokens  {cost}  {row.get('title') or ''}".rstrip()


async def numbers(words: Sequence[str], desk: Desk) -> Outcome:
    if words:
        return Fail("usage: /stats")
    if desk.session_file is None:
        return _KEPT_ALONE
    if not desk.entries:
        return Show("nothing was said yet")
    return await told(desk, "sessions", "stats", desk.session_file)


async def tune(words: Sequence[str], desk: Desk) -> Outcome:
    """What is sent with each request beside the conversation; it counts from the next start, as all that is configured."""
    match list(words):
        case []:
            rows = [(name, (await desk.subcommand("config", "get", key)).text.strip()) for name, key in _TUNED.items()]
            return Show("\n".join(f"{name:<12} {value or 'as the model has it'}" for name, value in rows), "tune")
        case [name, "off"] if name in _TUNED:
            return await told(desk, "config", "unset", _TUNED[name], empty=f"{name} is as the model has it")
        case [name, value] if name in _TUNED:
            return await told(
                desk, "config", "set", _TUNED[name], value, empty=f"{name} is {value} from the next start on"
            )
    return Fail(f"usage: /tune [{'|'.join(_TUNED)} VALUE|off]")


async def patches(words: Sequence[str], desk: Desk) -> Outcome:
    """The last diffs of this conversation, the newest first."""
    found = [
        (result.tool or "tool", str(result.details["diff"]))
        for entry in desk.entries
        if isinstance(entry.fact, MessageAdded)
        for result in entry.fact.message.tool_results
        if isinstance(result.details, dict) and result.details.get("diff")
    ][: -_MOST_PATCHES - 1 : -1]
    match list(words):
        case [] | ["list"]:
            lines = [f"{number}. {tool}, {_counted(diff)}" for number, (tool, diff) in enumerate(found, 1)]
            return Show("\n".join(lines) or "nothing was edited yet", "patches")
        case ["show", number] if number.isdecimal() and 1 <= int(number) <= len(found):
            return Show(found[int(number) - 1][1], f"patch {number}")
        case ["show", _]:
            return Fail("there is no such patch", "/patches lists them.")
    return Fail("usage: /patches [list|show N]")


def _counted(diff: str) -> str:
    lines = diff.splitlines()
    return f"+{sum(line.startswith('+') for line in lines)} -{sum(line.startswith('-') for line in lines)}"


async def explorer(words: Sequence[str], desk: Desk) -> Outcome:
    return Fail("usage: /explorer") if words else Open("files")


async def pick_image(words: Sequence[str], desk: Desk) -> Outcome:
    """What is put into the editor goes with the prompt that is written there."""
    if not words:
        return Open("files", "image")
    path = " ".join(words)
    return Open("put", text=f'@"{path}" ' if " " in path else f"@{path} ")


async def context_file(words: Sequence[str], desk: Desk) -> Outcome:
    """The file that tells a model of the project. What is generated is shown as a diff and approved as every edit is."""
    match list(words):
        case [] | ["show"]:
            return await _called(desk, "read", {"path": _CONTEXT_FILE})
        case ["generate"]:
            return await init((), desk)
    return Fail("usage: /context-file [show|generate]")


async def bug(words: Sequence[str], desk: Desk) -> Outcome:
    """What a report needs, without secrets; it stays on this machine."""
    if words:
        return Fail("usage: /bug")
    if desk.session_file is None:
        return _KEPT_ALONE
    return await told(desk, "bundle", desk.session_file, "--yes")


async def debug(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case [] | ["log", "path"]:
            return await told(desk, "log", "path")
        case ["prompt"]:
            return await told(desk, "--print-prompt")
    return Fail("usage: /debug [prompt|log path]")


async def _called(desk: Desk, tool: str, arguments: dict[str, Any]) -> Outcome:
    """What a tool answers that only looks; judged like a call of the model."""
    answered = await desk.subcommand("tool", "call", tool, json.encode(arguments).decode(), "--json")
    try:
        result = json.decode(answered.text, type=dict[str, Any])
    except DecodeError:
        error, _, hint = answered.error.partition("\nhint: ")
        return Fail(error.removeprefix("error: ").strip() or f"{tool} gave no answer", hint.strip())
    text = "\n".join(str(block.get("text", "")) for block in result.get("content", ())).strip()
    return Fail(text) if result.get("isError") else Show(text or "nothing was found", tool)
