"""A conversation gets a name from a small model, which never stands in the way of anything."""

import json

from conftest import Codi, call, says

ENTER, CTRL_D = "\r", "\x04"
NAMING = {"system": "You name conversations"}


def titled(steps, *titles, **more):
    return {"steps": steps, "branches": [{"when": NAMING, "steps": [says(text, **more) for text in titles]}]}


def kept(codi: Codi) -> list:
    return [
        (line["data"]["title"], line["data"]["by"]) if line["type"] == "custom" else line["name"]
        for line in codi.session()
        if line["type"] == "session_info" or line.get("customType") == "codi/title"
    ]


def naming(server) -> list[dict]:
    return [request.json for request in server.requests if "You name conversations" in json.dumps(request.json)]


def test_the_model_of_the_task_names_the_conversation(codi: Codi, lab, terminals):
    codi.env["CODI_SESSIONS_TITLE"] = "true"
    codi.set_up('[tasks]\ntitle = "quick"\nfast = "other"\n[models.quick]\nprovider = "anthropic"\nmodel = "small"\n')
    server = lab(titled([says("word " * 200)], '## "Fix the broken parser of dates."\n\nI chose it well.'))
    talk = terminals("please fix the parser " * 60)
    talk.wait_for("Fix the broken parser of dates")
    talk.type(CTRL_D)
    assert talk.end() == 0
    (asked,) = naming(server)
    assert asked["model"] == "small" and not asked.get("tools")
    said = json.dumps(asked["messages"])
    assert len(said) < 1400 and "please fix" in said and "word word" in said
    assert kept(codi) == [("Fix the broken parser of dates", "model"), "Fix the broken parser of dates"]


def test_without_an_answer_it_is_the_first_words_and_a_name_of_the_person_stays(codi: Codi, lab, terminals):
    codi.env["CODI_SESSIONS_TITLE"] = "true"
    codi.set_up('[tasks]\nfast = "nowhere/else"\n[retry]\ntries = 1\n')
    fault = {"kind": "status", "status": 400, "times": 0}
    server = lab(titled([says("Yes."), says("Two.")], "never", fault=fault))
    talk = terminals("a long question about why the tests of the parser for dates fail on some machines")
    talk.wait_for("Yes.", "parser for dates ↑")
    talk.type(CTRL_D)
    assert talk.end() == 0
    assert kept(codi)[0] == ("a long question about why the tests of the parser for dates", "first-words")
    assert naming(server)
    before = len(naming(server))
    talk = terminals("-c", "--name", "Mine", "more")
    talk.wait_for("Two.")
    talk.type(CTRL_D)
    assert talk.end() == 0
    assert kept(codi)[-1] == "Mine" and len(naming(server)) == before


def test_a_title_never_delays_and_a_single_shot_needs_none(codi: Codi, lab):
    codi.env["CODI_SESSIONS_TITLE"] = "true"
    codi.set_up('[tasks]\nfast = "anthropic/small"\n')
    server = lab(titled([says("One."), says("", call("list")), says("Two.")], "Slow", delay_ms=60_000))
    assert codi.json("one").status == 0 and not naming(server)
    server = lab(titled([says("One."), says("", call("list")), says("Two.")], "Slow", delay_ms=60_000))
    run = codi.json("one", "two")
    assert run.status == 0 and run.result["answer"] == "Two." and len(naming(server)) == 1
    assert run.result["stats"]["durationMs"] < 20_000
