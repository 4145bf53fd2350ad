"""The commands that ship with codi. A new one is one more value here, and the function that it names."""

from functools import cache

from codi.commands.command import Command, Form
from codi.commands.registry import Registry

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


@cache
def commands() -> Registry:
    return Registry((*_GENERAL, *_MODEL, *_TURN))
