"""Sessions of Codex: `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`, older `.json` files, and `history.jsonl` with prompts alone.

What was said is told twice, as `response_item` and as `event_msg`; of the latter only what the former lacks is used.
"""

import os
from collections.abc import Iterable
from glob import glob
from typing import Any

from codi.protocol.messages import Block, Text, Thinking, ToolCall, Usage
from codi.sessions.imports.found import (
    FoundSession,
    Surroundings,
    arguments_of,
    image_at,
    json_in,
    listed,
    mapping,
    number,
    objects_of,
    result_text,
    seconds,
    text,
)

_OF_PROGRAM = ("<environment_context>", "<user_instructions>", "<permissions instructions>", "# AGENTS.md instructions")
_CALLS = ("function_call", "custom_tool_call", "local_shell_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_REPEATED = {
    "user_message", "agent_message", "agent_reasoning", "task_started", "task_complete", "exec_command_begin",
    "patch_apply_begin", "agent_message_delta", "agent_reasoning_delta", "turn_aborted",
}  # fmt: skip


class Codex:
    agent = "codex"
    observed_version = "0.60"

    def sources(self, around: Surroundings) -> Iterable[str]:
        home = around.folder("CODEX_HOME", ".codex")
        found = [
            path
            for folder in ("sessions", "archived_sessions")
            for ending in ("jsonl", "json")
            for path in glob(f"{home}/{folder}/**/rollout-*.{ending}", recursive=True)
        ]
        return [*sorted(found), *glob(f"{home}/history.jsonl")]

    def recognises(self, path: str, head: bytes) -> bool:
        name, first = os.path.basename(path), head.partition(b"\n")[0]
        if name == "history.jsonl":
            return b'"session_id"' in first and b'"ts"' in first
        if path.endswith(".json"):
            return b'"items"' in head and b'"session"' in head
        return b'"session_meta"' in first or (name.startswith("rollout-") and b'"timestamp"' in first)

    def read(self, path: str, around: Surroundings) -> Iterable[FoundSession]:
        if os.path.basename(path) == "history.jsonl":
            return self._history(path, around)
        session = FoundSession(self.agent, _key_of(path))
        session.observed_version = self.observed_version
        reading = _Reading(session)
        if path.endswith(".json"):
            whole = mapping(json_in(path))
            head = mapping(whole.get("session"))
            session.created, session.cwd = seconds(head.get("timestamp")), text(head.get("cwd"))
            session.key = text(head.get("id")) or session.key
            for item in listed(whole.get("items")):
                session.records += 1
                reading.item(mapping(item), seconds(mapping(item).get("timestamp")) or session.created)
        else:
            for line in objects_of(path, session):
                session.records += 1
                reading.line(line)
        reading.flush()
        return [session]

    def _history(self, path: str, around: Surroundings) -> list[FoundSession]:
        """The prompts of sessions of which nothing else is left."""
        whole = {_key_of(source) for source in self.sources(around) if not source.endswith("history.jsonl")}
        found: dict[str, FoundSession] = {}
        for line in objects_of(path):
            key = text(line.get("session_id"))
            if key and not any(key in name for name in whole):
                session = found.setdefault(key, FoundSession(self.agent, key))
                session.records += 1
                session.lossy["answers"] = 1
                session.observed_version = self.observed_version
                session.add_person(text(line.get("text")), seconds(line.get("ts")))
        return list(found.values())


