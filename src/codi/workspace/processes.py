"""Running one command to its end, or to the end of its time, and leaving nothing of it alive.

The warden starts and ends what runs; here is what codi itself does meanwhile: it reads the output, keeps the beginning and
the end in memory and the whole in a file once that is too long, and shows what is new.
"""

import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

import anyio

from codi.workspace import warden
from codi.workspace.children import Child, Ended
from codi.workspace.spooling import Output
from codi.workspace.workspace import Outcome

_PIPE_CHUNKS = 17
"""More than a pipe can hold, also one that a program made as large as Linux allows (1 MiB)."""
PLACE_TELLER = os.path.join(os.path.dirname(__file__), "place.bash")
"""Bash reads it, so it must be in sight of what it runs."""
_PLACE_FD = 241
"""Where `place.bash` tells the last directory; a number that scripts do not use themselves."""
NO_TIME_LIMIT = 1e9
_MAY_MOVE = re.compile(r"\b(cd|pushd|popd|eval|source)\b|(^|[\s;&|({])\.\s")

_PASSED_ON = frozenset({"PATH", "HOME", "LANG", "TERM", "TZ", "USER", "LOGNAME", "SHELL", "TMPDIR"})

PROVIDER_KEYS = frozenset(
    {
        "AI_GATEWAY_API_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_OAUTH_TOKEN",
        "AZURE_OPENAI_API_KEY",
        "CEREBRAS_API_KEY",
        "CLOUDFLARE_API_KEY",
        "COPILOT_GITHUB_TOKEN",
        "DASHSCOPE_API_KEY",
        "DEEPSEEK_API_KEY",
        "FIREWORKS_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GROQ_API_KEY",
        "KIMI_API_KEY",
        "MINIMAX_API_KEY",
        "MISTRAL_API_KEY",
        "MOONSHOT_API_KEY",
        "NVIDIA_API_KEY",
        "OLLAMA_API_KEY",
        "OPENAI_API_KEY",
        "OPENCODE_API_KEY",
        "OPENROUTER_API_KEY",
        "PERPLEXITY_API_KEY",
        "RUNPOD_API_KEY",
        "TOGETHER_API_KEY",
        "VLLM_API_KEY",
        "XAI_API_KEY",
        "XIAOMI_API_KEY",
        "ZAI_API_KEY",
    }
)


def environment_for(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What a command sees: a few variables of codi's own environment, then what is given; never the key of a model."""
    passed_on = {name: value for name, value in own.items() if name in _PASSED_ON or name.startswith("LC_")}
    passed_on.setdefault("PATH", os.defpath)
    asked = {name: value for name, value in given.items() if name not in PROVIDER_KEYS}
    return {**passed_on, "GIT_TERMINAL_PROMPT": "0", **asked}


def shell_in(search_path: str) -> str:
    """The shell that commands are written for: bash, else sh."""
    return (
        "bash" if any(os.access(os.path.join(folder, "bash"), os.X_OK) for folder in search_path.split(":")) else "sh"
    )


async def run(
    command: str | Sequence[str],
    *,
    cwd: str,
    environment: Mapping[str, str],
    shell: str,
    timeout_s: float,
    keep_head: int,
    keep_tail: int,
    spool: str | None,
    tell: Callable[[str], None] | None = None,
    orders: bytes = b"",
) -> Outcome:
    """Run a line in a shell, or a list of words without one, with nothing on standard input.

    When this returns or is cancelled, nothing that the command started lives. Up to `keep_head + keep_tail` bytes of output
    are kept in `head` and `tail`, which then join without a gap; of more output the beginning and the end, and all of it in a
    file in `spool` (None: nowhere) that is the caller's to remove. `orders` confine it (`launching.orders`). A missing program or
    directory raises OSError.
    """
    words, surroundings, notes_at = prepared(command, shell, environment)
    output = Output(keep_head, keep_tail, spool, tell)
    began = time.monotonic()
    try:
        with Child(words, cwd, surroundings, timeout_s, notes_at, orders=orders) as child:
            ended = await _to_the_end(child, output)
        spill = output.close()
    except BaseException:
        output.forget()
        raise
    if isinstance(command, str):
        place = os.fsdecode(ended.notes).removesuffix("\n") or None if notes_at else cwd
    else:
        place = None
    return Outcome(
        head=bytes(output.head),
        tail=bytes(output.tail),
        total_bytes=output.total_bytes,
        total_lines=output.total_lines,
        exit_code=ended.exit_code,
        signal=ended.signal,
        timed_out=ended.timed_out,
        flooded=output.flooded,
        spill=spill,
        cwd=place,
        duration_ms=round((time.monotonic() - began) * 1000),
    )


async def lines_of(words: Sequence[str], *, cwd: str, environment: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """The lines of a program's standard output as they come, without their ends. It is ended when nobody wants more.

    A program that fails (status 2 or more: with 1 searches say that there was nothing) raises OSError after its last line,
    with its status as `errno` and what it said on standard error as `strerror`.
    """
    with Child(words, cwd, environment, NO_TIME_LIMIT, notes_at=2) as child:
        with anyio.CancelScope(shield=True):
            await child.started()
        try:
            rest: list[bytes] = []  # of a line, which may be very long
            while chunk := await child.read():
                line, *more = chunk.split(b"\n")
                rest.append(line)
                for line in more:
                    yield b"".join(rest)
                    rest = [line]
            if last := b"".join(rest):
                yield last
            ended = await child.ended()
        finally:
            child.order(warden.STOP)
            with anyio.CancelScope(shield=True):
                await child.ended()
    if ended.exit_code is None or ended.exit_code > 1:
        said = ended.notes.decode(errors="replace").strip()
        if ended.signal:
            said = said or f"ended by {ended.signal}"
        raise OSError(ended.exit_code or 0, said, words[0])


def prepared(
    command: str | Sequence[str], shell: str, environment: Mapping[str, str]
) -> tuple[Sequence[str], Mapping[str, str], int]:
    """The words and environment to start, and the descriptor through which a shell that may move tells its place."""
    if not isinstance(command, str):
        return command, environment, 0
    if os.path.basename(shell) != "bash":
        return (shell, "-c", command), environment, 0
    words = (shell, "--noprofile", "--norc", "-c", command)
    if _MAY_MOVE.search(command):
        return words, {**environment, "BASH_ENV": PLACE_TELLER}, _PLACE_FD
    return words, environment, 0


async def _to_the_end(child: Child, output: Output) -> Ended:
    with anyio.CancelScope(shield=True):
        await child.started()
    reading = anyio.CancelScope(shield=True)  # who is being ended must still get rid of what it says

    async def read() -> None:
        with reading:
            while chunk := await output.next_of(child):
                if output.take(chunk):
                    child.order(warden.KILL)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        try:
            ended = await child.ended()
        except anyio.get_cancelled_exc_class():
            child.order(warden.STOP)
            with anyio.CancelScope(shield=True):
                await child.ended()
            raise
        finally:
            reading.cancel()
    for _ in range(_PIPE_CHUNKS):  # not for ever: a process of another user, which cannot be ended, may still write
        if not (chunk := child.read_now()):
            break
        output.take(chunk)
    return ended
