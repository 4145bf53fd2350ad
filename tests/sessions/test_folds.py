"""The state of a session comes from its path alone."""

import itertools

from session_facts import EXAMPLES, USAGE, answered, reply, said

from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallIntended,
    Entry,
    ModelChosen,
    PolicyChosen,
    ThinkingChosen,
    TitleGiven,
    TodoItem,
    TodoWritten,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Cost, Usage
from codi.sessions import folds


def path(*facts):
    ids = itertools.count(1)
    return [Entry(f"{next(ids):08x}", None, 1.0, fact) for fact in facts]


def asked(call_id):
    return ApprovalAsked(tool_call_id=call_id, tool_name="shell", arguments={}, effects=(), risk=1)


def given(call_id):
    return ApprovalGiven(tool_call_id=call_id, decision="allow", by="person")


def intended(call_id):
    return CallIntended(call_id, "shell", {}, ())


def test_nothing_follows_from_nothing():
    assert folds.model([]) is None and folds.thinking([]) is None and folds.policy_mode([]) is None
    assert folds.name([]) == "" and folds.todos([]) == () and folds.turns([]) == 0
    assert folds.open_approvals([]) == [] and folds.unfinished_calls([]) == []
    assert folds.usage([]) == Usage(cost=Cost())


def test_the_newest_choice_counts():
    chosen = path(
        ModelChosen("p", "m"),
        ThinkingChosen("low"),
        TitleGiven("a"),
        PolicyChosen("plan"),
        TodoWritten((TodoItem("x", "pending"),)),
        ThinkingChosen("high"),
        TitleGiven(""),
        PolicyChosen("default"),
        TodoWritten(()),
    )

    assert folds.model(chosen) == folds.ModelInForce("p", "m")
    assert folds.thinking(chosen) == "high"
    assert folds.name(chosen) == ""
    assert folds.policy_mode(chosen) == "default"
    assert folds.todos(chosen) == ()
    assert folds.todos(chosen[:5]) == (TodoItem("x", "pending"),)
    assert folds.name(chosen[:5]) == "a"


def test_the_model_that_answered_last_is_in_force():
    assert folds.model(path(ModelChosen("p", "m"), reply())) == folds.ModelInForce("anthropic", "claude")
    assert folds.model(path(reply(), ModelChosen("p", "m"), said("x"))) == folds.ModelInForce("p", "m")


def test_approvals_are_open_until_something_closes_them():
    waiting = path(asked("a"), asked("b"), asked("c"), given("a"), answered("b"))

    assert [approval.tool_call_id for approval in folds.open_approvals(waiting)] == ["c"]
    assert folds.open_approvals(waiting + path(TurnEnded(turn=1, reason="interrupted"))) == []


def test_calls_without_a_result_are_unfinished_even_after_their_turn():
    begun = path(intended("a"), intended("b"), answered("a"), TurnEnded(turn=1, reason="interrupted"))

    assert [call.tool_call_id for call in folds.unfinished_calls(begun)] == ["b"]


def test_turns_are_counted_by_their_numbers_or_by_prompts():
    assert folds.turns(path(said("a"), reply(), answered("x"), said("b"))) == 2
    assert folds.turns(path(said("a"), TurnStarted(1), said("b"), said("steer"), TurnStarted(2))) == 2


def test_usage_is_a_sum_and_one_unknown_price_makes_the_cost_unknown():
    twice = folds.usage(path(reply(), said("x"), reply()))
    unknown = reply(usage=Usage(input=1))

    assert twice.total == 2 * USAGE.total and twice.thinking == 2
    assert twice.cost.total == 2 * USAGE.cost.total
    assert folds.usage(path(reply(), unknown)).cost is None
    assert folds.usage(path(reply(), unknown)).input == USAGE.input + 1
    assert folds.usage(path(reply(), EXAMPLES["failed reply"])).cost == USAGE.cost