def _key_of(path: str) -> str:
    """The id at the end of the name, behind the time."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return stem[-36:] if len(stem) >= 36 and stem[-28] == "-" else stem


class _Reading:
    """Puts together what a model said in one go, which stands in several records."""

    def __init__(self, session: FoundSession) -> None:
        self._session = session
        self._blocks: list[Block] = []
        self._open: list[str] = []
        self._at = 0.0
        self._model = self._provider = ""
        self._failed: set[str] = set()
        self._outputs: dict[str, str] = {}
        self._answered: set[str] = set()

    def line(self, line: dict[str, Any]) -> None:
        at, payload = seconds(line.get("timestamp")), mapping(line.get("payload"))
        session = self._session
        match line.get("type"):
            case "session_meta":
                session.key = text(payload.get("id")) or session.key
                session.cwd = text(payload.get("cwd"))
                session.created = seconds(payload.get("timestamp")) or at
                session.observed_version = text(payload.get("cli_version")) or session.observed_version
                self._provider = text(payload.get("model_provider"))
            case "turn_context":
                self._model = text(payload.get("model")) or self._model
                session.cwd = session.cwd or text(payload.get("cwd"))
            case "response_item":
                self.item(payload, at)
            case "compacted":
                self.flush()
                session.add_compaction(text(payload.get("message")), at)
            case "event_msg":
                self._event(payload, at)
            case kind:
                # The oldest files hold the items bare.
                if kind in ("message", "reasoning", *_CALLS, *_OUTPUTS):
                    self.item(line, at)
                elif "id" in line and "timestamp" in line and kind is None:
                    session.key, session.created = text(line["id"]) or session.key, at
                else:
                    session.add_raw(text(kind) or "unknown", line, at)

    def item(self, item: dict[str, Any], at: float) -> None:
        session = self._session
        match item.get("type"):
            case "message":
                parts = [mapping(part) for part in listed(item.get("content"))]
                said = "".join(text(part.get("text")) for part in parts)
                if item.get("role") == "assistant":
                    self._say(Text(said), at)
                    return
                self.flush()
                if item.get("role") != "user" or said.lstrip().startswith(_OF_PROGRAM):
                    session.add_raw(f"message of {item.get('role')}", item, at)
                else:
                    images = [image for part in parts if (image := image_at(text(part.get("image_url"))))]
                    session.add_person(said, at, images)
            case "reasoning":
                parts = listed(item.get("summary")) or listed(item.get("content"))
                if said := "\n".join(text(mapping(part).get("text")) for part in parts).strip():
                    self._say(Thinking(said), at)
                elif item.get("encrypted_content"):
                    session.lossy["encrypted reasoning"] += 1
            case "function_call" | "custom_tool_call" | "local_shell_call":
                call_id = text(item.get("call_id", item.get("id")))
                said_with = item.get("arguments", item.get("input", mapping(item.get("action"))))
                name = text(item.get("name")) or "shell"
                self._say(ToolCall(call_id, name, arguments_of(said_with)), at)
            case "function_call_output" | "custom_tool_call_output":
                self._speak()
                self._result(text(item.get("call_id")), item.get("output"), at)
            case kind:
                self.flush()
                session.add_raw(text(kind) or "unknown", item, at)

    def _event(self, event: dict[str, Any], at: float) -> None:
        match event.get("type"):
            case "token_count":
                last = mapping(mapping(event.get("info")).get("last_token_usage"))
                cached = number(last.get("cached_input_tokens"))
                usage = Usage(
                    input=max(number(last.get("input_tokens")) - cached, 0),
                    output=number(last.get("output_tokens")),
                    cache_read=cached,
                    thinking=number(last.get("reasoning_output_tokens")),
                )
                self._speak()
                self._session.give_usage(usage)
            case "exec_command_end" | "patch_apply_end":
                call_id = text(event.get("call_id"))
                failed = event.get("exit_code") not in (0, None) or event.get("success") is False
                if failed:
                    self._failed.add(call_id)
                parts = [text(event.get(name)) for name in ("aggregated_output", "stdout", "stderr")]
                self._outputs[call_id] = parts[0] or "\n".join(part for part in parts[1:] if part)
            case kind if kind not in _REPEATED:
                self._session.add_raw(f"event {kind}", event, at)

    def _result(self, call_id: str, output: Any, at: float) -> None:
        failed = call_id in self._failed
        if isinstance(output, str) and output.startswith("{"):
            told = arguments_of(output)
            code = mapping(told.get("metadata")).get("exit_code")
            failed = failed or code not in (0, None)
            output = told.get("output", output)
        elif isinstance(output, dict):
            failed = failed or output.get("success") is False
            output = output.get("content")
        self._answered.add(call_id)
        self._session.add_result(call_id, result_text(output), at, error=failed)

    def _say(self, block: Block, at: float) -> None:
        if not self._blocks or any(isinstance(said, ToolCall) and said.id in self._outputs for said in self._blocks):
            self.flush()
        self._blocks.append(block)
        self._at = at

    def flush(self) -> None:
        """What was said so far is one reply, and its calls have had their results."""
        self._speak()
        self._answer_open()

    def _speak(self) -> None:
        blocks, self._blocks = self._blocks, []
        if blocks:
            self._session.add_reply(blocks, self._at, provider=self._provider or "openai", model=self._model)
            self._open += [block.id for block in blocks if isinstance(block, ToolCall)]

    def _answer_open(self) -> None:
        """Calls whose output was told as an event alone."""
        waiting, self._open = self._open, []
        for call_id in waiting:
            if call_id in self._outputs and call_id not in self._answered:
                self._result(call_id, self._outputs[call_id], self._at)
