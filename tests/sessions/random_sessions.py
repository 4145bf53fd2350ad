"""Session files that nobody would write: lines of every kind, each part of them right, wrong, missing, foreign or doubled."""

import json
import random
from typing import Any

STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**63, "", " ", "x", "\x00", "\ud800", "\u2028", "é" * 300, [], {}, [None], {"type": "text"}, [[[]]],
)  # fmt: skip
IDS = ("aaaa0001", "aaaa0002", "aaaa0003", "aaaa0004", "", "root", "gone")
CALLS = ("c1", "c2", "c 3", "c1", "x" * 80)
TYPES = (
    "message", "message", "message", "message", "custom", "compaction", "branch_summary", "label", "session_info", "model_change",
    "thinking_level_change", "custom_message", "ToolUse", "Compaction", "hologram",
)  # fmt: skip
ROLES = (
    "user",
    "assistant",
    "assistant",
    "toolResult",
    "toolResult",
    "bashExecution",
    "custom",
    "hookMessage",
    "system",
    "narrator",
)
KINDS = (
    "codi/session", "codi/turn_start", "codi/turn_end", "codi/intent", "codi/effect", "codi/approval_asked", "codi/approval_given",
    "codi/snapshot", "codi/undo", "codi/todo", "codi/title", "codi/evidence", "codi/claim", "codi/policy", "codi/model",
    "codi/request", "codi/retry", "codi/prune", "codi/restore", "codi/uncompact", "codi/pin", "codi/queue", "codi/leaf",
    "codi/import", "codi/raw", "codi/note", "other/thing",
)  # fmt: skip
FIELDS = (
    "entryId", "entryIds", "compactionId", "pinned", "toolCallId", "toolName", "arguments", "effects", "decision", "by", "items",
    "steering", "followUp", "turn", "reason", "stats", "mode", "from", "to", "title", "name", "value", "agent", "type", "id", "state",
    "text", "tree", "when", "skipped", "provider", "modelId", "thinking", "window", "step", "segments", "tokens",
)  # fmt: skip


class RandomSession:
    """The same number gives the same file."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def content(self, cwd: str) -> bytes:
        chance = self._chance
        header = {
            "type": "session",
            "version": chance.choice([3, 3, 3, 2, 1, 9]),
            "id": f"fuzz-{chance.random()}",
            "cwd": cwd,
        }
        lines = [json.dumps(header | {"timestamp": "2026-01-01T00:00:00.000Z"}).encode()]
        for _ in range(chance.randrange(14)):
            line = json.dumps(self._entry()).encode()
            if chance.random() < 0.1:
                at = chance.randrange(len(line))
                line = line[:at] + bytes(chance.randrange(256) for _ in range(chance.randrange(4))) + line[at + 1 :]
            if chance.random() < 0.05:
                line += line
            lines.append(line)
        ending = chance.choice([b"\n", b"\n", b"\n", b"", b"\r\n"])
        content = ending.join(lines) if ending == b"\r\n" else b"\n".join(lines)
        return (b"\xef\xbb\xbf" if chance.random() < 0.05 else b"") + content + ending

    def _some(self, usual: Any) -> Any:
        """What belongs there, mostly."""
        return usual if self._chance.random() < 0.9 else self._chance.choice(STRANGE)

    def _entry(self) -> dict[str, Any]:
        chance = self._chance
        kind = chance.choice(TYPES)
        entry: dict[str, Any] = {
            "type": self._some(kind),
            "id": self._some(chance.choice(IDS)),
            "parentId": self._some(chance.choice([None, *IDS])),
            "timestamp": self._some("2026-01-01T00:00:00.000Z"),
        }
        if kind == "message":
            entry["message"] = self._some(self._message())
        elif kind == "custom":
            entry |= {"customType": chance.choice(KINDS), "data": self._some(self._data())}
        else:
            entry |= {
                "provider": self._some("anthropic"), "modelId": self._some("x"), "thinkingLevel": self._some("high"),
                "summary": self._some("A summary."), "firstKeptEntryId": self._some(chance.choice(IDS)), "tokensBefore": self._some(9),
                "fromId": self._some(chance.choice(IDS)), "customType": self._some("x"), "content": self._some(self._content()),
                "display": self._some(True), "targetId": self._some(chance.choice(IDS)), "label": self._some("l"),
                "name": self._some("n"), "details": self._some({"readFiles": []}),
            }  # fmt: skip
        for name in list(entry):
            if chance.random() < 0.03:
                del entry[name]
        return entry

    def _message(self) -> dict[str, Any]:
        chance = self._chance
        message = {
            "role": self._some(chance.choice(ROLES)),
            "content": self._some(self._content()),
            "timestamp": self._some(1767225600000),
        }
        match message["role"]:
            case "assistant":
                stop = chance.choice(["stop", "length", "toolUse", "error", "aborted", "whatever"])
                message |= {
                    "api": self._some("anthropic-messages"),
                    "provider": self._some("anthropic"),
                    "model": self._some("x"),
                }
                message |= {
                    "stopReason": self._some(stop),
                    "usage": self._some({"input": 1, "output": self._some(1), "cost": self._some({})}),
                }
            case "toolResult":
                message |= {"toolCallId": self._some(chance.choice(CALLS)), "toolName": self._some("read")}
                message |= {"isError": self._some(chance.random() < 0.5)}
            case "bashExecution":
                message |= {"command": self._some("ls"), "output": self._some("a"), "exitCode": self._some(0)}
                message |= {"cancelled": self._some(False), "truncated": self._some(False)}
            case "custom" | "hookMessage":
                message |= {"customType": self._some("x"), "display": self._some(True)}
        return message

    def _content(self) -> Any:
        chance = self._chance
        if chance.random() < 0.3:
            return chance.choice(["Words.", "", "\x1b[31mred", "é\u2028x"])
        return [self._some(self._block()) for _ in range(chance.randrange(4))]

    def _block(self) -> dict[str, Any]:
        chance = self._chance
        return chance.choice(
            [
                {"type": "text", "text": self._some("Words.")},
                {"type": "text", "text": self._some(""), "textSignature": self._some("s")},
                {"type": "thinking", "thinking": self._some("Hm."), "thinkingSignature": self._some("s")},
                {"type": "thinking", "thinking": self._some(""), "redacted": self._some(True)},
                {"type": "image", "data": self._some("iVBORw0KGgo="), "mimeType": self._some("image/png")},
                {"type": "toolCall", "id": self._some(chance.choice(CALLS)), "name": self._some("read"), "arguments": self._some({"path": "a"})},
                {"type": "tool_use", "id": self._some(chance.choice(CALLS)), "name": self._some("read"), "input": self._some({"path": "a"})},
                {"type": "hologram", "data": 7},
            ]
        )  # fmt: skip

    def _data(self) -> dict[str, Any]:
        chance = self._chance
        return {
            name: self._some(
                chance.choice([*IDS, 1, True, "default", "person", "done", [], {}, list(IDS), [{"text": "t"}]])
            )
            for name in chance.sample(FIELDS, chance.randrange(12))
        }
