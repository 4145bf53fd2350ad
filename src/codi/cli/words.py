"""The words that a command line may begin with, and the flags that say that nobody sits at a terminal.

They stand apart because they are looked at before anything else is loaded.
"""

COMMANDS = {
    "audit": "the chained record of what was asked, decided and done",
    "auth": "keys and logins: kept, shown without their values, removed",
    "bisect": "which step made a command fail",
    "bundle": "a session with all that a bug report needs; without secrets",
    "blame": "which prompt and call wrote each line of a file",
    "changes": "what became of each file, and by whom",
    "config": "what is set, where it comes from, and setting it",
    "demo": "the main job on a scripted model, with the real tools; needs no key",
    "doctor": "what works here, what is missing, and what is broken",
    "export": "a session as one file: HTML, Markdown, JSONL, JSON, text; without secrets",
    "fork": "go on from an earlier point of a session in a new one",
    "help": "help of a command, a flag or a key of the configuration",
    "import": "sessions from files, bundles and other agents",
    "lab": "scripted model servers for trying and testing",
    "log": "what codi did beside the conversation: every connection it made",
    "models": "models that are known, with window and price",
    "pipeline": "several models one after the other, over a text or files",
    "policy": "what is allowed and why; rules shown, tried, added, removed",
    "redo": "put back what undo took",
    "replay": "run a session again, offline, and compare it step by step",
    "schema": "JSON Schemas of what codi prints",
    "sessions": "what was talked about, newest first",
    "share": "a session as a bundle that goes on elsewhere; without secrets",
    "snapshot": "the tree as it was: listed, compared, brought back",
    "tool": "list, show or run one tool, judged like a call of the model",
    "trust": "what a project brings, and which of it is obeyed",
    "undo": "take back what the agent changed",
    "usage": "what requests read from the service's cache, and why not more",
}

SHOWS_NO_PROMPT = frozenset(
    {
        *("-p", "--print", "-P", "--prompt", "-f", "--output-format", "--mode", "--plain", "--print-prompt"),
        *("-h", "--help", "-V", "--version", "--list-models"),
    }
)
"""With one of these `codi` does not open its terminal interface."""

_MODULES = {"import": "bring_in"}


def module_of(command: str) -> str:
    """The module that runs a command: that of its name, where a module can have it."""
    return f"codi.cli.{_MODULES.get(command, command)}"
