"""The commands that ship with codi. A new one is one more value here, and the function that it names."""

from functools import cache

from codi.commands.command import Command, Form
from codi.commands.look_forms import LOOKS
from codi.commands.prompt_forms import PROMPTS
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
    Command(
        "trust",
        "what the project brings, and which of it is obeyed",
        (
            Form("[show]", "/trust", "each item with its state"),
            Form("accept [ITEM...]", "/trust accept verify", "from the next start on"),
            Form("revoke [ITEM...]", "/trust revoke verify"),
        ),
        "codi.commands.beside:trust",
        group="safety",
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
        "scoped-models",
        "the models that cycling offers",
        (
            Form("", "/scoped-models", "those of model.favourites, or of --models"),
            Form("next|back", "/scoped-models next", "go to the next one, or back"),
        ),
        "codi.commands.choosing:scoped_models",
        group="model",
    ),
    Command(
        "thinking",
        "how long the model thinks",
        (Form("[off|minimal|low|medium|high|xhigh]", "/thinking low", completes="thinking"),),
        "codi.commands.choosing:thinking",
        aliases=("think",),
        group="model",
    ),
    Command(
        "modelmap",
        "models under names of your own, and what each is for",
        (
            Form("show", "/modelmap show"),
            Form("check", "/modelmap check", "whether all of it holds"),
            Form("add [--global] NAME PROVIDER MODEL", "/modelmap add quick anthropic claude-haiku-4-5"),
            Form("init", "/modelmap init", "a map to begin with"),
            Form("example", "/modelmap example"),
        ),
        "codi.commands.beside:modelmap",
        aliases=("mm", "models-map"),
        group="model",
    ),
    Command(
        "pipeline",
        "run a pipeline of the model map over a text or files",
        (
            Form("", "/pipeline", "those that there are"),
            Form(
                "[--provider P] [--all|--iterative] [--triage|--triage-only] [--concurrency N] NAME [INPUT]",
                "/pipeline --triage-only review src",
            ),
        ),
        "codi.commands.beside:pipeline",
        kind="prompt",
        aliases=("pipe", "run-pipeline"),
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
    Command(
        "policy",
        "the rules of what is allowed: shown, tried, added, removed",
        (
            Form("[list]", "/policy list", "--sets shows the named sets, --rules what is in force"),
            Form("test cmd", "/policy test make", "whether it would be allowed"),
            Form("explain cmd", "/policy explain ls && make", "each part, the rules that match, and what decides"),
            Form("add RULE", "/policy add run(make test)", "--deny, --ask; --project for this project alone"),
            Form("rm id", "/policy rm r1"),
            Form("export", "/policy export"),
            Form("import file", "/policy import rules.json", completes="file"),
        ),
        "codi.commands.rules:policy",
        group="safety",
    ),
    Command(
        "approvals",
        "the same rules, by what they are about",
        (
            Form("[list]", "/approvals list"),
            Form("add pattern|path|category v", "/approvals add category run-tests"),
            Form("remove pattern|path|category v", "/approvals remove path docs/**"),
            Form("sets", "/approvals sets", "the named sets"),
        ),
        "codi.commands.rules:approvals",
        aliases=("approved", "approval"),
        group="safety",
    ),
    Command(
        "allow",
        "allow something for this session",
        (Form("RULE", "/allow run(make *)"),),
        "codi.commands.rules:allow",
        group="safety",
    ),
    Command(
        "deny",
        "deny something for this session",
        (Form("RULE", "/deny run(git push *)"),),
        "codi.commands.rules:deny",
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
        "diff",
        "what a turn changed, or how the working tree differs",
        (
            Form("", "/diff", "from the last commit, or from the session's beginning"),
            Form("TURN [PATH]", "/diff 1", "what this turn changed"),
            Form("REF [PATH]", "/diff HEAD", "from a commit, a branch or a tag of git", completes="branch"),
            Form("PATH", "/diff src/a.py", "of this file alone", completes="file"),
        ),
        "codi.commands.ledger:diff",
        group="ledger",
    ),
    Command(
        "filehistory",
        "the files that were changed, and each version of one",
        (
            Form("[FILE]", "/filehistory src/a.py", "step by step, with what changed", completes="file"),
            Form("status", "/filehistory status", "what is kept, and how much room it takes"),
            Form("dir", "/filehistory dir", "where it is kept"),
            Form("clear", "/filehistory clear", "forget names of snapshots that are too old, or too many; asks"),
        ),
        "codi.commands.ledger:file_history",
        aliases=("fh",),
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
            Form("delete ID", "/snapshot delete s1", "forget its name; asks"),
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
        (
            Form("[list]", "/todo"),
            Form("done N", "/todo done 1", "the item at this place is done"),
            Form("clear", "/todo clear", "nothing is to be done any more"),
        ),
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
        "sandbox",
        "how far commands are confined",
        (
            Form("[status]", "/sandbox", "what holds here, and why not more"),
            Form("off", "/sandbox off", "not at all"),
            Form("auto", "/sandbox auto", "as well as this machine can"),
            Form("require", "/sandbox require", "or no command runs"),
        ),
        "codi.commands.choosing:sandbox",
        group="settings",
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
        "sign in to a service, or keep a key for it",
        (
            Form("", "/login", "which key or login counts for each service"),
            Form("NAME [--device]", "/login anthropic", "in the browser, by a code, or with a key"),
        ),
        "codi.commands.beside:login",
        group="model",
    ),
    Command(
        "logout",
        "remove a key or login from every store",
        (Form("NAME|--all", "/logout anthropic"),),
        "codi.commands.beside:logout",
        group="model",
    ),
    Command("tools", "the tools that are offered", (Form("[name]", "/tools"),), "codi.commands.beside:tools"),
)


