"""Sessions of Codi in Rust: a database with the tables `sessions` and `session_messages`."""

from collections.abc import Iterable
from glob import glob
from typing import Any

from msgspec import DecodeError
from msgspec.json import decode

from codi.protocol.events import TodoItem, TodoWritten
from codi.protocol.messages import Block, ToolCall
from codi.sessions.imports.databases import opened, rows, tables
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    anthropic_blocks,
    arguments_of,
    listed,
    mapping,
    result_text,
    seconds,
    text,
)

_STATES = {"completed": "completed", "done": "completed", "in_progress": "in_progress", "active": "in_progress"}


class CodiRust:
    agent = "codi-rust"
    observed_version = "0.1"

    def sources(self, around: Surroundings) -> Iterable[str]:
        found = [*glob(f"{around.home}/.codi/*.db"), *glob(f"{around.home}/.codi/sessions/*.db")]
        return sorted(path for path in found if self._is_one(path))

    def recognises(self, path: str, head: bytes) -> bool:
        return head.startswith(b"SQLite format 3\0") and self._is_one(path)

    def _is_one(self, path: str) -> bool:
        try:
            with opened(path) as database:
                return {"sessions", "session_messages"} <= tables(database)
        except OSError:
            return False

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        found: list[FoundSession] = []
        with opened(path) as database:
            has_todos = "todos" in tables(database)
            for row in rows(database, "SELECT * FROM sessions"):
                session = self._session(row)
                found.append(session)
                key = row.get("id")
                for message in rows(
                    database, "SELECT rowid, * FROM session_messages WHERE session_id = ? ORDER BY rowid", key
                ):
                    session.records += 1
                    _take(session, message, text(row.get("provider")), text(row.get("model")))
                todos: Any = rows(database, "SELECT * FROM todos WHERE session_id = ?", key) if has_todos else None
                _take_todos(session, todos or _json(row.get("todos")))
        return found

    def _session(self, row: dict[str, Any]) -> FoundSession:
        created = seconds(row.get("created_at"))
        cwd = text(row.get("project_path", row.get("cwd", row.get("working_directory"))))
        session = FoundSession(self.agent, str(row.get("id")), cwd=cwd, created=created)
        session.parent = text(row.get("parent_id")) or None
        session.title = text(row.get("title")) or text(row.get("name"))
        session.observed_version = self.observed_version
        if summary := text(row.get("conversation_summary", row.get("summary"))):
            session.add_compaction(summary, created, record="summary")
        return session


def _take(session: FoundSession, row: dict[str, Any], provider: str, model: str) -> None:
    at, record = seconds(row.get("created_at", row.get("timestamp"))), f"message {row.get('id', row.get('rowid'))}"
    content = _json(row.get("content"))
    match row.get("role"):
        case "user":
            blocks = [mapping(block) for block in listed(content)]
            for block in blocks:
                if block.get("type") == "tool_result":
                    call_id, failed = text(block.get("tool_use_id")), block.get("is_error") is True
                    session.add_result(call_id, result_text(block.get("content")), at, error=failed, record=record)
            said = content if isinstance(content, str) else result_text([b for b in blocks if b.get("type") == "text"])
            session.add_person(said, at, record=record)
        case "assistant":
            said_blocks: list[Block] = anthropic_blocks(content)
            for call in map(mapping, listed(_json(row.get("tool_calls")))):
                function = mapping(call.get("function")) or call
                said_with = function.get("arguments", function.get("input"))
                said_blocks.append(ToolCall(text(call.get("id")), text(function.get("name")), arguments_of(said_with)))
            session.add_reply(
                said_blocks,
                at,
                provider=provider,
                model=text(row.get("model")) or model,
                record=record,
            )
        case "tool":
            call_id, tool = text(row.get("tool_call_id")), text(row.get("tool_name"))
            session.add_result(
                call_id, result_text(content), at, error=bool(row.get("is_error")), tool=tool, record=record
            )
        case role:
            session.add_raw(
                text(role) or "unknown", {name: _plain(value) for name, value in row.items()}, at, record=record
            )


def _take_todos(session: FoundSession, told: Any) -> None:
    items = []
    for todo in map(mapping, listed(told)):
        said = text(todo.get("content", todo.get("text", todo.get("title"))))
        state = _STATES.get(text(todo.get("status")), "pending")
        if said:
            items.append(TodoItem(said, state))  # type: ignore[arg-type]
    if items:
        session.add(TodoWritten(tuple(items)), session.modified, record="todos")


def _json(value: Any) -> Any:
    """What a column holds: JSON, or plain text."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return decode(value)
        except (DecodeError, RecursionError):
            return value
    return value


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
