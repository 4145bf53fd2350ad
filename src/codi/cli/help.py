"""`codi help`: of codi, of a command, of a flag, or of a key of the configuration."""

from collections.abc import Sequence
from importlib import import_module

from codi.cli.flags import Parser, parser
from codi.cli.words import COMMANDS, MODULES
from codi.protocol.errors import UsageError


def run(words: Sequence[str]) -> int:
    """Also what `codi --help` runs, whatever other flags stand beside it."""
    if not words or any(word in ("-h", "--help") for word in words):
        parser(COMMANDS).print_help()
        return 0
    topic, *more = words
    status = 0
    if topic in COMMANDS:
        status = import_module(f"codi.cli.{MODULES.get(topic, topic)}").run([*more, "--help"])
    elif topic.startswith("-"):
        _tell_flag(topic, more)
    elif "." in topic or topic == "permission_mode":
        status = import_module("codi.cli.config").run(["explain", topic, *more])
    else:
        there_are = f"There are {', '.join(COMMANDS)}; flags such as --model; keys such as model.default."
        raise UsageError(f"there is no help on {topic!r}", hint=there_are)
    return status


def _tell_flag(name: str, words: Sequence[str]) -> None:
    asked = Parser(prog="codi help")
    asked.add_argument("--json", action="store_true")
    args = asked.parse_args(words)
    flag = parser(COMMANDS).flag(name)
    usage = ", ".join(flag.option_strings) + (f" {flag.metavar}" if isinstance(flag.metavar, str) else "")
    if flag.choices:
        usage += f" {'|'.join(map(str, flag.choices))}"
    if args.json:
        from codi.cli.printing import print_json

        print_json({"flags": flag.option_strings, "usage": usage, "help": flag.help or ""})
    else:
        print(f"{usage}\n    {flag.help or ''}".rstrip())