_TURN = (
    Command(
        "queue",
        "what was said and waits",
        (
            Form("[list]", "/queue", "all of it, numbered"),
            Form("drop N", "/queue drop 1"),
            Form("edit N [TEXT]", "/queue edit 1 in other words", "without a text it comes back into the editor"),
            Form("clear", "/queue clear"),
        ),
        "codi.commands.waiting:queue",
        group="turn",
    ),
    Command(
        "retry",
        "ask the last prompt again, on a new branch",
        (Form("", "/retry"),),
        "codi.commands.waiting:retry",
        kind="prompt",
        during_turn="refuse",
        group="turn",
    ),
    Command(
        "budget",
        "the limits of this run, and what of them is used",
        (
            Form("", "/budget"),
            Form("cost USD", "/budget cost 2.50"),
            Form("turns N", "/budget turns 50", "steps in a turn"),
            Form("time S", "/budget time 600", "seconds for a turn"),
            Form("off", "/budget off", "those of the start again"),
        ),
        "codi.commands.limits:budget",
        group="turn",
    ),
)
_CONTEXT = (
    Command(
        "context", "what fills the context", (Form("", "/context"),), "codi.commands.context:show", group="context"
    ),
    Command(
        "compact",
        "say the earlier conversation shorter",
        (
            Form("[instructions] [--llm] [--mechanical] [--force]", "/compact keep the names"),
            Form("preview", "/compact preview", "what would stay and go; nothing is written"),
            Form("status", "/compact status", "what the last one kept and dropped"),
            Form("undo [entry]", "/compact undo", "take it back, or bring one entry back"),
            Form("auto on|off", "/compact auto on", "whether room is made without being asked"),
            Form("compress on|off", "/compact compress off", "stand-ins for long values that recur"),
        ),
        "codi.commands.context:compact",
        aliases=("summarize", "compress", "compression"),
        during_turn="queue",
        group="context",
    ),
    Command(
        "clear",
        "begin anew; what was said stays in the tree, or, with `context`, in the conversation alone",
        (Form("[all|context|history]", "/clear"),),
        "codi.commands.sessions:clear",
        during_turn="refuse",
        group="context",
    ),
    Command(
        "pin",
        "hold an entry or a file in the context",
        (Form("[entry|file]", "/pin README.md", completes="file"),),
        "codi.commands.context:pin",
        group="context",
    ),
    Command(
        "unpin",
        "let go of what is pinned",
        (Form("[entry|file]", "/unpin README.md", completes="file"),),
        "codi.commands.context:unpin",
        group="context",
    ),
    Command(
        "open",
        "pin a file",
        (Form("[file]", "/open README.md", completes="file"),),
        "codi.commands.context:pin",
        group="context",
    ),
    Command(
        "close",
        "let go of a file",
        (Form("[file]", "/close README.md", completes="file"),),
        "codi.commands.context:unpin",
        group="context",
    ),
    Command(
        "files",
        "pinned and recent files",
        (Form("", "/files"),),
        "codi.commands.context:files",
        aliases=("open-list",),
        group="context",
    ),
    Command(
        "context-max",
        "take the model's window to be so many tokens",
        (Form("N", "/context-max 100000"),),
        "codi.commands.context:window",
        group="context",
    ),
    Command(
        "remember",
        "keep a fact for later sessions",
        (Form("[category:] fact [--project|--user]", "/remember style: tabs"),),
        "codi.commands.context:remember",
        aliases=("mem", "note"),
        group="memory",
    ),
    Command(
        "forget",
        "forget what is remembered: listed, then asked",
        (Form("id|pattern", "/forget tabs"),),
        "codi.commands.context:forget",
        aliases=("unmem",),
        group="memory",
    ),
    Command(
        "memories",
        "what is remembered",
        (
            Form("[query]", "/memories"),
            Form("edit ID fact", "/memories edit 1a2b3c4d spaces"),
            Form("consolidate", "/memories consolidate", "facts of this conversation, each kept if you say so"),
        ),
        "codi.commands.context:memories",
        aliases=("mems", "memory"),
        group="memory",
    ),
    Command(
        "profile",
        "who you are, as models are told",
        (
            Form("", "/profile"),
            Form("set KEY VALUE", "/profile set name Ada"),
            Form("unset KEY", "/profile unset name"),
        ),
        "codi.commands.context:profile",
        aliases=("me",),
        group="memory",
    ),
)


@cache
def commands() -> Registry:
    return Registry((*_GENERAL, *_MODEL, *_TURN, *_LEDGER, *_CONTEXT, *SESSIONS, *PROMPTS, *LOOKS))
