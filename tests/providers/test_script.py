"""A script is read or refused with its place; what it says follows from the file and the requests alone."""

import json

import pytest

from codi.protocol.errors import ConfigError
from codi.providers.player import Player, ScriptUnmet, SeenResult, View
from codi.providers.script import decode_script, in_order, read_script, reads_requests, script_of


def asked(message="hi", *, results=(), tools=(), model="m", first="hi", system="", plain=None):
    seen = tuple(SeenResult(call_id, text) for call_id, text in results)
    return View(
        model=model,
        message=message,
        results=seen,
        tools=tuple(tools),
        first=first,
        system=system,
        plain=lambda: plain or {},
    )


def said(player, *views):
    return [player.next(view).text for view in views]


@pytest.mark.parametrize("text", ['{"steps": [{"text": "Hello"}]}', "steps:\n  - text: Hello\n", "- text: Hello\n"])
def test_yaml_and_json_say_the_same(text):
    assert decode_script(text).steps[0].text == "Hello"


def test_a_reply_may_stand_apart_from_what_is_expected():
    (step,) = script_of([{"expect": "go", "reply": {"text": "Gone", "stop": "length"}}]).steps
    assert (step.expect.message, step.text, step.stop) == ("go", "Gone", "length")


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([{"text": "a"}, {"txet": "b"}], "demo.yaml, step 2: Object contains unknown field `txet`"),
        ([{"calls": [{"arguments": {}}]}], "demo.yaml, step 1: Object missing required field `name` - at `calls[0]`"),
        ([{"text": "a", "stop": "never"}], "demo.yaml, step 1: Invalid enum value 'never' - at `stop`"),
        ([{"text": "a", "expect": {"message": "("}}], "demo.yaml, step 1, expect: '(' is no regular expression"),
        ([{}], "demo.yaml, step 1: says nothing"),
        (["hello"], "demo.yaml, step 1: a step is a mapping"),
        ([{"repeat": 2, "text": "a", "steps": [{"text": "b"}]}], "step 1: a group of steps says nothing of its own"),
        ([{"repeat": 2, "steps": [{"text": "b"}, {"oops": 1}]}], "step 1.2: Object contains unknown field `oops`"),
        ([{"repeat": 0, "text": "a"}], "step 1: repeat is 0"),
        ([{"text": "a", "fault": {"kind": "meteor"}}], "step 1: Invalid enum value 'meteor' - at `fault.kind`"),
        ([{"text": "a", "fault": {"kind": "cut", "at": -1}}], "step 1: a fault cannot be at -1"),
        ([{"text": "a", "fault": {"kind": "status", "retry_after": "soon"}}], "step 1: retry_after 'soon'"),
        ([{"text": "{{result:c1:x}}"}], "step 1: {{result:c1:x}} speaks of a call that no earlier step made"),
        ([{"calls": [{"name": "a", "id": "c"}, {"name": "b", "id": "c"}]}], "step 1: two calls have the id c"),
    ],
)
def test_an_error_names_file_and_step(steps, told):
    with pytest.raises(ConfigError) as error:
        script_of({"steps": steps}, where="demo.yaml")
    assert told in str(error.value)
    assert error.value.hint


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the script"):
        read_script(str(tmp_path / "none.yaml"))
    (tmp_path / "broken.yaml").write_text("steps: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml: not YAML"):
        read_script(str(tmp_path / "broken.yaml"))
    (tmp_path / "broken.json").write_text('{"steps": [')
    with pytest.raises(ConfigError, match=r"broken\.json: not JSON"):
        read_script(str(tmp_path / "broken.json"))


def test_rounds_are_counted_and_formatted():
    script = script_of([{"repeat": 3, "text": "{{n}} {{n:03}} {{n+1}} {{n-1}} {{n*10}} {{n%2}}"}])
    assert said(Player(script), *[asked()] * 3) == ["1 001 2 0 10 1", "2 002 3 1 20 0", "3 003 4 2 30 1"]


def test_a_group_is_repeated_as_a_whole_and_a_loop_begins_anew():
    script = script_of({"loop": True, "steps": [{"repeat": 2, "steps": [{"text": "a{{n}}"}, {"text": "b{{n}}"}]}]})
    assert said(Player(script), *[asked()] * 5) == ["a1", "b1", "a2", "b2", "a1"]
    assert [place.label for place in in_order(script.steps)] == ["1.1", "1.2", "1.1", "1.2"]


def test_a_number_alone_stays_a_number_in_arguments():
    player = Player(
        script_of([{"repeat": 1, "calls": [{"name": "read", "arguments": {"limit": "{{n}}", "at": "l{{n}}"}}]}])
    )
    (call,) = player.next(asked()).calls
    assert json.loads(call.arguments) == {"limit": 1, "at": "l1"}


