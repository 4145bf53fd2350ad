"""Models under names of the person's own: each serves what it is for, and what is said of it reaches the wire."""

import json

import pytest

from conftest import Codi, says

MAP = """
[models.quick]
provider = "anthropic"
model = "small"
max_output = 777
temperature = 0.25
[models.strong]
provider = "anthropic"
model = "large"
[models.other]
provider = "openai-chat"
model = "elsewhere"
[tasks]
fast = "quick"
complex = "strong"
summarize = "quick"
[roles.reviewer]
default = "quick"
anthropic = "strong"
[pipelines.review]
description = "find, then judge"
result = "verdict: {verdict}"
steps = [
  {name = "scan", model = "quick", prompt = "Scan: {input}", output = "findings"},
  {name = "judge", role = "reviewer", condition = "findings", prompt = "Judge {findings} of {input}", output = "verdict"},
  {name = "never", model = "quick", condition = "!findings", prompt = "Nothing?", output = "nothing"},
]
[pipelines.look]
steps = [{name = "look", model = "quick", prompt = "Look: {file}\\n{input}", output = "seen"}]
[pipelines.do]
steps = [{name = "do", model = "quick", prompt = "Do it", tools = ["write"], output = "done"}]
"""


def asked(server, at: int = -1) -> dict:
    return [request.json for request in server.requests if request.format][at]


def test_a_name_is_a_model_with_all_that_is_said_of_it(codi: Codi, lab):
    codi.set_up(MAP)
    server = lab([says("Yes.")])
    run = codi.json("hi", "--model", "quick")
    assert run.status == 0 and run.result["model"]["id"] == "small", run
    assert (asked(server)["model"], asked(server)["max_tokens"], asked(server)["temperature"]) == ("small", 777, 0.25)


def test_steps_of_a_pipeline_are_served_by_their_models(codi: Codi, lab):
    codi.set_up(MAP)
    server = lab([says("an {input} issue"), says("It is real.")])
    run = codi("models", "run", "review", "the", "code")
    assert run.status == 0 and run.out == "verdict: It is real.\n", run
    assert [asked(server, at)["model"] for at in (0, 1)] == ["small", "large"]
    assert "Judge an {input} issue of the code" in json.dumps(asked(server, 1)["messages"])
    assert "scan: anthropic/small" in run.err and "judge: anthropic/large" in run.err and "2 requests" in run.err
    told = codi("pipeline", "--json")
    assert {json.loads(line)["name"] for line in told.out.splitlines()} == {"review", "look", "do"}


def test_a_run_for_each_file_is_summed_up_and_not_asked_again(codi: Codi, lab):
    codi.set_up(MAP)
    for number in range(20):
        (codi.cwd / f"f{number:02}.py").write_text(f"x = {number}\n")
    (codi.cwd / "bad.py").write_bytes(b"\xff\xfe\x00")
    server = lab({"loop": True, "steps": [says("Seen.")]})
    run = codi("models", "run", "look", "*.py", "--iterative", "--json")
    result = json.loads(run.out)
    assert run.status == 1 and [error["file"] for error in result["errors"]] == ["bad.py"]
    assert result["result"].startswith("# Summary") and result["result"].count("## f") == 20
    steps = [step["step"] for step in result["steps"]]
    assert (steps.count("look"), steps.count("summary"), steps.count("summary of summaries")) == (20, 2, 1)
    before = len(server.requests)
    (codi.cwd / "f03.py").write_text("x = 33\n")
    codi("models", "run", "look", "*.py", "--iterative")
    assert len(server.requests) - before == 1 + 3


def test_files_are_scored_and_the_risky_ones_get_the_strong_model(codi: Codi, lab):
    codi.set_up(MAP)
    for name in ("auth.py", "notes.md", "plain.py"):
        (codi.cwd / name).write_text("text\n")
    scores = [
        {"file": "auth.py", "risk": "critical", "complexity": 8, "importance": 9},
        {"file": "notes.md", "risk": "low", "complexity": 1, "importance": 2},
    ]
    answer = "\n".join(map(json.dumps, scores))
    server = lab({"steps": [says(answer), says("A"), says("B"), says("C"), says("S")]})
    run = codi("models", "run", "look", ".", "--triage-only")
    rows = [row[:6] for row in run.rows]
    assert rows == [
        ["auth.py", "critical", "8", "9", "18.5", "deep"],
        ["plain.py", "medium", "1", "5", "7", "normal"],
        ["notes.md", "low", "1", "2", "2.5", "quick"],
    ], run
    assert len(server.requests) == 1
    server = lab({"steps": [says(answer), says("A"), says("B"), says("C"), says("S")]})
    assert codi("models", "run", "look", ".", "--triage", "--concurrency", "1").status == 0
    served = {body["model"] for body in (asked(server, at) for at in range(1, 4)) if "auth.py" in json.dumps(body)}
    assert served == {"large"}


