"""Sessions of Claude Code: `~/.claude/projects/<directory>/<id>.jsonl`, a tree of lines.

Lines of sub-agents, in a file of their own or marked as a side chain, become sessions that have the main one as their parent.
"""

import os
from collections.abc import Iterable
from glob import glob
from typing import Any

from codi.protocol.messages import Usage
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    anthropic_blocks,
    image_of,
    listed,
    mapping,
    number,
    objects_of,
    result_text,
    seconds,
    text,
)


class ClaudeCode:
    agent = "claude-code"
    observed_version = "2.0"

    def sources(self, around: Surroundings) -> Iterable[str]:
        folder = os.path.join(around.folder("CLAUDE_CONFIG_DIR", ".claude"), "projects")
        return sorted([*glob(f"{folder}/*/*.jsonl"), *glob(f"{folder}/*/*/subagents/agent-*.jsonl")])

    def recognises(self, path: str, head: bytes) -> bool:
        first = head.split(b"\n")[:20]
        return path.endswith(".jsonl") and any(
            (b'"sessionId"' in line and (b'"parentUuid"' in line or b'"uuid"' in line)) for line in first
        )

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        stem = os.path.basename(path).removesuffix(".jsonl")
        is_agent = stem.startswith("agent-")
        main = FoundSession(self.agent, stem)
        aside: dict[str, FoundSession] = {}
        chains: dict[str, str] = {}
        counted: set[tuple[str, str]] = set()
        told = _Told()
        for line in objects_of(path, main):
            main.records += 1
            if line.get("type") == "summary" and (said := text(line.get("summary"))):
                main.title = said
                continue
            if is_agent and not main.parent:
                main.parent = text(line.get("sessionId")) or os.path.basename(os.path.dirname(os.path.dirname(path)))
            session = main
            if line.get("isSidechain") is True and not is_agent:
                record = text(line.get("uuid"))
                chain = chains[record] = chains.get(text(line.get("parentUuid")), record)
                session = aside.setdefault(chain, FoundSession(self.agent, f"{stem}-side-{chain}"))
                session.parent = stem
            session.cwd = session.cwd or text(line.get("cwd"))
            session.observed_version = session.observed_version or text(line.get("version"))
            self._take(session, line, told.parent_of(line), counted)
        return [main, *aside.values()]

    def _take(self, session: FoundSession, line: dict[str, Any], parent: str, counted: set[tuple[str, str]]) -> None:
        at, record = seconds(line.get("timestamp")), text(line.get("uuid"))
        place = {"record": record, "parent": parent or None}
        message = mapping(line.get("message"))
        kind = line.get("type")
        content = message.get("content")
        if line.get("isCompactSummary") is True:
            session.add_compaction(_words(content), at, **place)
        elif kind == "assistant" and not line.get("isMeta"):
            usage = mapping(message.get("usage"))
            request = _request(line)
            is_new = request not in counted
            counted.add(request)
            session.add_reply(
                anthropic_blocks(content),
                at,
                provider="anthropic",
                model=text(message.get("model")),
                usage=_usage(usage) if is_new else None,
                error=_words(content) if line.get("isApiErrorMessage") is True else None,
                **place,
            )
            session.add_unknown_blocks(content, at, **place)
        elif kind == "user" and not line.get("isMeta"):
            session.lossy.update(["toolUseResult"] if "toolUseResult" in line else [])
            self._take_user(session, content, at, place)
        else:
            session.add_raw(text(kind) or "unknown", line, at, **place)

    def _take_user(self, session: FoundSession, content: Any, at: float, place: dict[str, Any]) -> None:
        """What the person said, and the results that travel beside it."""
        if isinstance(content, str):
            session.add_person(content, at, **place)
            return
        blocks = [mapping(block) for block in listed(content)]
        for block in blocks:
            if block.get("type") == "tool_result":
                inner = listed(block.get("content"))
                images = [image for part in inner if (image := image_of(mapping(part)))]
                said = result_text(block.get("content"))
                call_id, failed = text(block.get("tool_use_id")), block.get("is_error") is True
                session.add_result(call_id, said, at, error=failed, images=images, **place)
        said = "".join(text(block.get("text")) for block in blocks if block.get("type") == "text")
        images = [image for block in blocks if block.get("type") == "image" and (image := image_of(block))]
        session.add_person(said, at, images, **place)
        session.add_unknown_blocks(content, at, **place)


class _Told:
    """What is one reply stands in several lines, one a block, and the result of each call hangs on the line of that call. Of several
    calls at once all but one result would be beside the path; so the lines of a reply and its results follow each other."""

    def __init__(self) -> None:
        self._replies: dict[str, tuple[str, str]] = {}
        self._newest: dict[tuple[str, str], str] = {}

    def parent_of(self, line: dict[str, Any]) -> str:
        """The record behind which this one stands."""
        record, parent = text(line.get("uuid")), text(line.get("parentUuid"))
        message = mapping(line.get("message"))
        before = self._replies.get(parent)
        is_result = any(mapping(block).get("type") == "tool_result" for block in listed(message.get("content")))
        is_aside = line.get("type") not in ("user", "assistant")  # a hook's progress, between a call and its result
        reply = _request(line) if line.get("type") == "assistant" else before if is_result or is_aside else None
        if before:
            parent = self._newest[before]
        if record and reply and reply[0]:
            self._replies[record] = reply
            self._newest[reply] = record
        return parent


def _request(line: dict[str, Any]) -> tuple[str, str]:
    return text(mapping(line.get("message")).get("id")), text(line.get("requestId"))


def _words(content: Any) -> str:
    return content if isinstance(content, str) else result_text(listed(content))


def _usage(told: dict[str, Any]) -> Usage:
    return Usage(
        input=number(told.get("input_tokens")),
        output=number(told.get("output_tokens")),
        cache_read=number(told.get("cache_read_input_tokens")),
        cache_write=number(told.get("cache_creation_input_tokens")),
    )
