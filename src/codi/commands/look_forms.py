"""The commands that look at something, or change what is kept beside the conversation."""

from codi.commands.command import Command, Form


def _look(name: str, summary: str, *forms: Form, run: str = "", aliases: tuple[str, ...] = (), group: str) -> Command:
    return Command(name, summary, forms, f"codi.commands.looks:{run or name}", aliases=aliases, group=group)


LOOKS = (
    _look("settings", "the keys of the configuration, to choose from", Form("", "/settings"), group="settings"),
    _look("reload", "read keys, theme and the look again", Form("", "/reload"), group="settings"),
    _look(
        "provider",
        "services that are known",
        Form("[list]", "/provider"),
        Form("setup", "/provider setup", "which have a key, and how to give one"),
        aliases=("setup-providers",),
        group="model",
    ),
    _look("grep", "lines that fit a pattern", Form("PATTERN [PATH]", "/grep larder"), group="files"),
    _look("find", "files by name", Form("GLOB", "/find *.py"), group="files"),
    _look(
        "usage",
        "tokens and cost of this session",
        Form("[session]", "/usage"),
        Form("today|week|month|all", "/usage week", "of the sessions of this project that were used since"),
        Form("recent", "/usage recent", "of the last ten, each alone"),
        run="usage",
        aliases=("cost", "tokens"),
        group="general",
    ),
    _look(
        "stats",
        "what this session did, in numbers",
        Form("", "/stats"),
        run="numbers",
        aliases=("metrics",),
        group="general",
    ),
    _look(
        "tune",
        "the tools that are offered, and how the model is asked",
        Form("", "/tune"),
        Form("profile|temperature|top_p|max_output VALUE|off", "/tune temperature 0.2", "from the next start on"),
        group="settings",
    ),
    _look(
        "patches",
        "the last 20 diffs of this conversation",
        Form("[list]", "/patches"),
        Form("show N", "/patches show 1"),
        group="ledger",
    ),
    _look("explorer", "a file to mention", Form("", "/explorer"), group="files"),
    _look(
        "pick-image",
        "an image that goes with the next prompt",
        Form("[PATH]", "/pick-image"),
        run="pick_image",
        aliases=("pi", "image"),
        group="files",
    ),
    _look(
        "context-file",
        "what a model is told of this project: AGENTS.md",
        Form("[show]", "/context-file"),
        Form("generate", "/context-file generate", "by the model; shown as a diff and approved"),
        run="context_file",
        aliases=("codi", "memory-file"),
        group="files",
    ),
    _look("bug", "a bundle for a report, on this disk", Form("", "/bug"), group="general"),
    _look(
        "debug",
        "what the model is told, and where the log is",
        Form("prompt", "/debug prompt"),
        Form("[log path]", "/debug log path"),
        group="general",
    ),
)
