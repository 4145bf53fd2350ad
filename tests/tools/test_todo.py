"""`todo` writes the whole list as a fact, and reads it back."""

from codi.protocol.events import TodoItem, TodoWritten


def items(*states):
    return [{"content": f"step {number}", "status": state} for number, state in enumerate(states, 1)]


def test_a_list_is_written_and_read(bench):
    assert bench.call("todo").text == "The todo list is empty."

    output = bench.call("todo", items=items("completed", "in_progress", "pending"))
    assert output.text == "1/3 completed\n[x] step 1\n[>] step 2\n[ ] step 3"
    assert output.facts == (
        TodoWritten(
            (TodoItem("step 1", "completed"), TodoItem("step 2", "in_progress"), TodoItem("step 3", "pending"))
        ),
    )
    again = bench.call("todo")
    assert again.text == output.text and again.facts == ()


def test_an_empty_list_empties_it(bench):
    bench.call("todo", items=items("pending"))
    assert bench.call("todo", items=[]).facts == (TodoWritten(()),)
    assert bench.call("todo").text == "The todo list is empty."


def test_no_approval_is_needed(bench):
    assert list(bench.toolbox.resolve("todo", {"items": items("pending")}).action.effects()) == []


def test_unknown_states_are_refused(bench):
    output = bench.call("todo", items=items("done"))
    assert output.is_error and output.text.startswith('Validation failed for tool "todo":\n - items')


def test_the_forms_of_other_agents(bench):
    theirs = bench.call("TodoWrite", todos=[{"content": "a", "status": "pending", "activeForm": "doing a"}])
    assert theirs.facts == (TodoWritten((TodoItem("a", "pending", "doing a"),)),)
    plan = bench.call("update_plan", plan=[{"step": "b", "status": "in_progress"}])
    assert plan.facts == (TodoWritten((TodoItem("b", "in_progress"),)),)
    assert bench.call("todo_read").text == "0/1 completed\n[>] b"
