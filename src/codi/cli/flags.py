"""The flags of `codi` without a subcommand, and what they mean for settings and for this one start."""

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Literal, NoReturn

from codi.protocol.errors import UsageError

LEVELS = ("off", "minimal", "low", "medium", "high", "xhigh")
LONGEST_NAME = 60
"""Of a session, in characters."""
MODES = ("default", "accept-edits", "plan", "read-only", "full-access")


_OLDER = """older spellings:
  -t LIST                       --tools LIST
  -nt                           --no-tools
  -nc                           --no-context-files
  --approve, --no-approve       --trust-project, --no-trust
  --list-models [SEARCH]        models [SEARCH]
  --plain                       --ui plain --print"""


@cache
def _columns() -> int:
    """The width for help as argparse finds it, but not anew for each flag, and without loading all kinds of archives for it."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns) - 2
    try:
        return (os.get_terminal_size(sys.__stdout__.fileno()).columns or 80) - 2  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 78


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, width=_columns())


class Parser(argparse.ArgumentParser):
    """Refuses abbreviations, and says what an unknown flag was perhaps meant to be. `scattered` is the argument whose words
    may stand anywhere between the flags."""

    def __init__(self, *, scattered: str = "", **more: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **more)
        self._scattered = scattered

    def parse_args(self, words: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        found, left = self.parse_known_args(words, namespace)
        end = left.index("--") if "--" in left else len(left)
        flags = [word for word in left[:end] if word.startswith("-") and word != "-"]
        if flags or (left and not self._scattered):
            flag = (flags or left)[0].partition("=")[0]
            raise UsageError(f"unknown argument {flag}", hint=self._nearest(flag))
        if left:
            getattr(found, self._scattered).extend([*left[:end], *left[end + 1 :]])
        return found

    def flag(self, name: str) -> argparse.Action:
        """What the help tells of the flag, in whatever spelling; raises UsageError where there is none."""
        for action in self._actions:
            if name in action.option_strings:
                told = (
                    other for other in self._actions if other.dest == action.dest and other.help != argparse.SUPPRESS
                )
                return next(told, action)
        raise UsageError(f"there is no flag {name}", hint=self._nearest(name))

    def _nearest(self, name: str) -> str:
        from difflib import get_close_matches  # for an error alone

        known = [option for action in self._actions for option in action.option_strings]
        near = get_close_matches(name, known, n=2)
        return f"Did you mean {' or '.join(near)}?" if near else f"`{self.prog} --help` lists the flags."

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"`{self.prog} --help` shows how it is used.")


def add_general(parser: argparse.ArgumentParser) -> None:
    """What every subcommand takes."""
    parser.add_argument("--json", action="store_true", help="one JSON object; one a line for lists")
    parser.add_argument("--cwd", metavar="DIR", help="the working directory")
    parser.add_argument("-q", "--quiet", action="store_true", help="nothing but the result")


def action_of(words: Sequence[str], actions: Collection[str], usual: str) -> tuple[str, list[str]]:
    """The action that the first word names, else the usual one; and the words that are left."""
    if words and words[0] in actions:
        return words[0], list(words[1:])
    return usual, list(words)


def parser(commands: dict[str, str]) -> Parser:
    width = max(map(len, commands))
    listed = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in commands.items())
    flags = Parser(
        prog="codi",
        scattered="prompt",
        usage="codi [OPTIONS] [PROMPT...] [@FILE...]\n       codi COMMAND ...",
        description="The coding agent you can take back.",
        epilog=f"commands:\n{listed}\n\n{_OLDER}\n\nA prompt that begins like a command goes after `--`.",
    )
    add = flags.add_argument
    add("prompt", nargs="*", metavar="PROMPT", help="what to do; @FILE puts a file's text in; - reads standard input")
    run = flags.add_argument_group("running")
    run.add_argument("-p", "--print", action="store_true", help="one shot: the answer on standard output")
    run.add_argument("-P", "--prompt", dest="shot", action="append", metavar="TEXT", help="one shot with this prompt")
    run.add_argument(
        "-f",
        "--output-format",
        choices=("text", "json", "stream-json"),
        help="text: the answer; json: one object; stream-json: a line an event",
    )
    run.add_argument("--plain", dest="print", action="store_true", help=argparse.SUPPRESS)
    run.add_argument("--mode", choices=("text", "json"), help="as --print with text, or with stream-json")
    run.add_argument("--cwd", metavar="DIR", help="the working directory")
    run.add_argument("-q", "--quiet", action="store_true", help="no progress on standard error")
    run.add_argument("-v", "--verbose", action="store_true", help="say which model was chosen and why")
    run.add_argument("--debug", action="store_true", help="show tracebacks")
    run.add_argument("--print-prompt", action="store_true", help="print the system prompt with the origin of each part")
    run.add_argument("-V", "--version", action="store_true", help="print the version")

    display = flags.add_argument_group("display")
    display.add_argument(
        "--ui", choices=("auto", "tui", "plain"), help="the whole interface, or lines that only follow each other"
    )
    display.add_argument("--theme", metavar="NAME|PATH", help="how the interface looks")
    display.add_argument("--no-color", action="store_true", help="no colours; as NO_COLOR in the environment")

    model = flags.add_argument_group("model")
    model.add_argument(
        "-m", "--model", metavar="[PROVIDER/]ID[:THINKING]", help="the model; PROVIDER may be a wire format"
    )
    model.add_argument("--provider", metavar="NAME", help="the service")
    model.add_argument("--base-url", metavar="URL", help="the address of the service")
    model.add_argument(
        "--endpoint-id", metavar="ID", help="the endpoint, where the service's address holds one (runpod)"
    )
    model.add_argument("--api-key", metavar="SOURCE", help="where the key comes from: -, fd:N, env:NAME or !COMMAND")
    model.add_argument("--thinking", choices=LEVELS, help="how long to think")
    model.add_argument("--context-window", type=int, metavar="N", help="the model's window in tokens")
    model.add_argument("--compress", action="store_true", default=None, help="stand-ins for long values that recur")

    model.add_argument("--models", metavar="GLOBS", help="the models that cycling offers")
    model.add_argument("--summarize-model", metavar="M", help="the model that sums up")
    model.add_argument("--title-model", metavar="M", help="the model that finds titles")
    model.add_argument("--record", metavar="FILE", help="take down what the service answers")
    model.add_argument("--replay", metavar="FILE", help="answer from what was taken down, without a network")

    session = flags.add_argument_group("session")
    session.add_argument(
        "-c", "--continue", dest="go_on", action="store_true", help="the newest session of this directory"
    )
    session.add_argument("-r", "--resume", nargs="?", const="", metavar="ID|NAME", help="that session")
    session.add_argument("-s", "--session", metavar="PATH|ID", help="that session; a missing path is an error")
    session.add_argument("--fork", metavar="PATH|ID[@ENTRY]", help="a copy of that session")
    session.add_argument("--no-session", action="store_true", help="keep nothing on disk")
    session.add_argument("--session-id", metavar="ID", help="the id of a new session")
    session.add_argument("--session-dir", metavar="DIR", help="the folder of sessions")
    session.add_argument("--name", metavar="TEXT", help="the session's name")

    safety = flags.add_argument_group("permissions")
    safety.add_argument("--permission-mode", choices=MODES, help="what needs no approval")
    safety.add_argument(
        "-y", "--yes", action="store_true", help="accept what is asked, except what is denied or dangerous"
    )
    safety.add_argument(
        "--allow", action="append", default=[], metavar="RULE", help="for example run(npm test), write(src/**)"
    )
    safety.add_argument("--deny", action="append", default=[], metavar="RULE", help="deny wins")
    safety.add_argument(
        "--require-permission", choices=("yes", "no"), default="yes", help="no: exit 0 although a permission was denied"
    )
    safety.add_argument("--trust-project", action="store_true", help="obey the project's configuration in this run")
    safety.add_argument("--approve", dest="trust_project", action="store_true", help=argparse.SUPPRESS)
    safety.add_argument("--no-trust", action="store_true", help="ignore it in this run")
    safety.add_argument("--no-approve", dest="no_trust", action="store_true", help=argparse.SUPPRESS)
    safety.add_argument(
        "--sandbox",
        choices=("off", "auto", "require"),
        help="confine commands: not at all, as well as possible, or else run none",
    )
    safety.add_argument("--audit", action="store_true", help="keep a chained record of what is asked, decided and done")
    safety.add_argument("--offline", action="store_true", help="no network beyond this machine")

    tools = flags.add_argument_group("tools and context")
    tools.add_argument("--tools", metavar="LIST", help="exactly these tools")
    tools.add_argument("-t", dest="tools", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    tools.add_argument("--exclude-tools", metavar="LIST", help="without these")
    tools.add_argument("--no-tools", action="store_true", help="none")
    tools.add_argument("-nt", dest="no_tools", action="store_true", help=argparse.SUPPRESS)
    tools.add_argument("--tool-profile", choices=("auto", "full", "minimal", "nano"), help="a set by size of model")
    tools.add_argument("--add-dir", action="append", default=[], metavar="DIR", help="a further directory to work in")
    tools.add_argument("--system-prompt", metavar="TEXT|@FILE", help="in place of role and rules")
    tools.add_argument("--append-system-prompt", action="append", default=[], metavar="TEXT|@FILE", help="after them")
    tools.add_argument("--no-context-files", action="store_true", help="ignore AGENTS.md and the like")
    tools.add_argument("-nc", dest="no_context_files", action="store_true", help=argparse.SUPPRESS)
    tools.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="any setting")
    tools.add_argument("--profile", metavar="NAME", help="a profile of the configuration")

    proof = flags.add_argument_group("evidence")
    proof.add_argument(
        "--require-evidence", action="store_true", help="exit 4 if the answer claims what no run or change backs"
    )
    proof.add_argument(
        "--verify", action="append", metavar="CMD", help="must pass before a turn that changed files ends"
    )

    limits = flags.add_argument_group("limits (exit status 124)")
    limits.add_argument("--max-turns", type=int, metavar="N", help="steps")
    limits.add_argument("--max-cost", type=float, metavar="USD")
    limits.add_argument("--max-cost-unknown", choices=("ok",), help="allow a model without a price under --max-cost")
    limits.add_argument("--max-time", type=float, metavar="S", help="seconds a turn may take")
    limits.add_argument("--max-tokens", type=int, metavar="N")
    return flags


def check(args: Any) -> None:
    """Refuse what contradicts itself, naming both."""
    one_session = {
        "--no-session": args.no_session,
        "--continue": args.go_on,
        "--resume": args.resume is not None,
        "--session": args.session is not None,
        "--fork": args.fork is not None,
    }
    new_one = {
        "--session-id": args.session_id,
        **{flag: given for flag, given in one_session.items() if flag in ("--continue", "--resume", "--session")},
    }
    for given in (
        one_session,
        {"--session-id": args.session_id} | new_one,
        {"--no-tools": args.no_tools, "--tools": args.tools is not None},
        {"--trust-project": args.trust_project, "--no-trust": args.no_trust},
        {"--output-format": args.output_format, "--mode": args.mode},
        {"--record": args.record, "--replay": args.replay},
        {"--ui tui": args.ui == "tui", "--print": args.print},
        {"--ui tui": args.ui == "tui", "--prompt": args.shot},
    ):
        named = [flag for flag, is_given in given.items() if is_given]
        if len(named) > 1:
            raise UsageError(f"{named[0]} and {named[1]} contradict each other", hint="Give one of them.")
    if args.ui == "tui" and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--ui tui needs a terminal", hint="Use --ui plain, or -p for one shot.")
    if args.tools is not None and not args.tools.replace(",", " ").split():
        raise UsageError("--tools names no tool", hint="Name some, or use --no-tools.")
    if args.name and len(args.name) > LONGEST_NAME:
        raise UsageError(f"--name is {len(args.name)} characters long", hint=f"Give at most {LONGEST_NAME}.")
    if args.session_id is not None and not _is_id(args.session_id):
        raise UsageError(
            f"--session-id: {args.session_id!r} cannot be the id of a session",
            hint="Give 4 to 64 letters, digits, - or _.",
        )
    for folder in args.add_dir:
        if not os.path.isdir(folder):
            raise UsageError(f"--add-dir: not a directory: {folder}", hint="Name one that exists.")
    if args.api_key and not args.api_key.startswith(("-", "fd:", "env:", "!")):
        raise UsageError(
            "--api-key takes no key itself, for others can read the command line",
            hint="Give -, fd:N, env:NAME or !COMMAND, or set the variable of the service.",
        )


def _is_id(text: str) -> bool:
    return 4 <= len(text) <= 64 and text.isascii() and text.replace("-", "x").replace("_", "x").isalnum()


def settings_of(args: Any) -> dict[str, Any]:
    """The settings that these flags set, by their dotted names."""
    named = {
        "model.default": args.model,
        "model.provider": args.provider,
        "model.base_url": args.base_url,
        "model.thinking": args.thinking,
        "model.context_window": args.context_window,
        "model.favourites": args.models and [name.strip() for name in args.models.split(",") if name.strip()],
        "tasks.summarize": args.summarize_model,
        "tasks.title": args.title_model,
        "context.compress": args.compress,
        "ui.theme": args.theme,
        "permission_mode": args.permission_mode,
        "profile": args.profile,
        "tools.profile": args.tool_profile,
        "verify": args.verify,
        "sessions.dir": args.session_dir and os.path.abspath(args.session_dir),
        "agent.max_steps": args.max_turns,
        "agent.max_cost": args.max_cost,
        "agent.max_time_s": args.max_time,
        "agent.max_tokens": args.max_tokens,
        "agent.max_cost_unknown": True if args.max_cost_unknown else None,
        "sandbox.mode": args.sandbox,
        "network.offline": True if args.offline else None,
        "audit.enabled": True if args.audit else None,
        "workspace.extra_dirs": [os.path.abspath(folder) for folder in args.add_dir] or None,
    }
    return {name: value for name, value in named.items() if value is not None}


def how_trusted(args: Any) -> Literal["pinned", "all", "none"]:
    """What of the project is obeyed in this run."""
    return "all" if args.trust_project else "none" if getattr(args, "no_trust", False) else "pinned"


def text_or_file(text: str) -> str:
    """`@FILE` is the text of that file. Raises UsageError where it cannot be read."""
    if not text.startswith("@"):
        return text
    try:
        with open(text[1:], encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{text[1:]} cannot be read: {error}", hint="Name a text file after the @.") from error


def is_interactive(args: Any) -> bool:
    """Whether somebody talks: at a terminal, or, where lines are asked for, through a pipe."""
    shot = args.print or args.shot or args.output_format or args.mode
    return not shot and (args.ui == "plain" or (sys.stdin.isatty() and sys.stdout.isatty()))
