"""Sessions of Gemini CLI: `~/.gemini/tmp/<hash of the directory>/chats/session-*.json`, or `.jsonl` with changes to what was said."""

import os
from collections.abc import Iterable
from glob import glob
from hashlib import sha256
from typing import Any

from codi.protocol.messages import Block, Image, Text, Thinking, ToolCall, Usage
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    arguments_of,
    json_in,
    listed,
    mapping,
    number,
    objects_of,
    result_text,
    seconds,
    text,
)

_REWINDS = ("$rewindTo", "$rewind", "rewindTo")


class Gemini:
    agent = "gemini"
    observed_version = "0.20"

    def sources(self, around: Surroundings) -> Iterable[str]:
        folder = os.path.join(around.folder("GEMINI_CLI_HOME", ""), ".gemini", "tmp")
        return sorted([*glob(f"{folder}/*/chats/session-*.json"), *glob(f"{folder}/*/chats/session-*.jsonl")])

    def recognises(self, path: str, head: bytes) -> bool:
        return b'"projectHash"' in head or (b'"sessionId"' in head and b'"gemini"' in head)

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        session = FoundSession(self.agent, os.path.splitext(os.path.basename(path))[0])
        session.observed_version = self.observed_version
        head, messages = _lines(path, session) if path.endswith(".jsonl") else _whole(path, session)
        session.key = text(head.get("sessionId")) or session.key
        session.created = seconds(head.get("startTime"))
        session.title = text(head.get("summary"))
        session.cwd = _directory(text(head.get("projectHash")), path, around)
        for message in messages:
            session.records += 1
            _take(session, message)
        return [session]


def _whole(path: str, session: FoundSession) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    told = json_in(path)
    if not isinstance(told, dict):
        session.bad += 1
    whole = mapping(told)
    return whole, [mapping(message) for message in listed(whole.get("messages"))]


def _lines(path: str, session: FoundSession) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The messages that stand when all changes are made: one that is told again is replaced, and a rewind takes away the message
    that it names and all behind it, or all where none is of that name. A change that tells messages tells all of them."""
    head: dict[str, Any] = {}
    messages: dict[str, dict[str, Any]] = {}
    for at, line in enumerate(objects_of(path, session)):
        if "$set" in line or "messages" in line:
            told = mapping(line.get("$set", line))
            if isinstance(told.get("messages"), list):
                all_of_them = [mapping(message) for message in told["messages"]]
                messages = {
                    text(message.get("id")) or f"line {at} {place}": message
                    for place, message in enumerate(all_of_them)
                }
            head |= told
            continue
        rewind = next((text(line[name]) for name in _REWINDS if name in line), None)
        if rewind is None and line.get("type") == "rewind":
            rewind = text(line.get("messageId", line.get("id")))
        if rewind is not None:
            ids = list(messages)
            for gone in ids[ids.index(rewind) :] if rewind in messages else ids:
                del messages[gone]
        elif "type" in line:
            messages[text(line.get("id")) or f"line {at}"] = line
        else:
            head |= line
    return head, list(messages.values())


def _directory(digest: str, path: str, around: Surroundings) -> str:
    """The directory of which only a hash is told, if it is one that is known; else nobody knows."""
    folder = os.path.dirname(os.path.dirname(path))
    digests = (digest, os.path.basename(folder))
    try:
        with open(os.path.join(folder, ".project_root"), encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        pass
    for known in (around.cwd, *around.known):
        if sha256(known.encode("utf-8", "surrogateescape")).hexdigest() in digests:
            return known
    return ""


def _take(session: FoundSession, message: dict[str, Any]) -> None:
    at, record = seconds(message.get("timestamp")), text(message.get("id"))
    said = _said(message.get("content"))
    match message.get("type"):
        case "user":
            session.add_person(said, at, _images(message.get("content")), record=record)
        case "gemini":
            blocks: list[Block] = []
            for thought in map(mapping, listed(message.get("thoughts"))):
                words = [text(thought.get("subject")), text(thought.get("description"))]
                blocks.append(Thinking("\n".join(word for word in words if word)))
            blocks += [Text(said)] if said.strip() else []
            calls = [mapping(call) for call in listed(message.get("toolCalls"))]
            blocks += [
                ToolCall(text(call.get("id")), text(call.get("name")), arguments_of(call.get("args"))) for call in calls
            ]
            session.add_reply(
                blocks,
                at,
                provider="google",
                model=text(message.get("model")),
                usage=_usage(mapping(message.get("tokens"))),
                record=record,
            )
            for call in calls:
                _take_result(session, call, at, record)
        case kind:
            session.add_raw(text(kind) or "unknown", message, at, record=record)


def _take_result(session: FoundSession, call: dict[str, Any], at: float, record: str) -> None:
    told = call.get("result")
    if told is None and call.get("status") not in ("success", "error", "cancelled"):
        return
    parts = [mapping(mapping(mapping(part).get("functionResponse")).get("response")) for part in listed(told)]
    texts = [text(part.get("output")) or text(part.get("error")) or (repr(part) if part else "") for part in parts]
    said = told if isinstance(told, str) else "\n".join(texts) or result_text(call.get("resultDisplay"))
    failed = call.get("status") in ("error", "cancelled")
    session.add_result(text(call.get("id")), said, seconds(call.get("timestamp")) or at, error=failed, record=record)


def _said(content: Any) -> str:
    return content if isinstance(content, str) else "".join(text(mapping(part).get("text")) for part in listed(content))


def _images(content: Any) -> list[Image]:
    data = [mapping(mapping(part).get("inlineData")) for part in listed(content)]
    return [Image(text(each["data"]), text(each.get("mimeType"))) for each in data if each.get("data")]


def _usage(told: dict[str, Any]) -> Usage:
    cached = number(told.get("cached"))
    return Usage(
        input=max(number(told.get("input")) - cached, 0),
        output=number(told.get("output")) + number(told.get("thoughts")),
        cache_read=cached,
        thinking=number(told.get("thoughts")),
    )
