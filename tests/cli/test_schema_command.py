"""`codi schema`, and that what codi prints keeps to it."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from codi.frontends import json_lines
from conftest import call, says

NAMES = ("events", "result", "settings", "tools")


def schema(codi, name):
    return json.loads(codi("schema", name).out)


def types_in(schema):
    lines = [schema["$defs"][each["$ref"].rpartition("/")[2]] for each in schema["anyOf"]]
    return {line["properties"]["type"]["enum"][0] for line in lines}


@pytest.fixture
def events(codi):
    return Draft202012Validator(schema(codi, "events"))


def complaints(validator, lines):
    return [f"{line['type']}: {error.message}" for line in lines for error in validator.iter_errors(line)]


def test_all_are_valid_schemas(codi):
    assert [row[0] for row in codi("schema").rows] == list(NAMES)
    for name in ("events", "result", "settings"):
        Draft202012Validator.check_schema(schema(codi, name))
    for tool in schema(codi, "tools").values():
        Draft202012Validator.check_schema(tool)
    assert {"read", "edit", "shell"} <= set(schema(codi, "tools"))
    assert "permission_mode" in json.dumps(schema(codi, "settings"))


def test_every_line_type_that_is_printed_is_declared(codi):
    source = Path(json_lines.__file__).read_text()
    printed = set(re.findall(r'"type": "([a-z_]+)"', source)) - {"text"}
    assert len(printed) > 15
    assert printed | {"result"} <= types_in(schema(codi, "events"))


def test_the_stream_of_real_work_keeps_to_the_schema(codi, lab, repository, events):
    repository("fix-the-test")
    lab("fix-the-test")
    run = codi.stream("mend it", "-y", "--name", "Mending")
    assert run.status == 0 and len(run.lines) > 50
    assert complaints(events, run.lines) == []
    assert {"session", "message_update", "tool_execution_end", "approval_given", "agent_settled", "result"} <= {
        line["type"] for line in run.lines
    }


def test_a_stream_with_denials_progress_and_unknown_tools_keeps_to_it(codi, lab, events):
    lab(
        [
            says("One.", call("shell", command="for n in 1 2 3; do echo $n; sleep 0.15; done"), thinking="Hm."),
            says("Two.", call("no_such_tool", a=1), call("write", path="/etc/nothing", content="x")),
            says("Three."),
        ]
    )
    run = codi.stream("go", "-y")
    assert {"tool_execution_update", "approval_asked", "approval_given"} <= {line["type"] for line in run.lines}
    assert complaints(events, run.lines) == []


def test_a_stream_with_a_retry_keeps_to_it(codi, lab, events):
    codi.set_up("[retry]\nbase_s = 0.01\n")
    lab([{"fault": {"kind": "status", "status": 529}, "text": "At last."}])
    run = codi.stream("go")
    assert run.of_type("auto_retry_start") and run.of_type("auto_retry_end")
    assert complaints(events, run.lines) == []


def test_a_stream_that_ends_in_an_error_keeps_to_it(codi, lab, events):
    lab([{"fault": {"kind": "status", "status": 401, "times": 0}}])
    run = codi.stream("go")
    assert run.status == 1 and run.result["error"]
    assert complaints(events, run.lines) == []


def test_the_result_object_keeps_to_its_schema(codi, lab, repository):
    repository("fix-the-test")
    lab("fix-the-test")
    validator = Draft202012Validator(schema(codi, "result"))
    run = codi.json("mend it", "-y")
    assert run.result["filesChanged"] and run.result["toolCalls"]
    assert [error.message for error in validator.iter_errors(run.result)] == []
    assert list(validator.iter_errors({**run.result, "exitCode": "0"}))


def test_what_lacks_a_field_is_refused(events):
    assert not list(events.iter_errors({"type": "agent_start"}))
    assert list(events.iter_errors({"type": "agent_end"}))
    assert list(events.iter_errors({"type": "model_changed", "provider": "x"}))


def test_an_unknown_schema(codi):
    ran = codi("schema", "evnts")
    assert ran.status == 2 and "evnts" in ran.err and ran.out == ""