def test_a_step_with_tools_acts_under_the_policy(codi: Codi, lab):
    codi.set_up(MAP)
    write = {"name": "write", "arguments": {"path": "x", "content": "y"}}
    lab([says("", write), says("Not done.")])
    run = codi("models", "run", "do", "it")
    assert run.status == 3 and "a permission was needed" in run.err and not (codi.cwd / "x").exists()
    lab([says("", write), says("Done.")])
    run = codi("models", "run", "do", "it", "-y")
    assert run.status == 0 and run.out == "Done.\n" and (codi.cwd / "x").read_text() == "y"


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("", "there is no model in the map"),
        ('[models.a]\nprovider = "antropic"\nmodel = "m"', "unknown provider 'antropic' - did you mean anthropic?"),
        ('[models.a]\nmodel = "m"\ntemperature = 3', "expected a number from 0 to 2"),
        ('[models.a]\nmodel = "m"\n[tasks]\nfast = "b"', "there is no model 'b' in the map"),
        ('[models.a]\nmodel="m"\n[models.b]\nmodel="n"\n[fallbacks]\na = ["b"]\nb = ["a"]', "a -> b -> a"),
        (
            '[models.a]\nmodel="m"\n[commands.fix]\nmodel = "a"\ntask = "fast"',
            "exactly one of model, task and pipeline",
        ),
        (
            '[models.a]\nmodel="m"\n[[pipelines.p.steps]]\nmodel = "a"\nprompt = "{later}"\n',
            "{later} is not defined by a step before it",
        ),
    ],
)
def test_what_is_wrong_with_a_map_is_told_with_its_line(codi: Codi, toml, fault):
    codi.set_up(toml)
    run = codi("models", "map", "check")
    assert run.status == 1 and fault in run.out, run
    if toml:
        assert "config.toml:" in run.out


def test_a_map_is_begun_shown_added_to_and_holds(codi: Codi):
    assert codi("models", "map", "init").status == 0
    assert codi("models", "map", "check").out == "the model map holds\n"
    assert codi("models", "map", "add", "mine", "--provider", "openai", "--model", "gpt-5", "--global").status == 0
    assert ["model", "mine", "openai/gpt-5"] in codi("models", "map", "show").rows
    wrong = codi("models", "map", "add", "x", "--provider", "opnai", "--model", "m")
    assert wrong.status == 2 and "openai" in wrong.err


def test_the_yaml_of_a_project_is_read_when_it_is_trusted(codi: Codi, lab):
    (codi.cwd / "codi-models.yaml").write_text(
        "models:\n  brief:\n    provider: anthropic\n    model: little\n    maxTokens: 99\n"
        "model-roles:\n  fast:\n    anthropic: brief\ntasks:\n  fast:\n    model: brief\n"
    )
    server = lab([says("Yes.")])
    assert codi.json("hi", "--model", "brief", "--trust-project").status == 0
    assert (asked(server)["model"], asked(server)["max_tokens"]) == ("little", 99)
    rows = codi("models", "map", "show", "--trust-project").rows
    assert ["task", "fast", "brief"] in rows and codi("models", "map", "show").rows == []


def test_what_is_known_of_models_and_services(codi: Codi):
    told = json.loads(codi("models", "info", "anthropic/claude-sonnet-4-5", "--json").out)
    assert told["window"] == 200_000 and told["price"]["input"] == 3.0
    rows = codi("models", "providers").rows
    assert ["anthropic", "anthropic", "https://api.anthropic.com"] in [row[:3] for row in rows]
    favoured = codi("models", "--favourites", env={"CODI_MODEL_FAVOURITES": "anthropic/claude-haiku-4-5"})
    assert [row[0] for row in favoured.rows] == ["anthropic/claude-haiku-4-5"]


def test_a_map_is_read_again_between_turns_and_a_broken_one_changes_nothing(codi: Codi, lab, terminals):
    codi.set_up(MAP)
    codi.env["CODI_MODEL"] = "quick"
    server = lab({"loop": True, "steps": [says("Yes.")]}, used=False)
    codi.env |= {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "k"}
    chat = terminals(term="dumb")
    chat.wait_for("\nYou:")

    def ask(number: int) -> tuple[str, int]:
        chat.type("hi\n")
        chat.wait_for("[1 step,", times=number)
        return asked(server)["model"], asked(server)["max_tokens"]

    assert ask(1) == ("small", 777)
    codi.set_up(MAP.replace('model = "small"\nmax_output = 777', 'model = "smaller"\nmax_output = 555'))
    assert ask(2) == ("smaller", 555)
    codi.set_up(MAP.replace("max_output = 777", "max_output = = 1"))
    assert ask(3) == ("smaller", 555)
    chat.wait_for("the model map stays as it was")
    codi.set_up(MAP)
    assert ask(4) == ("small", 777)
    chosen = [entry["modelId"] for entry in codi.session() if entry["type"] == "model_change"]
    assert chosen == ["small", "smaller", "small"]


def test_the_yaml_of_a_project_is_trusted_as_it_is_and_not_as_it_becomes(codi: Codi, lab):
    path = codi.cwd / "codi-models.yaml"
    path.write_text("models:\n  brief:\n    provider: anthropic\n    model: little\n")
    lab({"loop": True, "steps": [says("Yes.")]})
    run = codi.json("hi")
    assert any("codi-models.yaml is not read" in warning for warning in run.result["warnings"]), run

    def served() -> str:
        return codi.json("hi", "--model", "brief").result["model"]["id"]

    assert served() == "brief"  # no name of a map, but an id
    assert codi("trust", "accept").status == 0
    assert served() == "little"
    path.write_text(path.read_text().replace("little", "other"))
    assert served() == "brief"
