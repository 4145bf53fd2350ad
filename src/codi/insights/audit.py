"""The record of what was asked, decided and done, as a chain: each line names the hash of the one before it.

`audit/<time>_<session>.jsonl` in codi's home, a line each `{n, at, session, type, call_id, data, prev}`, on disk before the next is
written. `prev` is the SHA-256 of the line before, without its end; the first line of a file has that of a file before it, or
zeros. What it is told was redacted already.

A chain does not tell what was cut off at its end. So beside the folder, under `audit.heads`, lies for each file the number and the
hash of its last line, `000000000021 <hash>`, written once the line is on disk.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from codi.insights import lines
from codi.protocol.errors import SessionError
from codi.protocol.events import (
    ApprovalGiven,
    CallIntended,
    ChangesUndone,
    ContextCompacted,
    Entry,
    Event,
    Fact,
    MessageAdded,
    ModelChosen,
    PolicyChosen,
    SnapshotTaken,
    TurnEnded,
)
from codi.protocol.messages import Message, Text, ToolCall, ToolResult
from codi.protocol.network import Connection

START = "0" * 64
FOLDER = "audit"
_HEADS = "audit.heads"
_LONGEST = 50 * 1024 * 1024
_MOST_TEXT = 64 * 1024
_NAME = re.compile(r"[0-9T.-]+Z_(?P<session>.+)\.jsonl")


class AuditLine(Struct, frozen=True, kw_only=True):
    n: int
    at: str
    session: str
    type: str
    call_id: str | None
    data: dict[str, Any]
    prev: str


class Audit:
    """Of one opened session; close it at the end. Raises SessionError where nothing can be written: what must be on record does not
    happen without it."""

    def __init__(
        self,
        home: str,
        session: str,
        *,
        longest: int = _LONGEST,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = os.path.join(home, FOLDER)
        self._session = session
        self._longest = longest
        self._now = now
        self._known_calls: set[str] = set()
        self._n = 0
        try:
            self._prev = self._last_of_others()
        except OSError as error:
            raise self._unwritable(error) from error
        self.path = ""
        self._head = -1
        self._fd = self._begun()

    def hear(self, event: Event) -> None:
        if isinstance(event, Entry):
            for type, call_id, data in self._told(event.fact):
                self.write(type, data, call_id)

    def connected(self, connection: Connection) -> None:
        self.write("network", msgspec.to_builtins(connection))

    def write(self, type: str, data: Mapping[str, Any], call_id: str | None = None) -> None:
        """Raises SessionError."""
        self._n += 1
        line = msgspec.json.encode(
            AuditLine(
                n=self._n,
                at=_instant(self._now()),
                session=self._session,
                type=type,
                call_id=call_id,
                data=dict(data),
                prev=self._prev,
            )
        )
        try:
            lines.write(self._fd, line + b"\n")
            os.fdatasync(self._fd)
            self._prev = sha256(line).hexdigest()
            os.pwrite(self._head, f"{self._n:012} {self._prev}\n".encode(), 0)
            if os.fstat(self._fd).st_size >= self._longest:
                os.close(self._fd)
                os.close(self._head)
                self._n = 0
                self._fd = self._begun()
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self, reason: str = "closed") -> None:
        self.write("session_end", {"reason": reason})
        os.close(self._fd)
        os.close(self._head)

    def _begun(self) -> int:
        at = _instant(self._now()).replace(":", "-")
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            number = 1
            while True:
                name = f"{at}_{self._session}{'' if number == 1 else f'.{number}'}.jsonl"
                self.path = os.path.join(self._folder, name)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
                try:
                    opened = os.open(self.path, flags, 0o600)
                    break
                except FileExistsError:
                    number += 1
            head = _head_of(self.path)
            os.makedirs(os.path.dirname(head), mode=0o700, exist_ok=True)
            self._head = os.open(head, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            return opened
        except OSError as error:
            raise self._unwritable(error) from error

    def _last_of_others(self) -> str:
        """The hash of the last line of the newest file that has one."""
        for path in reversed(files(self._folder)):
            with open(path, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4 * 1024 * 1024))
                found = file.read().split(b"\n")[:-1]
            if found:
                return sha256(found[-1]).hexdigest()
        return START

    def _told(self, fact: Fact) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
        match fact:
            case MessageAdded(Message(role="assistant") as message, reply):
                data: dict[str, Any] = {"text": _cut(_words(message))}
                if reply:
                    data |= {
                        "stop": reply.stop,
                        "usage": msgspec.to_builtins(reply.usage),
                        "model": reply.response_model,
                    }
                    data |= {"error": reply.error} if reply.error else {}
                yield "api_response", None, data
                for block in message.blocks:
                    if isinstance(block, ToolCall):
                        self._known_calls.add(block.id)
                        yield "tool_call", block.id, {"tool": block.name, "arguments": block.arguments}
            case MessageAdded(message):
                results = [block for block in message.blocks if isinstance(block, ToolResult)]
                for result in results:
                    yield "tool_result", result.call_id, {"is_error": result.is_error, "text": _cut(result.text)}
                if not results:
                    yield "prompt", None, {"text": _cut(_words(message))}
            case CallIntended() if fact.tool_call_id not in self._known_calls:
                yield "tool_call", fact.tool_call_id, {"tool": fact.tool_name, "arguments": fact.arguments}
            case ApprovalGiven():
                told = {"decision": fact.decision, "by": fact.by, "rule_id": fact.rule_id, "tool": fact.tool_name}
                more = {"effects": msgspec.to_builtins(fact.effects), "remember": fact.remember, "text": fact.text}
                yield "approval", fact.tool_call_id, told | more
            case SnapshotTaken():
                yield "snapshot", None, {"id": fact.id, "tree": fact.tree, "turn": fact.turn, "when": fact.when}
            case ChangesUndone():
                yield "undo", None, msgspec.to_builtins(fact)
            case ContextCompacted():
                yield "compaction", None, {"first_kept": fact.first_kept, "tokens_before": fact.tokens_before}
            case ModelChosen():
                yield "model_chosen", None, {"provider": fact.provider, "model": fact.model_id}
            case PolicyChosen():
                yield "policy_chosen", None, {"mode": fact.mode, "rule_added": fact.rule_added, "by": fact.by}
            case TurnEnded(reason="limit" | "error" | "interrupted"):
                yield fact.reason, None, {"turn": fact.turn, "message": fact.message, "code": fact.code}

    def _unwritable(self, error: OSError) -> SessionError:
        return SessionError(
            f"the audit log cannot be written: {self._folder}: {error.strerror}",
            hint="Free some space or look who owns it, or go on without audit.enabled.",
        )


class Damage(Struct, frozen=True):
    """The first line of a file that is not as it was written."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def files(folder: str) -> list[str]:
    """The oldest first."""
    try:
        names = sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [os.path.join(folder, name) for name in names]


