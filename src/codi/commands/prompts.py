"""Commands that are a prompt: what they say to the model, with the words behind them in it."""

from collections.abc import Sequence

from codi.commands.beside import heard
from codi.commands.command import Ask, Desk, Do, Fail, Outcome, Running, Show
from codi.protocol.ops import ChoosePolicy, KeepPlan, Prompt, ShowPlans

_FINDINGS = (
    "Report findings alone, the gravest first, each as `file:line`, what is wrong, in which case it shows, and what would mend it. "
    "Say so when there are none. Change no file."
)

_ABOUT = {
    "explain": "Explain {}: what it is for, how it works, and what a reader would stumble over. Name the places as file:line. "
    "Change no file.",
    "analyze": "Analyse {}: its structure, what depends on what, where it is complicated and why, and its risks. Name the places as "
    "file:line. Change no file.",
    "summarize": "Summarise {}: what it does in a few sentences, then its parts in a line each. Change no file.",
    "review": "Review {}. " + _FINDINGS,
    "refactor": "Refactor {}. Keep what it does; run the tests before and after.",
    "fix": "Find and mend what is wrong in {}. Show the failure first, mend its cause, and run the tests.",
    "test": "Write tests for {} in the manner of those that are there, and run them.",
    "doc": "Document {} in the manner of this project: what it is for and what a caller must know.",
    "optimize": "Make {} faster. Measure before and after, and keep what it does.",
}
"""What is said of a target; `{}` stands for it."""

_GIT = {
    "commit": "Commit what is changed. Look at the status and at the differences first, leave out what does not belong, and write a "
    "message in the manner of the log. Add no trailer that names a tool.",
    "branch": "Make a branch for the work that is going on, and go to it. Name it in the manner of the branches that there are.",
    "pr": "Prepare a pull request of this branch: what it changes and why, and how it was tested. Open it with the program of the "
    "service if it is there, else give its text.",
    "review-pr": "Review a pull request. " + _FINDINGS,
    "diff": "Say what is different in the working tree, and why it probably is.",
    "stash": "Put aside what is changed with git stash, under a name that says what it is.",
    "log": "Tell the history of this branch: what was done, by whom, and why.",
    "status": "Tell the state of the repository: branch, what is changed, staged and untracked, and what to do next.",
    "undo": "Take back the last commit, and keep its changes in the working tree. Ask first if it was pushed.",
    "merge": "Merge into this branch. Resolve conflicts with care for both sides, and run the tests.",
    "rebase": "Rebase this branch. Resolve conflicts with care for both sides, and run the tests.",
}


async def about(words: Sequence[str], desk: Desk) -> Outcome:
    """`/prompt VERB TARGET` and `/code VERB TARGET`."""
    verb, *target = words or [""]
    verb = {"analyse": "analyze", "optimise": "optimize"}.get(verb, verb)
    if verb not in _ABOUT or not target:
        return Fail(f"usage: {'|'.join(_ABOUT)} TARGET")
    return _said(_ABOUT[verb], target)


def _of_target(verb: str) -> Running:
    async def run(words: Sequence[str], desk: Desk) -> Outcome:
        return _said(_ABOUT[verb], words) if words else Fail(f"usage: /{verb} TARGET [WHAT]")

    return run


explain: Running = _of_target("explain")
analyze: Running = _of_target("analyze")
summarize: Running = _of_target("summarize")
refactor: Running = _of_target("refactor")
fix: Running = _of_target("fix")
test: Running = _of_target("test")
doc: Running = _of_target("doc")
optimize: Running = _of_target("optimize")


