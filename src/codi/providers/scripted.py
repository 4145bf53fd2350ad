"""The scripted model as a provider in this process: no network, no key, the same answers each time.

It drives `codi demo`, the proofs and the tests (`--model scripted/PATH`, `CODI_SCRIPT`). The lab's server plays the same
files over the wire formats of the services.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

import anyio
import msgspec

from codi.protocol.errors import (
    BadRequest,
    CodiError,
    ContextOverflow,
    CredentialError,
    IdleTimeout,
    MalformedAnswer,
    NetworkError,
    NotFound,
    Overloaded,
    RateLimited,
    ServerFailed,
    StreamCut,
)
from codi.protocol.events import Delta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Message, Origin, Text, Thinking, ToolResult, Usage
from codi.providers.arguments import call_from
from codi.providers.player import Played, Player, SeenResult, View
from codi.providers.provider import Abilities, ModelEntry, Prices, Reply, Request
from codi.providers.script import Fault, Script, Spent, read_script

_USUAL_CHUNK = 24


class Scripted:
    """Answers each request with the next step of `script`. `requests` keeps what was asked; with `log` each request is also
    appended to that file as a line of JSON."""

    def __init__(self, script: Script, model: ModelEntry | None = None, *, log: str | None = None) -> None:
        self.model = model or entry_of(script)
        self.origin = Origin("scripted", self.model.service, self.model.id)
        self.requests: list[Request] = []
        self._player = Player(script)
        self._log = log

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        self.requests.append(request)
        if self._log is not None:
            with open(self._log, "ab") as file:
                file.write(msgspec.json.encode(request) + b"\n")
        played = self._player.next(view_of(request, self.model.id))
        fault = played.fault
        if fault is not None and fault.kind == "slow_first_byte":
            await anyio.sleep(fault.seconds or 1.0)
        await anyio.sleep(played.delay_ms / 1000)
        broken = fault is not None and not fault.harmless
        left = _characters_before(fault) if fault is not None and broken else None
        for delta in _deltas(played):
            if left is not None:
                if left <= 0:
                    break
                left -= len(delta.text)
            yield delta
            if fault is not None and fault.kind == "slow":
                await anyio.sleep(fault.seconds or 1.0)
            elif played.pause_ms:
                await anyio.sleep(played.pause_ms / 1000)
        if fault is not None and broken:
            if fault.kind in ("stall", "half_open"):
                await anyio.sleep(3600.0 if fault.seconds is None else fault.seconds)
            raise failure_of(fault)
        yield Reply(
            message=Message("assistant", tuple(_blocks(played)), self.origin),
            stop=played.stop,
            raw_stop=played.raw_stop or played.stop,
            usage=_usage(request, played),
            model=self.model.id,
            response_id=f"scripted_{played.serial}",
        )

    async def models(self) -> Sequence[ModelEntry]:
        return [self.model]

    async def count(self, request: Request) -> int | None:
        return None


def scripted(path: str) -> Scripted:
    """The provider for `--model scripted/PATH`, whose id is that path, so that a session finds it again; raises ConfigError."""
    script = read_script(path)
    return Scripted(script, msgspec.structs.replace(entry_of(script), id=path))


def entry_of(script: Script) -> ModelEntry:
    """A model that can do everything and costs nothing."""
    return ModelEntry(
        id=script.model,
        service="scripted",
        name=script.name,
        window=script.window,
        abilities=Abilities(vision=True, thinking=True, caching=True),
        thinking_levels=("off", "minimal", "low", "medium", "high", "xhigh"),
        prices=Prices(0.0, 0.0),
    )


def view_of(request: Request, model: str) -> View:
    """What a script can see of a neutral request."""
    asked = request.messages[-1] if request.messages else None
    first = next((message for message in request.messages if message.role == "user"), None)
    results = asked.tool_results if asked is not None and asked.role == "user" else ()
    return View(
        model=model,
        message="\n".join(_texts(asked)) if asked is not None else "",
        first=first.text if first is not None else "",
        system="\n\n".join(request.system),
        results=tuple(SeenResult(result.call_id, result.text, result.is_error) for result in results),
        tools=tuple(tool.name for tool in request.tools),
        plain=lambda: msgspec.to_builtins(request),
    )


def failure_of(fault: Fault) -> CodiError:
    """The error that a provider's adapter would raise under this fault."""
    where = "the scripted model"
    said = fault.message or f"scripted fault: {fault.kind}"
    again = "Send the prompt again."
    match fault.kind:
        case "status":
            return _failure_of_status(fault, said)
        case "error_event":
            return Overloaded(f"{where} is overloaded: {said}", hint=again, status=529)
        case "refuse" | "reset":
            return NetworkError(f"{where} cannot be reached: {said}", hint=again)
        case "stall" | "half_open":
            return IdleTimeout(f"{where} fell silent: {said}", hint=again)
        case "garbage" | "content_type" | "html" | "bad_utf8" | "json_in_stream":
            return MalformedAnswer(f"{where} answered no answer: {said}", hint=again)
    return StreamCut(f"{where} stopped in mid-answer: {said}", hint=again)


