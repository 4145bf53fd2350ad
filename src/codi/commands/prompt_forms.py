"""The commands that are a prompt."""

from codi.commands.command import Command, Form


def _prompt(name: str, summary: str, *forms: Form, run: str = "", aliases: tuple[str, ...] = (), group: str) -> Command:
    return Command(
        name,
        summary,
        forms,
        f"codi.commands.prompts:{run or name.replace('-', '_')}",
        kind="prompt",
        aliases=aliases,
        during_turn="queue",
        group=group,
    )


def _about(name: str, summary: str, *aliases: str, run: str = "") -> Command:
    form = Form("TARGET [WHAT]", f"/{name} src/a.py", completes="file")
    return _prompt(name, summary, form, run=run, aliases=aliases, group="code")


def _git(name: str, summary: str, *aliases: str) -> Command:
    return _prompt(name, summary, Form("[ARGS]", f"/{name}"), aliases=aliases, group="git")


PROMPTS = (
    _prompt(
        "prompt",
        "ask for one of the usual things",
        Form("explain|review|analyze|summarize TARGET", "/prompt explain src/a.py"),
        run="about",
        aliases=("ask",),
        group="code",
    ),
    _about("explain", "what something is for and how it works", "e"),
    _prompt(
        "review",
        "findings with file and line",
        Form("[TARGET]", "/review", "what is changed and not committed", completes="file"),
        Form("--base B", "/review --base main", "what this branch changes"),
        Form("--commit C", "/review --commit HEAD"),
        Form("--uncommitted", "/review --uncommitted"),
        aliases=("cr",),
        group="code",
    ),
    _about("analyze", "structure, dependencies, risks", "a"),
    _about("summarize-code", "what something does, in short", "sum", run="summarize"),
    _prompt(
        "code",
        "have something done to the code",
        Form("refactor|fix|test|doc|optimize TARGET", "/code fix src/a.py"),
        run="about",
        aliases=("c",),
        group="code",
    ),
    _about("refactor", "better code that does the same", "r"),
    _about("fix", "find and mend what is wrong", "f"),
    _about("test", "write tests and run them", "t"),
    _about("doc", "document something", "docs"),
    _about("optimize", "make something faster, and measure it", "opt"),
    _prompt(
        "refactor-all",
        "replace something everywhere, all or nothing",
        Form("SEARCH REPLACE [GLOB]", "/refactor-all old_name new_name src/**"),
        group="code",
    ),
    _prompt("scaffold", "something new of a kind", Form("KIND NAME", "/scaffold module larder"), group="code"),
    _prompt(
        "git",
        "have something done with git",
        Form("commit|branch|diff|pr|review-pr|stash|log|status|undo|merge|rebase [ARGS]", "/git status"),
        aliases=("g",),
        group="git",
    ),
    _git("commit", "commit what is changed", "ci"),
    _git("branch", "make a branch and go to it", "br"),
    _git("pr", "prepare a pull request", "pull-request"),
    _git("review-pr", "review a pull request", "review-pull-request"),
    _git("log", "the history of this branch, told", "history"),
    _git("stash", "put aside what is changed"),
    _git("merge", "merge into this branch"),
    _git("rebase", "rebase this branch"),
    _prompt(
        "init",
        "a context file made from the project, or a template",
        Form("[--context|--all]", "/init"),
        Form("--config", "/init --config", "a configuration to begin with"),
        Form("--modelmap", "/init --modelmap"),
        group="code",
    ),
    _prompt(
        "plan",
        "plan before anything is changed",
        Form("[TASK]", "/plan a larder"),
        Form("approve", "/plan approve", "keep the plan as a file, and go back to the mode before"),
        aliases=("p",),
        group="code",
    ),
    Command(
        "plans",
        "the plans that were approved",
        (
            Form("[list]", "/plans"),
            Form("show ID", "/plans show 1a2b3c4d"),
            Form("delete ID", "/plans delete 1a2b3c4d"),
        ),
        "codi.commands.prompts:plans",
        aliases=("plan-list",),
        group="code",
    ),
)
