"""Sessions of opencode: its database, or where there is none the files that it wrote before."""

import os
from collections.abc import Iterable, Iterator
from glob import glob
from typing import Any

from codi.protocol.messages import Block, Text, Thinking, ToolCall, Usage
from codi.sessions.imports.databases import json_of, opened, rows, tables
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    arguments_of,
    cost_of,
    image_at,
    json_in,
    mapping,
    number,
    result_text,
    seconds,
    text,
)


class OpenCode:
    agent = "opencode"
    observed_version = "1.1"

    def sources(self, around: Surroundings) -> Iterable[str]:
        home = os.path.join(around.folder("XDG_DATA_HOME", ".local", "share"), "opencode")
        databases = sorted(glob(f"{home}/opencode*.db"))
        # What is in the database stands in the files too, where those were left lying.
        return databases or sorted(glob(f"{home}/storage/session/*/*.json") or glob(f"{home}/storage/session/*.json"))

    def recognises(self, path: str, head: bytes) -> bool:
        if head.startswith(b"SQLite format 3\0"):
            try:
                with opened(path) as database:
                    return {"session", "message", "part"} <= tables(database)
            except OSError:
                return False
        return "/storage/session/" in path and b'"projectID"' in head

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        if path.endswith(".db"):
            return list(self._database(path))
        return [self._files(path)]

    def _database(self, path: str) -> Iterator[FoundSession]:
        with opened(path) as database:
            for row in rows(database, "SELECT * FROM session"):
                session = self._session(row, seconds(row.get("time_created")))
                key = row.get("id")
                parts: dict[str, list[dict[str, Any]]] = {}
                for part in rows(database, "SELECT * FROM part WHERE session_id = ? ORDER BY id", key):
                    parts.setdefault(text(part.get("message_id")), []).append(
                        {"id": part.get("id"), **json_of(part.get("data"))}
                    )
                messages = rows(database, "SELECT * FROM message WHERE session_id = ? ORDER BY time_created, id", key)
                for message in messages:
                    _take(session, {"id": message["id"], **json_of(message.get("data"))}, parts.get(message["id"], []))
                yield session

    def _files(self, path: str) -> FoundSession:
        told = mapping(json_in(path))
        session = self._session(told, seconds(mapping(told.get("time")).get("created")))
        storage = path[: path.index("/storage/session/") + len("/storage/")] if "/storage/session/" in path else ""
        found = [mapping(json_in(each)) for each in glob(f"{storage}message/{session.key}/*.json")]
        for message in sorted(
            found, key=lambda each: (seconds(mapping(each.get("time")).get("created")), text(each.get("id")))
        ):
            parts = sorted(glob(f"{storage}part/{text(message.get('id'))}/*.json"))
            _take(session, message, [mapping(json_in(each)) for each in parts])
        return session

    def _session(self, told: dict[str, Any], created: float) -> FoundSession:
        cwd = text(told.get("directory"))
        session = FoundSession(self.agent, text(told.get("id")), cwd=cwd, created=created)
        session.parent = text(told.get("parent_id", told.get("parentID"))) or None
        session.title = text(told.get("title"))
        session.observed_version = text(told.get("version")) or self.observed_version
        return session


def _take(session: FoundSession, message: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    session.records += 1
    at, record = seconds(mapping(message.get("time")).get("created")), text(message.get("id"))
    session.cwd = session.cwd or text(mapping(message.get("path")).get("cwd"))
    if message.get("role") == "user":
        said = "".join(
            text(part.get("text")) for part in parts if part.get("type") == "text" and not part.get("synthetic")
        )
        images = [image for part in parts if (image := image_at(text(part.get("url"))))]
        session.add_person(said, at, images, record=record)
        for part in parts:
            if part.get("type") != "text" and not image_at(text(part.get("url"))):
                session.add_raw(text(part.get("type")) or "unknown", part, at, record=record)
        return
    blocks: list[Block] = []
    results: list[dict[str, Any]] = []
    is_counted = False
    for part in parts:
        match part.get("type"):
            case "text" if text(part.get("text")).strip():
                blocks.append(Text(text(part["text"])))
            case "reasoning" if text(part.get("text")).strip():
                blocks.append(Thinking(text(part["text"])))
            case "tool":
                state = mapping(part.get("state"))
                call_id = text(part.get("callID")) or text(part.get("id"))
                blocks.append(ToolCall(call_id, text(part.get("tool")), arguments_of(state.get("input"))))
                results.append({"id": call_id, **state})
            case "step-finish":
                # Each step is a reply of its own.
                _speak(session, blocks, results, at, message, _usage(part))
                blocks, results, is_counted = [], [], True
            case "step-start" | "text" | "reasoning":
                pass
            case kind:
                session.add_raw(text(kind) or "unknown", part, at, record=record)
    if blocks or message.get("error"):
        _speak(session, blocks, results, at, message, Usage() if is_counted else _usage(message))


def _speak(
    session: FoundSession,
    blocks: list[Block],
    results: list[dict[str, Any]],
    at: float,
    message: dict[str, Any],
    usage: Usage,
) -> None:
    record = text(message.get("id"))
    failure = mapping(message.get("error"))
    error = text(mapping(failure.get("data")).get("message")) or text(failure.get("name")) or None
    session.add_reply(
        blocks,
        at,
        provider=text(message.get("providerID")),
        model=text(message.get("modelID")),
        usage=usage,
        error=error,
        record=record,
    )
    for state in results:
        if state.get("status") in ("completed", "error") or "output" in state:
            said = result_text(state.get("output", state.get("error")))
            session.add_result(state["id"], said, at, error=state.get("status") == "error", record=record)


def _usage(told: dict[str, Any]) -> Usage:
    tokens = mapping(told.get("tokens"))
    cache = mapping(tokens.get("cache"))
    return Usage(
        input=number(tokens.get("input")),
        output=number(tokens.get("output")) + number(tokens.get("reasoning")),
        cache_read=number(cache.get("read")),
        cache_write=number(cache.get("write")),
        thinking=number(tokens.get("reasoning")),
        cost=cost_of(told.get("cost")),
    )