def test_results_are_found_by_the_label_of_their_call_whatever_its_id():
    script = script_of(
        [
            {"calls": [{"name": "a", "id": "first"}, {"name": "b", "id": "second"}]},
            {"text": "{{result:second:id=(\\w+)}} and {{result:first:x+}}"},
        ]
    )
    player = Player(script)
    player.next(asked())
    assert player.next(asked(results=[("other1", "yxxx"), ("other2", "id=k7")])).text == "k7 and xxx"


def test_a_pattern_that_finds_nothing_ends_the_run():
    player = Player(script_of([{"calls": [{"name": "a", "id": "c"}]}, {"text": "{{result:c:\\d+}}"}]))
    player.next(asked())
    with pytest.raises(ScriptUnmet, match="the result of c is 'none'"):
        player.next(asked(results=[("c", "none")]))


def test_ids_of_calls_are_never_used_twice():
    script = script_of([{"repeat": 3, "calls": [{"name": "a", "id": "c"}, {"name": "b"}]}])
    player, other = Player(script), Player(script)
    ids = [call.id for _ in range(3) for call in player.next(asked()).calls]
    assert ids[0] == "c" and len(set(ids)) == 6
    assert other.next(asked()).calls[1].id not in ids


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ({"message": "^Bye"}, ["- message =~ ^Bye", "+ message: 'hi'"]),
        ({"model": "gpt"}, ["- model =~ gpt", "+ model: 'm'"]),
        ({"tools": ["read", "edit"]}, ["- tools with: edit", "+ tools: read"]),
        ({"without_tools": ["read"]}, ["- tools without: read", "+ tools: read"]),
        ({"results": ["a", "b"]}, ["- results: 2", "+ results: 1"]),
        ({"results": ["z"]}, ["- result 1 =~ z", "+ result 1: 'abc'"]),
        (
            {"request": {"messages[-1].role": "assistant"}},
            ["- messages[-1].role =~ assistant", "+ messages[-1].role: 'user'"],
        ),
        ({"request": {"max": 3}}, ["- max: 3", "+ max: absent"]),
    ],
)
def test_an_unmet_expectation_tells_the_difference(expect, lines):
    plain = {"messages": [{"role": "user"}]}
    view = asked(tools=["read"], results=[("c", "abc")], plain=plain)
    with pytest.raises(ScriptUnmet) as unmet:
        Player(script_of({"name": "demo", "steps": [{"expect": expect, "text": "a"}]})).next(view)
    assert str(unmet.value).splitlines() == ["demo, step 1 expects another request:", *lines]


def test_a_request_after_the_last_step_is_told():
    player = Player(script_of([{"text": "a"}]))
    player.next(asked())
    assert player.finished
    with pytest.raises(ScriptUnmet, match="over after its 1 step, but there is one more request"):
        player.next(asked())


def test_a_branch_answers_its_own_conversations_each_from_the_beginning():
    script = script_of(
        {
            "steps": [{"text": "main"}],
            "branches": [{"when": {"first": "worker"}, "steps": [{"text": "1"}, {"text": "2"}]}],
        }
    )
    views = [asked(), asked(first="worker a"), asked(first="worker b"), asked(first="worker a")]
    assert said(Player(script), *views) == ["main", "1", "1", "2"]


def faults(player, count):
    return [
        (played.fault.kind if played.fault else None, played.text)
        for played in (player.next(asked()) for _ in range(count))
    ]


def test_a_fault_holds_the_step_back_as_often_as_it_says():
    player = Player(script_of([{"text": "a", "fault": {"kind": "cut", "times": 2}}, {"text": "b"}]))
    assert faults(player, 4) == [("cut", "a"), ("cut", "a"), (None, "a"), (None, "b")]


def test_a_fault_alone_is_a_step():
    player = Player(script_of([{"fault": {"kind": "status", "times": 2}}, {"text": "b"}]))
    assert faults(player, 3) == [("status", ""), ("status", ""), (None, "b")]


def test_a_harmless_fault_lets_the_step_pass():
    player = Player(script_of([{"text": "a", "fault": "split"}, {"text": "b"}]))
    assert faults(player, 2) == [("split", "a"), (None, "b")]


def test_a_fault_without_end_never_ends():
    player = Player(script_of([{"text": "a", "fault": {"kind": "status", "times": 0}}]))
    assert faults(player, 3) == [("status", "a")] * 3


@pytest.mark.parametrize(("kind", "stop"), [("truncate", "tool_calls"), ("length", "length")])
def test_arguments_are_cut(kind, stop):
    player = Player(
        script_of([{"calls": [{"name": "w", "arguments": {"p": "abcdef"}}], "fault": {"kind": kind, "at": 6}}])
    )
    played = player.next(asked())
    assert (played.calls[0].arguments, played.calls[0].plain, played.stop) == ('{"p":"', None, stop)


def test_what_a_script_looks_at_is_known_beforehand():
    assert not reads_requests(script_of([{"repeat": 2, "text": "{{n}}"}]))
    assert reads_requests(script_of([{"text": "a", "expect": "b"}]))
    assert reads_requests(script_of([{"calls": [{"name": "a", "id": "c"}]}, {"text": "{{result:c:x}}"}]))
