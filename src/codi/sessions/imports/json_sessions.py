"""Sessions that are one JSON file each: of nanocoder, and of Codi in TypeScript."""

import os
from collections.abc import Iterable
from glob import glob
from typing import Any

from codi.protocol.messages import Block, Text, ToolCall
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    anthropic_blocks,
    arguments_of,
    json_in,
    listed,
    mapping,
    result_text,
    seconds,
    text,
)


class Nanocoder:
    agent = "nanocoder"
    observed_version = "1.20"

    def sources(self, around: Surroundings) -> Iterable[str]:
        folder = os.path.join(around.folder("XDG_DATA_HOME", ".local", "share"), "nanocoder", "sessions")
        return sorted(path for path in glob(f"{folder}/*.json") if os.path.basename(path) != "sessions.json")

    def recognises(self, path: str, head: bytes) -> bool:
        return path.endswith(".json") and b'"workingDirectory"' in head and b'"messages"' in head

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        told = json_in(path)
        whole = mapping(told)
        session = FoundSession(self.agent, text(whole.get("id")) or os.path.basename(path)[:-5])
        session.bad += not isinstance(told, dict)
        session.cwd, session.title = text(whole.get("workingDirectory")), text(whole.get("title"))
        session.created = seconds(whole.get("createdAt"))
        session.observed_version = self.observed_version
        _take_all(session, whole)
        return [session]


class CodiTypeScript:
    agent = "codi-ts"
    observed_version = "0.18"

    def sources(self, around: Surroundings) -> Iterable[str]:
        return sorted(glob(os.path.join(around.home, ".codi", "sessions", "*.json")))

    def recognises(self, path: str, head: bytes) -> bool:
        return path.endswith(".json") and (b'"projectPath"' in head or b'"conversationSummary"' in head)

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        told = json_in(path)
        whole = mapping(told)
        session = FoundSession(self.agent, os.path.basename(path)[:-5])
        session.bad += not isinstance(told, dict)
        session.cwd = text(whole.get("projectPath"))
        session.title = text(whole.get("label"))
        session.created = seconds(whole.get("createdAt"))
        session.observed_version = self.observed_version
        if summary := text(whole.get("conversationSummary")):
            session.add_compaction(summary, session.created, record="conversationSummary")
        _take_all(session, whole)
        return [session]


_KNOWN = {
    "name", "label", "projectPath", "projectName", "provider", "model", "messages", "conversationSummary", "createdAt",
    "updatedAt", "version", "id", "title", "workingDirectory", "lastAccessedAt", "messageCount",
}  # fmt: skip


def _take_all(session: FoundSession, whole: dict[str, Any]) -> None:
    session.lossy.update(whole.keys() - _KNOWN)
    provider, model = text(whole.get("provider")), text(whole.get("model"))
    for number, message in enumerate(listed(whole.get("messages"))):
        session.records += 1
        if isinstance(message, dict):
            _take(session, message, provider, model, f"message {number}")
        else:
            session.bad += 1


def _take(session: FoundSession, message: dict[str, Any], provider: str, model: str, record: str) -> None:
    at, content = seconds(message.get("timestamp")), message.get("content")
    match message.get("role"):
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
            for call in map(mapping, listed(message.get("tool_calls"))):
                function = mapping(call.get("function")) or call
                said_blocks.append(
                    ToolCall(text(call.get("id")), text(function.get("name")), arguments_of(function.get("arguments")))
                )
            session.add_reply(said_blocks or [Text("")], at, provider=provider, model=model, record=record)
        case "tool":
            said = result_text(content)
            failed = said.startswith("Error:")
            session.add_result(
                text(message.get("tool_call_id")), said, at, error=failed, tool=text(message.get("name")), record=record
            )
        case role:
            session.add_raw(text(role) or "unknown", message, at, record=record)
