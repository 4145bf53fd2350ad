"""From the words of a command line to the command that they mean; and from an error to one line, a hint and an exit status."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import takewhile

COMMANDS = {
    "bisect": "which step made a command fail",
    "blame": "which prompt and call wrote each line of a file",
    "changes": "what became of each file, and by whom",
    "config": "what is set, where it comes from, and setting it",
    "demo": "the main job on a scripted model, with the real tools; needs no key",
    "help": "help of a command, a flag or a key of the configuration",
    "lab": "scripted model servers for trying and testing",
    "models": "models that are known, with window and price",
    "redo": "put back what undo took",
    "schema": "JSON Schemas of what codi prints",
    "sessions": "what was talked about, newest first",
    "snapshot": "the tree as it was: listed, compared, brought back",
    "tool": "list, show or run one tool, judged like a call of the model",
    "undo": "take back what the agent changed",
}


def run(words: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    try:
        return _chosen(list(words))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has heard enough; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the outermost ring: nobody is shown a traceback
        return _told(error, debug="--debug" in words)


def _chosen(words: list[str]) -> int:
    if "--list-models" in takewhile(lambda word: word != "--", words):  # the older spelling of a command
        words.remove("--list-models")
        words = ["models", *words]
    name = words[0] if words else ""
    if name in COMMANDS:
        return _run(name, words[1:])
    if len(words) == 1 and name.isalpha() and (near := _near(name)):
        from codi.protocol.errors import UsageError

        raise UsageError(f"unknown command {name!r}", hint=f"Did you mean `codi {near}`? A prompt goes after `--`.")
    return _run("help" if _asks_for_help(words) else "chat", words)


def _asks_for_help(words: list[str]) -> bool:
    """Asked of `codi` itself, before anything of it is loaded."""
    return any(word in ("-h", "--help") for word in takewhile(lambda word: word != "--", words))


def _run(module: str, words: list[str]) -> int:
    run: Callable[[list[str]], int] = import_module(f"codi.cli.{module}").run
    gc.freeze()
    gc.enable()
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


def _told(error: BaseException, *, debug: bool) -> int:
    from codi.protocol.errors import CodiError

    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _told(error.exceptions[0], debug=debug)
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, CodiError):
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_status
    print(f"error: codi failed: {type(error).__name__}: {error}\nhint: {_logged(error)}", file=sys.stderr)
    return 1


def _logged(error: BaseException) -> str:
    import time
    import traceback

    from codi.engine.places import codi_home

    path = os.path.join(codi_home(), "log", "failures.log")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(time.strftime("%Y-%m-%dT%H:%M:%S\n") + "".join(traceback.format_exception(error)))
    except OSError as trouble:
        return f"This is a bug of codi; it could not be logged ({trouble.strerror}). --debug shows it."
    return f"This is a bug of codi; the details are in {path}."
