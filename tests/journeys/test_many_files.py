"""One task through every wire format: look around, read 20 files partly side by side, edit 5, run a command, finish.

Between the runs only environment variables and flags differ.
"""

import itertools
import json
from typing import Any

import pytest

from conftest import ADDRESSES, Codi, Run

WIRES = list(ADDRESSES)


def kinds_of(run: Run) -> list[tuple[Any, ...]]:
    """What happened, in order, without ids and times. How finely a format cuts a text is its own affair, and when actions that
    run side by side end is chance."""
    told: list[tuple[Any, ...]] = []
    ended: list[tuple[Any, ...]] = []
    for line in run.lines:
        match line["type"]:
            case "message_update":
                event = line["assistantMessageEvent"]
                if not event["type"].endswith("_delta"):
                    told.append((event["type"], event.get("toolCall", {}).get("name")))
            case "tool_execution_start" | "tool_execution_end":
                ended.append((line["type"], line["toolName"]))
                continue
            case "message_end":
                told += sorted(ended)
                ended = []
                message = line["message"]
                told.append(("message_end", message["role"], message.get("toolName"), message.get("stopReason")))
            case "model_changed" | "tool_execution_update":
                pass
            case kind:
                told.append((kind,))
    return told


def answers_in_order(body: dict[str, Any]) -> None:
    """Every call of an Anthropic request is answered once, in order, by the next message."""
    messages = body["messages"]
    for asking, answering in itertools.pairwise(messages):
        if asking["role"] != "assistant":
            continue
        calls = [block["id"] for block in asking["content"] if block["type"] == "tool_use"]
        results = [block["tool_use_id"] for block in answering["content"] if block["type"] == "tool_result"]
        assert calls == results


@pytest.fixture(scope="module")
def told() -> dict[str, list[tuple[Any, ...]]]:
    """What was told through each format so far."""
    return {}


@pytest.mark.parametrize("wire", WIRES)
def test_one_task_walks_through_every_format(wire, codi: Codi, lab, repository, told):
    server = lab("many-files", wire)
    root = repository("many-files")

    run = codi.stream("rename old_rate to rate", "-y")

    assert run.status == 0, run
    assert run.result["kind"] == "done" and "all tests pass" in run.result["answer"]
    assert "old_rate" not in "".join(path.read_text() for path in (root / "ledger").iterdir() if path.suffix == ".py")
    assert [change["path"] for change in run.result["filesChanged"]] == [
        str(root / f"ledger/part_{number:02}.py") for number in range(5)
    ] or [change["path"] for change in run.result["filesChanged"]] == [
        f"ledger/part_{number:02}.py" for number in range(5)
    ]
    assert server.finished and server.connections == 1
    assert not server.violations
    told[wire] = kinds_of(run)
    first = next(iter(told))
    assert told[wire] == told[first], f"{wire} and {first} tell different stories"


def test_each_call_is_answered_once_and_in_order_on_the_wire(codi: Codi, lab, repository):
    server = lab("many-files")
    repository("many-files")

    assert codi.json("rename old_rate to rate", "-y").status == 0

    bodies = [request.json for request in server.requests]
    assert len(bodies[-1]["messages"]) == 2 * 18 + 1
    for body in bodies:
        answers_in_order(body)
    for before, after in itertools.pairwise(bodies):
        assert _plain(after["messages"][: len(before["messages"])]) == _plain(before["messages"])
        assert _plain(after["system"]) == _plain(before["system"]) and _plain(after["tools"]) == _plain(before["tools"])


def _plain(part: Any) -> str:
    """Marks for the cache move with the conversation; they are no part of what is said."""
    return json.dumps(part).replace(', "cache_control": {"type": "ephemeral"}', "")