def _failure_of_status(fault: Fault, said: str) -> CodiError:
    status = status_of(fault)
    wait_s = float(fault.retry_after) if isinstance(fault.retry_after, int | float) else None
    again = "Wait a moment, then send the prompt again."
    if status in (401, 403):
        return CredentialError(f"the scripted model refused the key: {said}", hint="It is the script that does so.")
    if status == 404:
        return NotFound(said, hint="Choose another model.", status=status)
    if status == 429:
        return RateLimited(said, hint=again, status=status, retry_after_s=wait_s)
    if status in (503, 529):
        return Overloaded(said, hint=again, status=status, retry_after_s=wait_s)
    if status >= 500 or status == 408:
        return ServerFailed(said, hint=again, status=status)
    if fault.type == "context" or "too long" in said:
        return ContextOverflow(said, hint="Compact the conversation with /compact.", status=status)
    return BadRequest(said, hint="Correct the script.", status=status)


def status_of(fault: Fault) -> int:
    """The status of a `status` fault, which `at` may name as well."""
    if fault.status is not None:
        return fault.status
    return fault.at if fault.at is not None and 100 <= fault.at <= 599 else 500


def estimate(played: Played) -> tuple[int, int]:
    """Tokens of the output and, of these, of the thinking: a quarter of the characters."""
    thinking = -(-len(played.thinking) // 4)
    said = len(played.text) + sum(len(call.name) + len(call.arguments) for call in played.calls)
    return thinking + -(-said // 4), thinking


def _characters_before(fault: Fault) -> int:
    if fault.kind in ("cut", "unfinished", "stall", "half_open", "error_event", "reset", "gzip"):
        return fault.at or 0
    return 0


def _texts(message: Message) -> Iterator[str]:
    for block in message.blocks:
        if isinstance(block, Text | ToolResult):
            yield block.text


def _deltas(played: Played) -> Iterator[TextDelta | ThinkingDelta | ToolCallDelta]:
    index = 0
    if played.thinking:
        if not played.redacted:
            yield from (ThinkingDelta(piece, index) for piece in played.pieces(played.thinking, _USUAL_CHUNK))
        index += 1
    if played.text:
        yield from (TextDelta(piece, index) for piece in played.pieces(played.text, _USUAL_CHUNK))
        index += 1
    for at, call in enumerate(played.calls, index):
        pieces = played.pieces(call.arguments, _USUAL_CHUNK) or [""]
        yield ToolCallDelta(at, call.id, call.name, pieces[0])
        yield from (ToolCallDelta(at, text=piece) for piece in pieces[1:])


def _blocks(played: Played) -> Iterator[Block]:
    if played.thinking:
        shown = "" if played.redacted else played.thinking
        yield Thinking(shown, f"scripted-{played.serial}", played.redacted)
    if played.text:
        yield Text(played.text)
    for call in played.calls:
        yield call_from(call.id, call.name, call.arguments)


def _usage(request: Request, played: Played) -> Usage:
    given = played.usage if isinstance(played.usage, Spent) else Spent()
    output, thinking = estimate(played)
    encoded = sum(len(msgspec.json.encode(part)) for part in (request.system, request.tools, request.messages))
    return Usage(
        input=given.input if given.input is not None else -(-encoded // 4),
        output=given.output if given.output is not None else output,
        cache_read=given.cache_read or 0,
        cache_write=given.cache_write or 0,
        thinking=given.thinking if given.thinking is not None else thinking,
        estimated=played.usage == "none",
    )
