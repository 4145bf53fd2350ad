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
        run="numbers",
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
    _look("bug", "a bundle for a report, on this disk", Form("", "/bug"), group="general"),
    _look(
        "debug",
        "what the model is told, and where the log is",
        Form("prompt", "/debug prompt"),
        Form("[log path]", "/debug log path"),
        group="general",
    ),
)
