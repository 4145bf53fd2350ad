"""Commands that are subcommands of `codi`: they run beside this program, on the same directory, and what they print is shown."""

from collections.abc import Sequence

from codi.commands.command import Desk, Fail, Outcome, Show


async def told(desk: Desk, *words: str, empty: str = "nothing") -> Outcome:
    """What `codi WORDS` says."""
    answered = await desk.subcommand(*words)
    if answered.status and answered.error:
        error, _, hint = answered.error.partition("\nhint: ")
        return Fail(error.removeprefix("error: ").strip(), hint.strip())
    return Show(answered.text.rstrip() or answered.error.rstrip() or empty, f"codi {' '.join(words)}")


async def config(words: Sequence[str], desk: Desk) -> Outcome:
    first, *rest = words or ["list"]
    return await told(desk, "config", "list" if first == "show" else first, *rest)


async def models(words: Sequence[str], desk: Desk) -> Outcome:
    return await told(desk, "models", *words, empty="no model is called like that")


async def doctor(words: Sequence[str], desk: Desk) -> Outcome:
    answered = await desk.subcommand("doctor", *words)
    return Show(answered.text.rstrip() or answered.error.rstrip(), "doctor")


async def login(words: Sequence[str], desk: Desk) -> Outcome:
    """Keys are typed where nothing records them: in a shell of one's own."""
    status = await told(desk, "auth", "status")
    text = status.text if isinstance(status, Show) else ""
    return Show(f"{text}\nTo sign in, run in a shell: codi auth login {' '.join(words) or 'NAME'}".strip(), "login")


async def tools(words: Sequence[str], desk: Desk) -> Outcome:
    return await told(desk, "tool", *(("show", words[0]) if words else ("list",)))
