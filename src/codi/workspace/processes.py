"""Running one command to its end, or to the end of its time, and leaving nothing of it alive.

The warden starts and ends what runs; here is what codi itself does meanwhile: it reads the output, keeps the beginning and
the end in memory and the whole in a file once that is too long, and shows what is new.
"""

import atexit
import codecs
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from errno import EAGAIN, EINVAL
from functools import cache
from marshal import loads
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from codi.workspace import warden
from codi.workspace.workspace import Outcome

FLOOD_BYTES = 1 << 30
"""A command that says more than this is ended."""
TELL_EVERY_S = 0.1

_TOLD_AT_ONCE = 16 * 1024
_CHUNK = 64 * 1024
_PIPE_CHUNKS = 17
"""More than a pipe can hold, also one that a program made as large as Linux allows (1 MiB)."""
_PLACE_TELLER = os.path.join(os.path.dirname(__file__), "place.bash")
_PLACE_FD = 241
"""Where `place.bash` tells the last directory; a number that scripts do not use themselves."""
_NO_TIME_LIMIT = 1e9
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
) -> Outcome:
    """Run a line in a shell, or a list of words without one, with nothing on standard input.

    When this returns or is cancelled, nothing that the command started lives. Up to `keep_head + keep_tail` bytes of output
    are kept in `head` and `tail`, which then join without a gap; of more output the beginning and the end, and all of it in a
    file in `spool` (None: nowhere) that is the caller's to remove. A missing program or directory raises OSError.
    """
    words, surroundings, notes_at = _prepared(command, shell, environment)
    output = _Output(keep_head, keep_tail, spool, tell)
    began = time.monotonic()
    try:
        with _Child(words, cwd, surroundings, timeout_s, notes_at) as child:
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
    with _Child(words, cwd, environment, _NO_TIME_LIMIT, notes_at=2) as child:
        with anyio.CancelScope(shield=True):
            await child.started()
        try:
            rest = b""
            while chunk := await child.read():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line
            if rest:
                yield rest
            ended = await child.ended()
        finally:
            child.order(warden.STOP)
            with anyio.CancelScope(shield=True):
                await child.ended()
    if ended.exit_code is None or ended.exit_code > 1:
        said = ended.notes.decode(errors="replace").strip() or f"ended by {ended.signal}"
        raise OSError(ended.exit_code or 0, said, words[0])


def _prepared(
    command: str | Sequence[str], shell: str, environment: Mapping[str, str]
) -> tuple[Sequence[str], Mapping[str, str], int]:
    """The words and environment to start, and the descriptor through which a shell that may move tells its place."""
    if not isinstance(command, str):
        return command, environment, 0
    if os.path.basename(shell) != "bash":
        return (shell, "-c", command), environment, 0
    words = (shell, "--noprofile", "--norc", "-c", command)
    if _MAY_MOVE.search(command):
        return words, {**environment, "BASH_ENV": _PLACE_TELLER}, _PLACE_FD
    return words, environment, 0


async def _to_the_end(child: "_Child", output: "_Output") -> "_Ended":
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


class _Ended:
    """What the keeper told at the end."""

    def __init__(self, status: int, timed_out: bool, notes: bytes) -> None:
        code = os.waitstatus_to_exitcode(status)
        self.exit_code = code if code >= 0 else None
        self.signal = _signal_name(-code) if code < 0 else None
        self.timed_out = timed_out
        self.notes = notes


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"  # a real-time signal


class _Child:
    """A command in the hands of a keeper: its output, and the socket to the keeper. Closing it ends the command."""

    def __init__(
        self, words: Sequence[str], cwd: str, environment: Mapping[str, str], timeout_s: float, notes_at: int
    ) -> None:
        self._program = words[0]
        self._cwd = cwd
        self._request = memoryview(warden.framed(_request(words, cwd, environment, timeout_s, notes_at)))
        self._told = b""
        self._shell = 0
        self._ended: _Ended | None = None
        self._output, writing = os.pipe()
        self._keeper, keeper = socket.socketpair()
        try:
            os.set_blocking(self._output, False)
            self._keeper.setblocking(False)
            _knock([keeper.fileno(), writing, self._output])
        except BaseException:
            self.close()
            raise
        finally:
            os.close(writing)
            keeper.close()

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._keeper.close()
        os.close(self._output)

    async def read(self) -> bytes:
        """The next of the output; nothing when all that could write to it has ended."""
        await checkpoint()  # a command that never pauses must not keep everything else waiting
        while True:
            try:
                return os.read(self._output, _CHUNK)
            except BlockingIOError:
                await anyio.wait_readable(self._output)

    def read_now(self) -> bytes:
        """What of the output is there already."""
        try:
            return os.read(self._output, _CHUNK)
        except BlockingIOError:
            return b""

    def order(self, order: bytes) -> None:
        with suppress(OSError):  # it ended already
            self._keeper.send(order)

    async def started(self) -> None:
        """Wait the moment until it runs; a missing program or directory raises OSError."""
        while self._request:
            try:
                self._request = self._request[self._keeper.send(self._request) :]
            except BlockingIOError:
                await anyio.wait_writable(self._keeper)
            except OSError:
                break  # there is no keeper, as the next message shows
        match await self._next_told():
            case ("forked", int(shell)):
                self._shell = shell
            case _:
                raise OSError(EAGAIN, "No process could be started", self._program)
        match await self._next_told():
            case ("failed", int(number), bool(because_of_directory)):
                raise OSError(number, os.strerror(number), self._cwd if because_of_directory else self._program)

    async def ended(self) -> _Ended:
        """How it ended. May be asked again, also after a wait for it was cancelled."""
        if self._ended is None:
            match await self._next_told():
                case ("ended", int(status), bool(timed_out), bytes(notes)):
                    self._ended = _Ended(status, timed_out, notes)
                case _:
                    self._ended = self._ended_without_keeper()
        return self._ended

    async def _next_told(self) -> Any:
        """The keeper's next message, or None when there will be none."""
        while True:
            size = 4 + int.from_bytes(self._told[:4], "little")
            if len(self._told) >= max(size, 5):
                message, self._told = self._told[4:size], self._told[size:]
                return loads(message)
            try:
                received = self._keeper.recv(_CHUNK)
            except BlockingIOError:
                await anyio.wait_readable(self._keeper)
                continue
            except ConnectionResetError:
                return None
            if not received:
                return None
            self._told += received

    def _ended_without_keeper(self) -> _Ended:
        """The keeper was killed; its shell dies with it, and what else is of its session is ended here."""
        for process in warden.members(self._shell):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return _Ended(int(signal.SIGKILL), False, b"")


