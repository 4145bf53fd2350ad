"""From the words of a command line to the command that they mean; and from an error to one line, a hint and an exit status."""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from itertools import takewhile

from codi.cli.painted import Painted
from codi.cli.words import COMMANDS, module_of
from codi.engine.garbage import begin_to_collect
from codi.frontends.sanitiser import visible_stream

_TROUBLES = {
    errno.ENOSPC: "Free some space where the output and codi's home are.",
    errno.EDQUOT: "Free some space where the output and codi's home are.",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f).",
    errno.EIO: "Look after the disk or the terminal that the output goes to.",
    errno.EMFILE: "Raise the limit on open files (ulimit -n).",
    errno.ENFILE: "Close other programs: the system has no file descriptors left.",
    errno.ENOMEM: "Close other programs, or raise the limit on memory (ulimit -v).",
}
"""What the machine may lack, and what mends it."""


def run(words: Sequence[str], opening: Painted | None = None) -> int:
    """Run the command; returns the exit status. `opening` is the prompt, where it was painted already."""
    try:
        _open_standard_streams()
        try:
            return _chosen(list(words), opening)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _give_up_output()  # whoever read it has heard enough
        return 0
    except Exception as error:  # noqa: BLE001 - the outermost ring: nobody is shown a traceback
        if opening:
            opening.withdraw()
        return _told(error, debug="--debug" in words, in_a_line=bool(opening))


def _open_standard_streams() -> None:
    """Whoever started codi may have closed them. Then the first file that is opened would take their place, and what is
    printed would be written into it. What a terminal's encoding lacks is printed as an escape."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stdout.isatty():
        sys.stdout = visible_stream(sys.stdout)
    sys.stderr = visible_stream(sys.stderr)  # it is for persons, wherever they read it


def _chosen(words: list[str], opening: Painted | None) -> int:
    if "--list-models" in takewhile(lambda word: word != "--", words):  # the older spelling of a command
        words.remove("--list-models")
        words = ["models", *words]
    if words and words[0] in ("--export", "--import"):  # and of two more
        words[0] = words[0][2:]
        words[2:3] = (
            ["--out", words[2]] if words[0] == "export" and len(words) > 2 and words[2][:1] != "-" else words[2:3]
        )
    name = words[0] if words else ""
    if name in COMMANDS:
        return _run(name, words[1:])
    if len(words) == 1 and name.isalpha() and (near := _near(name)):
        from codi.protocol.errors import UsageError

        raise UsageError(f"unknown command {name!r}", hint=f"Did you mean `codi {near}`? A prompt goes after `--`.")
    if _asks_for_help(words):
        return _run("help", words)
    # What this loads is garbage to nobody, and much more than is loaded by now: the reception has it collected.
    talk: Callable[[list[str], Painted | None], int] = import_module("codi.cli.chat").run
    return talk(words, opening)


def _asks_for_help(words: list[str]) -> bool:
    """Asked of `codi` itself, before anything of it is loaded."""
    return any(word in ("-h", "--help") for word in takewhile(lambda word: word != "--", words))


def _run(module: str, words: list[str]) -> int:
    run: Callable[[list[str]], int] = import_module(module_of(module)).run
    begin_to_collect()
    return run(words)


def _near(name: str) -> str | None:
    """The command that a single word was perhaps meant to be: at most two edits away."""
    return (
        next((command for command in COMMANDS if _distance(name.lower(), command) <= 2), None)
        if len(name) > 2
        else None
    )


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for at, character in enumerate(one, 1):
        row, above = [at], row
        for place, wanted in enumerate(other, 1):
            row.append(min(row[-1] + 1, above[place] + 1, above[place - 1] + (character != wanted)))
    return row[-1]


def _told(error: BaseException, *, debug: bool, in_a_line: bool = False) -> int:
    """`in_a_line` for a bug of the terminal interface: below what stands there is room for a line."""
    from codi.protocol.errors import CodiError

    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _told(error.exceptions[0], debug=debug, in_a_line=in_a_line)
    if debug:
        print(trace_of(error), end="", file=sys.stderr)
    if isinstance(error, CodiError):
        _print_error(str(error), error.hint)
        return error.exit_status
    if isinstance(error, OSError) and error.errno in _TROUBLES:
        _give_up_output()
        _print_error(": ".join(filter(None, (error.strerror, error.filename))), _TROUBLES[error.errno])
        return 1
    from codi.engine.vaults import without_secrets

    said, where = without_secrets(f"codi failed: {type(error).__name__}: {error}"), _logged(error)
    if in_a_line:
        with suppress(OSError):
            print(f"error: {' '.join(said.split())}; {where}", file=sys.stderr)
    else:
        _print_error(said, where)
    return 1


def trace_of(error: BaseException) -> str:
    """Where it went wrong, without the secrets that an error may name."""
    import traceback

    from codi.engine.vaults import without_secrets

    return without_secrets("".join(traceback.format_exception(error)))


def _give_up_output() -> None:
    """What is still to be printed goes nowhere, so that the interpreter has nothing to complain about at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _print_error(text: str, hint: str) -> None:
    with suppress(OSError):
        print(f"error: {text}\nhint: {hint}", file=sys.stderr)


def _logged(error: BaseException) -> str:
    from codi.cli.failures import keep

    try:
        return f"This is a bug of codi; the details are in {keep(trace_of(error))}."
    except OSError as trouble:
        return f"This is a bug of codi; it could not be logged ({trouble.strerror}). --debug shows it."
