"""Whatever ends a turn, each call has exactly one result, and the next request is one that every service takes."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as some

from codi.agent.limits import AgentSettings
from codi.protocol.effects import Allow, Deny
from codi.protocol.events import ApprovalAsked, TurnEnded
from codi.protocol.ops import Answer
from conftest import SOAK
from stage import Stage, next_messages, refusals, unpaired

EXAMPLES = 10_000 if SOAK else 150

CALLS = some.sampled_from(
    [
        {"name": "read", "arguments": {"path": "a.txt"}},
        {"name": "read", "arguments": {"path": "missing"}},
        {"name": "write", "arguments": {"path": "b.txt", "content": "b"}},
        {"name": "write", "arguments": {"path": "c.txt", "content": "c"}},
        {"name": "edit", "arguments": {"path": "a.txt", "old_text": "a", "new_text": "aa"}},
        {"name": "list", "arguments": {}},
        {"name": "frobnicate it!", "arguments": {"x": [1, None, "\N{GRINNING FACE}"]}},
        {"name": "write", "arguments": {"path": 7}},
        {"name": "write", "raw_arguments": '{"path": "d.txt", "content": "d'},
        {"name": "read", "raw_arguments": ""},
        {"name": "list", "raw_arguments": "[1]"},
    ]
)
FAULTS = (
    some.none()
    | some.builds(
        lambda kind, at, times: {"kind": kind, "times": times} | ({} if kind in ("length", "truncate") else {"at": at}),
        some.sampled_from(["cut", "error_event", "reset", "length", "truncate"]),
        some.integers(0, 30),
        some.integers(1, 3),
    )
    | some.sampled_from([{"kind": "status", "status": 400}, {"kind": "status", "status": 503}])
)
TEXTS = some.sampled_from(["", " ", "Words.", "More words than one piece holds, as it happens."])


@some.composite
def steps(draw):
    calls = draw(some.lists(CALLS, max_size=3))
    step = {"text": draw(TEXTS), "thinking": draw(some.sampled_from(["", "Hm."])), "calls": calls}
    stop = draw(some.sampled_from([None, None, None, "length", "paused", "refused", "end"]))
    fault = draw(FAULTS)
    return step | ({"stop": stop} if stop else {}) | ({"fault": fault} if fault else {})


ANSWERS = some.sampled_from(["yes", "no", "no, because", "stop", "nobody", "changed", "silence"])


def said(asked: ApprovalAsked, how: str) -> Answer | None:
    call = asked.tool_call_id
    return {
        "yes": Answer(call, Allow(by="person")),
        "no": Answer(call, Deny(by="person")),
        "no, because": Answer(call, Deny("I say so", by="person")),
        "stop": Answer(call, Deny(by="person"), abort=True),
        "nobody": Answer(call, Deny(by="nobody")),
        "changed": Answer(call, Allow(by="person"), changed={"path": "e.txt", "content": "e"}),
        "silence": None,
    }[how]


@given(
    script=some.lists(steps(), min_size=1, max_size=5),
    answers=some.lists(ANSWERS, min_size=1, max_size=4),
    interrupt_at=some.none() | some.integers(1, 60),
    max_steps=some.sampled_from([0, 0, 1, 2, 3]),
    killed_at=some.floats(0, 1),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_pairing_on_all_exits(script, answers, interrupt_at, max_steps, killed_at):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "a.txt").write_text("a\n")
        stage = Stage(root, {"loop": True, "steps": script}, limits=AgentSettings(max_steps=max_steps or 12))
        mind = iter([*answers, *["no"] * 100])

        stage.play("Go.", answer=lambda asked: said(asked, next(mind)), interrupt_at=interrupt_at)

        assert isinstance(stage.facts[-1], TurnEnded)
        assert unpaired(stage.facts) == []
        path, tools = stage.session.path(), stage.calls.toolbox.specs
        assert refusals(next_messages(path), tools) == {}
        # A kill leaves what was written until then, which is the beginning of it.
        assert refusals(next_messages(path[: round(len(path) * killed_at)]), tools) == {}
        if not {"yes", "changed"} & set(answers):
            assert sorted(each.name for each in root.iterdir()) == ["a.txt"]
        assert not (root / "d.txt").exists()