def _request(
    words: Sequence[str], cwd: str, environment: Mapping[str, str], timeout_s: float, notes_at: int
) -> warden.Request:
    named = {_encoded(name): _encoded(value) for name, value in environment.items()}
    return [_encoded(word) for word in words], _encoded(cwd), named, timeout_s, notes_at


def _encoded(text: str) -> bytes:
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError as error:
        raise OSError(EINVAL, "Half a character", text) from error
    if b"\0" in encoded:
        raise OSError(EINVAL, "A NUL character", text)
    return encoded


def _knock(handed: list[int]) -> None:
    """Hand descriptors to the warden, which is started when there is none yet or the last one was killed."""
    try:
        socket.send_fds(_warden_of(os.getpid()), [b"k"], handed)
    except OSError:
        _warden_of.cache_clear()
        socket.send_fds(_warden_of(os.getpid()), [b"k"], handed)


@cache
def _warden_of(_codi: int) -> socket.socket:
    """The door to the warden of this process; one that was forked from it gets its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", warden.__file__],
            {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
    atexit.register(ours.close)
    return ours


class _Output:
    """What a command said: counted, its beginning and end kept, the whole spooled when that is too little, and told."""

    def __init__(self, keep_head: int, keep_tail: int, spool: str | None, tell: Callable[[str], None] | None) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.total_bytes = 0
        self.flooded = False
        self._keep_head = keep_head
        self._keep_tail = keep_tail
        self._line_ends = 0
        self._ends_in_line = False
        self._spool = spool
        self._spill: str | None = None
        self._spill_fd = -1
        self._may_spill = spool is not None
        self._tell = tell
        self._untold = bytearray()
        self._told_at = 0.0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def total_lines(self) -> int:
        return self._line_ends + self._ends_in_line

    def take(self, chunk: bytes) -> bool:
        """Keep a chunk. True once, when it is too much of all: the command is to be ended."""
        if self.flooded or not chunk:
            return False
        self.total_bytes += len(chunk)
        self._line_ends += chunk.count(b"\n")
        self._ends_in_line = not chunk.endswith(b"\n")
        self._spill_chunk(chunk)
        self._keep(chunk)
        if self._tell:
            self._untold += chunk
            del self._untold[:-_TOLD_AT_ONCE]
            self._tell_if_due()
        self.flooded = self.total_bytes > FLOOD_BYTES
        return self.flooded

    async def next_of(self, child: _Child) -> bytes:
        """The child's next chunk; while there is none, what is still untold is told in time."""
        while self._untold:
            with anyio.move_on_after(max(self._told_at + TELL_EVERY_S - time.monotonic(), 0)):
                return await child.read()
            self._tell_if_due()
        return await child.read()

    def close(self) -> str | None:
        """Tell what is untold. The path of the file with all of the output, if it was too long to keep."""
        self._tell_now(final=True)
        if self._spill_fd >= 0:
            os.close(self._spill_fd)
            self._spill_fd = -1
        del self.tail[: max(len(self.tail) - self._keep_tail, 0)]
        return self._spill

    def forget(self) -> None:
        """Nobody will ask for the output."""
        if self._spill_fd >= 0:
            os.close(self._spill_fd)
            self._spill_fd = -1
        if self._spill is not None:
            with suppress(OSError):
                os.unlink(self._spill)
            self._spill = None

    def _keep(self, chunk: bytes) -> None:
        room = self._keep_head - len(self.head)
        if room > 0:
            self.head += chunk[:room]
            chunk = chunk[room:]
        self.tail += chunk
        if len(self.tail) > self._keep_tail + _CHUNK:  # not at every chunk: that would move all of it each time
            del self.tail[: len(self.tail) - self._keep_tail]

    def _spill_chunk(self, chunk: bytes) -> None:
        if self.total_bytes <= self._keep_head + self._keep_tail or not self._may_spill:
            return
        try:
            if self._spill is None:
                self._spill = os.path.join(self._spool or os.curdir, f"output-{os.urandom(8).hex()}.txt")
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._spill_fd = os.open(self._spill, flags, 0o600)
                _write(self._spill_fd, self.head + self.tail)
            _write(self._spill_fd, chunk)
        except OSError:  # a full disk does not end the command: its beginning and end must do
            self.forget()
            self._may_spill = False

    def _tell_if_due(self) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._tell_now(final=False)

    def _tell_now(self, *, final: bool) -> None:
        text = self._decoder.decode(bytes(self._untold), final)
        self._untold.clear()
        self._told_at = time.monotonic()
        if self._tell and text:
            self._tell(text)


def _write(descriptor: int, content: bytes | bytearray) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