async def review(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case [] | ["--uncommitted"]:
            target = "what is changed and not committed, untracked files included"
        case ["--base", base]:
            target = f"what this branch changes since it left {base}"
        case ["--commit", commit]:
            target = f"the commit {commit}"
        case [first, *_] if first.startswith("--"):
            return Fail("usage: /review [TARGET|--base B|--commit C|--uncommitted]")
        case _:
            target = " ".join(words)
    return Ask(_ABOUT["review"].format(target))


async def refactor_all(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) not in (2, 3):
        return Fail("usage: /refactor-all SEARCH REPLACE [GLOB]", "Words with spaces go in quotes.")
    where = f" in {words[2]}" if len(words) == 3 else ""
    return Ask(
        f"Replace {words[0]!r} by {words[1]!r} everywhere{where}, as one change: show all of it first, then make it in one call, so that "
        "all files are changed or none. Leave alone what only looks like it, and run the tests."
    )


async def scaffold(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) < 2:
        return Fail("usage: /scaffold KIND NAME")
    return Ask(
        f"Make a new {words[0]} called {' '.join(words[1:])}, in the manner of those that this project has, with a test of it."
    )


async def git(words: Sequence[str], desk: Desk) -> Outcome:
    if not words or words[0] not in _GIT:
        return Fail(f"usage: /git {'|'.join(_GIT)} [ARGS]")
    return _with_git(words[0], words[1:])


def _by_git(verb: str) -> Running:
    async def run(words: Sequence[str], desk: Desk) -> Outcome:
        return _with_git(verb, words)

    return run


commit: Running = _by_git("commit")
branch: Running = _by_git("branch")
pr: Running = _by_git("pr")
review_pr: Running = _by_git("review-pr")
log: Running = _by_git("log")
stash: Running = _by_git("stash")
merge: Running = _by_git("merge")
rebase: Running = _by_git("rebase")


async def init(words: Sequence[str], desk: Desk) -> Outcome:
    """Configuration and model map are templates; the context file is made from the project."""
    match list(words):
        case [] | ["--context"] | ["--all"]:
            return Ask(
                "Write AGENTS.md for this project: what it is, how it is built, tested and run, how its code is laid out, and the rules "
                "that a contributor must know. Take it from the files, invent nothing, and keep it below 150 lines. If there is one "
                "already, show what you would change, and change no more than is wrong or missing."
            )
        case ["--config"]:
            answered = await desk.subcommand("config", "init")
        case ["--modelmap" | "--models"]:
            answered = await desk.subcommand("models", "map", "init")
        case _:
            return Fail("usage: /init [--context|--config|--modelmap|--all]")
    error, _, hint = answered.error.partition("\nhint: ")
    return (
        Fail(error.removeprefix("error: ").strip(), hint.strip()) if answered.status else Do((), answered.text.strip())
    )


async def plan(words: Sequence[str], desk: Desk) -> Outcome:
    """From here on nothing is changed; with a task, a plan for it is asked for. What the person approves is kept."""
    if list(words) == ["approve"]:
        return Fail("stop the turn first (Esc)") if desk.is_busy else await heard(desk, KeepPlan())
    if not words:
        return Do((ChoosePolicy("plan"),), "plan mode: nothing is changed until another mode is chosen")
    task = " ".join(words)
    return Do(
        (
            ChoosePolicy("plan"),
            Prompt(f"Make a plan, step by step and with the files that each step touches, for this: {task}"),
        ),
        "plan mode: nothing is changed; /plan approve keeps the plan and goes back to the mode before",
    )


async def plans(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case [] | ["list"]:
            return await heard(desk, ShowPlans(), "plans")
        case ["show", name]:
            return await heard(desk, ShowPlans(name), f"plan {name}")
        case ["delete", name]:
            if not await desk.confirm(f"Delete 1 plan: {name}?"):
                return Show("nothing was deleted")
            return await heard(desk, ShowPlans(name, delete=True))
    return Fail("usage: /plans [list|show ID|delete ID]")


def _said(text: str, words: Sequence[str]) -> Ask:
    return Ask(text.format(" ".join(words)))


def _with_git(verb: str, words: Sequence[str]) -> Ask:
    return Ask(_GIT[verb] + (f" What is meant: {' '.join(words)}" if words else ""))
