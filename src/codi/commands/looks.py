"""Commands that look at something by a subcommand or a tool, and no model is asked."""

from collections.abc import Sequence
from typing import Any

from msgspec import DecodeError, json

from codi.commands.beside import told
from codi.commands.command import Desk, Fail, Open, Outcome, Show

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


async def numbers(words: Sequence[str], desk: Desk) -> Outcome:
    if words and list(words) != ["session"]:
        return Fail("usage: /usage [session]")
    if desk.session_file is None:
        return _KEPT_ALONE
    if not desk.entries:
        return Show("nothing was said yet")
    return await told(desk, "sessions", "stats", desk.session_file)


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
