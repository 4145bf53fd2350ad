"""The commands that ship with codi. A new one is one more value here, and the function that it names."""

from functools import cache

from codi.commands.command import Command, Form
from codi.commands.registry import Registry
from codi.commands.session_forms import SESSIONS

_GENERAL = (
    Command(
        "help",
        "commands, or how one of them is written",
        (
            Form("", "/help", "all commands by group"),
            Form("[command]", "/help model", "how a command is written", completes="command"),
        ),
        "codi.commands.general:show_help",
        aliases=("h",),
    ),
    Command(
        "exit",
        "leave; the conversation is kept",
        (Form("", "/exit"),),
        "codi.commands.general:leave",
        aliases=("quit", "q"),
    ),
    Command(
        "status",
        "model, mode, session and limits of this conversation",
        (Form("", "/status"),),
        "codi.commands.general:show_status",
        aliases=("info",),
    ),
    Command(
        "version",
        "the version of codi, of Python and the platform",
        (Form("", "/version"),),
        "codi.commands.general:show_version",
    ),
    Command(
        "config",
        "the configuration, as the subcommand",
        (
            Form("show", "/config show", "what is set"),
            Form("get KEY", "/config get model.thinking"),
            Form("set KEY VALUE", "/config set ui.theme dark"),
            Form("explain KEY", "/config explain model.thinking", "from where a value comes"),
        ),
        "codi.commands.beside:config",
        aliases=("cfg",),
        group="settings",
    ),
)
_MODEL = (
    Command(
        "model",
        "ask another model from now on",
        (Form("[[provider/]id[:thinking]]", "/model scripted/demo", "a picker without a name", completes="model"),),
        "codi.commands.choosing:model",
        aliases=("switch", "use", "model-switch"),
        during_turn="queue",
        group="model",
    ),
    Command(
        "models",
        "models that are known, with window and price",
        (Form("[search] [--provider P] [--local]", "/models claude"),),
        "codi.commands.beside:models",
        aliases=("list-models",),
        group="model",
    ),
    Command(
        "mode",
        "what happens unasked",
        (Form("[default|accept-edits|plan|read-only|full-access]", "/mode plan", completes="mode"),),
        "codi.commands.choosing:mode",
        aliases=("permission-mode",),
        group="safety",
    ),
)
_LEDGER = (
    Command(
        "undo",
        "take back what was changed, shown first",
        (
            Form("[N|turn]", "/undo 2", "the last turn that changed files, or the last N steps"),
            Form("--to STEP", "/undo --to 3", "everything after a step"),
            Form("--all", "/undo --all", "everything of this session"),
            Form("--path P", "/undo --path src/a.py", "of this file alone", completes="file"),
            Form("--dry-run", "/undo --dry-run", "only show it"),
            Form("--conversation", "/undo --conversation", "the conversation goes back as well"),
        ),
        "codi.commands.ledger:undo",
        aliases=("revert-file", "rf", "fileundo", "fu"),
        group="ledger",
    ),
    Command("redo", "put back what undo took", (Form("[N]", "/redo"),), "codi.commands.ledger:redo", group="ledger"),
    Command(
        "changes",
        "what became of each file, and by whom",
        (Form("[--json]", "/changes"),),
        "codi.commands.ledger:changes",
        aliases=("diff-status",),
        group="ledger",
    ),
    Command(
        "blame",
        "which prompt and call wrote each line",
        (Form("FILE[:LINE[-LINE]]", "/blame src/a.py:1-3", completes="file"),),
        "codi.commands.ledger:blame",
        group="ledger",
    ),
    Command(
        "bisect",
        "which step made a command fail",
        (Form("[--from A] [--to B] -- COMMAND", "/bisect -- true"),),
        "codi.commands.ledger:bisect",
        during_turn="refuse",
        group="ledger",
    ),
    Command(
        "snapshot",
        "the tree as it was: listed, named, compared, brought back",
        (
            Form("list", "/snapshot list"),
            Form("create [NAME]", "/snapshot create before"),
            Form("diff A [B]", "/snapshot diff s1"),
            Form("restore ID [PATH]... [--conversation]", "/snapshot restore s1"),
        ),
        "codi.commands.ledger:snapshot",
        aliases=("checkpoint", "snapshots"),
        group="ledger",
    ),
    Command(
        "evidence",
        "claims, and the runs that back them",
        (Form("", "/evidence"),),
        "codi.commands.facts:evidence",
        group="ledger",
    ),
    Command(
        "todo",
        "what is to be done, and how far it is",
        (Form("", "/todo"),),
        "codi.commands.facts:todo",
        aliases=("tasks", "todos"),
    ),
    Command(
        "doctor",
        "what works here, what is missing",
        (Form("[--fix]", "/doctor"),),
        "codi.commands.beside:doctor",
        aliases=("health",),
    ),
    Command(
        "theme",
        "how it looks",
        (Form("[name]", "/theme dark", completes="theme"),),
        "codi.commands.choosing:theme",
        group="settings",
    ),
    Command(
        "hotkeys",
        "what the keys do",
        (Form("", "/hotkeys"),),
        "codi.commands.choosing:hotkeys",
        aliases=("keys",),
        group="settings",
    ),
    Command(
        "login",
        "keep a key or sign in, as the subcommand says",
        (Form("", "/login"),),
        "codi.commands.beside:login",
        group="model",
    ),
    Command("tools", "the tools that are offered", (Form("[name]", "/tools"),), "codi.commands.beside:tools"),
)


@cache
def commands() -> Registry:
    return Registry((*_GENERAL, *_MODEL, *_LEDGER, *SESSIONS))
