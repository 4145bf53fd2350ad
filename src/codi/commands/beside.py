"""Commands that are subcommands of `codi`: they run beside this program, on the same directory, and what they print is shown."""

from collections.abc import Sequence
from shlex import join

from codi.commands.command import Desk, Fail, Open, Outcome, Show
from codi.protocol.events import AnswerDelta, StatusDelta
from codi.protocol.ops import Op


async def told(desk: Desk, *words: str, empty: str = "nothing") -> Outcome:
    """What `codi WORDS` says."""
    answered = await desk.subcommand(*words)
    if answered.status and answered.error:
        error, _, hint = answered.error.partition("\nhint: ")
        return Fail(error.removeprefix("error: ").strip(), hint.strip())
    return Show(answered.text.rstrip() or answered.error.rstrip() or empty, f"codi {' '.join(words)}")


async def heard(desk: Desk, op: Op, title: str = "") -> Outcome:
    """What the conversation answers."""
    match await desk.answer(op):
        case AnswerDelta(text, ok, hint):
            return Show(f"{text}\n{hint}".rstrip(), title) if ok else Fail(text, hint)
        case StatusDelta(text=text, hint=hint):
            return Fail(text, hint or "")
    return Fail("nothing became of it", "Try again.")


async def config(words: Sequence[str], desk: Desk) -> Outcome:
    first, *rest = words or ["list"]
    return await told(desk, "config", "list" if first == "show" else first, *rest)


async def trust(words: Sequence[str], desk: Desk) -> Outcome:
    """What is accepted or revoked counts from the next start: what was read of a project was read before the conversation."""
    return await told(desk, "trust", *words, empty="nothing is trusted")


async def models(words: Sequence[str], desk: Desk) -> Outcome:
    return await told(desk, "models", *words, empty="no model is called like that")


async def modelmap(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words) or ["show"]:
        case ["add", *rest]:
            named = [word for word in rest if word != "--global"]
            if len(named) != 3:
                return Fail("usage: /modelmap add [--global] NAME PROVIDER MODEL")
            name, provider, model = named
            wide = ["--global"] if "--global" in rest else []
            return await told(desk, "models", "map", "add", name, "--provider", provider, "--model", model, *wide)
        case words:
            return await told(desk, "models", "map", *words)


async def pipeline(words: Sequence[str], desk: Desk) -> Outcome:
    return await told(desk, "models", "run", *words, empty="there are no pipelines")


async def doctor(words: Sequence[str], desk: Desk) -> Outcome:
    answered = await desk.subcommand("doctor", *words)
    return Show(answered.text.rstrip() or answered.error.rstrip(), "doctor")


async def login(words: Sequence[str], desk: Desk) -> Outcome:
    """The subcommand is given the terminal: keys and codes are typed where nothing of the conversation records them."""
    if words:
        return Open("terminal", join(["auth", "login", *words]))
    status = await told(desk, "auth", "status", empty="no key is set and nothing is kept")
    text = status.text if isinstance(status, Show) else ""
    return Show(f"{text}\nTo sign in: /login NAME".strip(), "login")


async def logout(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Fail("usage: /logout NAME|--all", "/login shows the names.")
    what = "every login and key" if words[0] == "--all" else f"1 login or key: {words[0]}"
    if not await desk.confirm(f"Remove {what}?"):
        return Show("nothing was removed")
    return await told(desk, "auth", "logout", *words, empty="nothing was kept")


async def tools(words: Sequence[str], desk: Desk) -> Outcome:
    return await told(desk, "tool", *(("show", words[0]) if words else ("list",)))