def lines_in(path: str) -> Iterator[AuditLine]:
    """Those that can be read."""
    with open(path, "rb") as file:
        for text in file:
            try:
                yield msgspec.json.decode(text, type=AuditLine)
            except (msgspec.DecodeError, RecursionError):
                continue


def session_of(path: str) -> str:
    found = _NAME.fullmatch(os.path.basename(path))
    return re.sub(r"\.\d+$", "", found["session"]) if found else ""


def damage(path: str, *, before: Mapping[str, str] | None = None) -> Damage | None:
    """What is wrong with a file; None where every line is as it was written. `before` are hashes of lines of other files, with
    those files: one of them must be what the first line names. Raises OSError."""
    with open(path, "rb") as file:
        texts = file.read().split(b"\n")
    end = texts.pop()
    prev: str | None = None
    for number, text in enumerate(texts, 1):
        try:
            line = msgspec.json.decode(text, type=AuditLine)
        except (msgspec.DecodeError, RecursionError):
            return Damage(path, number, "changed: it is no line of an audit log")
        if line.n != number:
            what = "removed before it" if line.n > number else "reordered"
            return Damage(path, number, f"line {number} is number {line.n}: a line was {what}")
        if prev is None and before is not None and line.prev != START and line.prev not in before:
            return Damage(path, number, "the line before it, in the file before, was removed or changed")
        if prev is not None and line.prev != prev:
            return Damage(path, number - 1, "changed: it has another hash than the line after it names")
        prev = sha256(text).hexdigest()
    if end:
        return Damage(path, len(texts) + 1, "cut off")
    if prev is None:
        return Damage(path, 1, "removed: the file is empty")
    number, hash = _last_written(path)
    if number > len(texts):
        return Damage(path, len(texts) + 1, "removed: the file went on")
    if number > 0 and sha256(texts[number - 1]).hexdigest() != hash:
        return Damage(path, number, "changed: it has another hash than when it was written")
    return None


def _head_of(path: str) -> str:
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.dirname(folder), _HEADS, name)


def _last_written(path: str) -> tuple[int, str]:
    """The number and the hash of the last line that was written; 0 where that is not known."""
    try:
        with open(_head_of(path), encoding="ascii", errors="replace") as file:
            number, hash = file.read(256).split()
            return int(number), hash
    except (OSError, ValueError):
        return 0, ""


def hashes_of(path: str) -> dict[str, str]:
    """Of each line its hash, with the file. Raises OSError."""
    with open(path, "rb") as file:
        return {sha256(text.rstrip(b"\n")).hexdigest(): path for text in file}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _words(message: Message) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, Text))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} [{len(text) - _MOST_TEXT} more characters]"
