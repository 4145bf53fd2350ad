"""Sessions of Cursor: transcripts of its agent, and the databases of its chats. Its times cannot be relied upon.

The databases are huge, so keys are read and not files.
"""

import os
from collections.abc import Iterable
from glob import glob
from typing import Any

from codi.protocol.messages import Block, Text, Thinking, ToolCall
from codi.sessions.imports.databases import json_of, opened, rows, tables
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    anthropic_blocks,
    arguments_of,
    listed,
    mapping,
    objects_of,
    result_text,
    seconds,
    text,
)

_ESTIMATED = "times (estimated)"


class Cursor:
    agent = "cursor"
    observed_version = "2.3"

    def sources(self, around: Surroundings) -> Iterable[str]:
        home = os.path.join(around.home, ".cursor")
        config = around.folder("XDG_CONFIG_HOME", ".config")
        return [
            *sorted(glob(f"{home}/projects/*/agent-transcripts/**/*.jsonl", recursive=True)),
            *sorted(glob(f"{home}/chats/*/*/store.db")),
            *sorted(glob(f"{config}/Cursor/User/globalStorage/state.vscdb")),
            *sorted(glob(f"{around.home}/Library/Application Support/Cursor/User/globalStorage/state.vscdb")),
        ]

    def recognises(self, path: str, head: bytes) -> bool:
        if "/agent-transcripts/" in path:
            return True
        if not head.startswith(b"SQLite format 3\0"):
            return False
        try:
            with opened(path) as database:
                names = tables(database)
        except OSError:
            return False
        return "cursorDiskKV" in names or names >= {"blobs", "meta"}

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        if path.endswith(".jsonl"):
            return [self._transcript(path, around)]
        if path.endswith(".vscdb"):
            return self._composers(path)
        return [self._store(path)]

    def _new(self, key: str, at: float, cwd: str = "") -> FoundSession:
        session = FoundSession(self.agent, key, cwd=cwd, created=at)
        session.observed_version = self.observed_version
        session.lossy[_ESTIMATED] += 1
        return session

    def _transcript(self, path: str, around: Surroundings) -> FoundSession:
        project = path.partition("/agent-transcripts/")[0].rpartition("/")[2]
        cwd = next((known for known in (around.cwd, *around.known) if _dashed(known) == project), "")
        session = self._new(os.path.basename(path)[:-6], os.path.getmtime(path), cwd)
        for line in objects_of(path, session):
            session.records += 1
            message = mapping(line.get("message")) or line
            _take(session, text(line.get("role")) or text(message.get("role")), message.get("content"), line)
        return session

    def _store(self, path: str) -> FoundSession:
        with opened(path) as database:
            meta: dict[str, Any] = {}
            for row in rows(database, "SELECT value FROM meta"):
                value = row["value"]
                try:
                    meta |= json_of(bytes.fromhex(value) if isinstance(value, str) else value)
                except ValueError:
                    meta |= json_of(value)
            key = text(meta.get("agentId")) or os.path.basename(os.path.dirname(path))
            session = self._new(key, seconds(meta.get("createdAt")))
            session.title = text(meta.get("name"))
            for row in rows(database, "SELECT rowid, data FROM blobs ORDER BY rowid"):
                session.records += 1
                told = json_of(row["data"])
                if not told:
                    session.lossy["records that are no JSON"] += 1
                    continue
                _take(session, text(told.get("role")), told.get("content"), told)
        return session

    def _composers(self, path: str) -> list[FoundSession]:
        found: list[FoundSession] = []
        with opened(path) as database:
            for row in rows(database, "SELECT key, value FROM cursorDiskKV WHERE key LIKE 'composerData:%'"):
                composer = json_of(row["value"])
                key = text(row["key"]).partition(":")[2]
                session = self._new(key, seconds(composer.get("createdAt")))
                session.title = text(composer.get("name"))
                bubbles = [mapping(bubble) for bubble in listed(composer.get("conversation"))]
                for head in map(mapping, listed(composer.get("fullConversationHeadersOnly"))):
                    wanted = f"bubbleId:{key}:{text(head.get('bubbleId'))}"
                    for bubble in rows(database, "SELECT value FROM cursorDiskKV WHERE key = ?", wanted):
                        bubbles.append(json_of(bubble["value"]))
                for bubble in bubbles:
                    session.records += 1
                    _take_bubble(session, bubble)
                found.append(session)
        return found


def _dashed(folder: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in folder).strip("-")


def _take(session: FoundSession, role: str, content: Any, record: dict[str, Any]) -> None:
    blocks = [mapping(block) for block in listed(content)]
    results = [block for block in blocks if block.get("type") in ("tool_result", "tool-result")]
    for block in results:
        call_id = text(block.get("tool_use_id", block.get("toolCallId")))
        said = result_text(block.get("content", block.get("result")))
        session.add_result(call_id, said, 0.0, error=block.get("is_error") is True)
    match role:
        case "user":
            said = content if isinstance(content, str) else result_text([b for b in blocks if b.get("type") == "text"])
            session.add_person(said, 0.0)
        case "assistant":
            session.add_reply(anthropic_blocks(content), 0.0, model=text(record.get("model")))
        case "tool" if results:
            pass
        case _:
            session.add_raw(role or "unknown", record, 0.0)


def _take_bubble(session: FoundSession, bubble: dict[str, Any]) -> None:
    said = text(bubble.get("text"))
    if bubble.get("type") == 1:
        session.add_person(said, seconds(bubble.get("createdAt")))
        return
    if bubble.get("type") != 2:
        session.add_raw("bubble", bubble, 0.0)
        return
    blocks: list[Block] = []
    if thought := text(mapping(bubble.get("thinking")).get("text")):
        blocks.append(Thinking(thought))
    if said.strip():
        blocks.append(Text(said))
    tool = mapping(bubble.get("toolFormerData"))
    call_id = text(tool.get("toolCallId")) or f"call_{len(session.entries)}"
    if name := text(tool.get("name")):
        blocks.append(ToolCall(call_id, name, arguments_of(tool.get("rawArgs", tool.get("params")))))
    at = seconds(bubble.get("createdAt"))
    session.add_reply(blocks, at, model=text(mapping(bubble.get("modelInfo")).get("modelName")))
    if name and "result" in tool:
        session.add_result(call_id, result_text(tool["result"]), at, error=tool.get("status") == "error")
