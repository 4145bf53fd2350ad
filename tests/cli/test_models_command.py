"""`codi models`, through the installed program."""

import pytest

ROW = {"model", "provider", "id", "name", "window", "windowAssumed", "maxOutput", "abilities", "thinking", "price"}
ROW |= {"keyNeeded", "keyPresent", "keyVariable", "local", "deprecated", "default"}


def models(codi, *words, **env):
    return {line["model"]: line for line in codi("models", *words, "--json", env=env).lines}


def test_without_key_and_network_the_list_is_there_all_the_same(codi):
    listed = codi("models")

    assert listed.status == 0
    assert "hint: " in listed.err and "ANTHROPIC_API_KEY" in listed.err
    by_model = {row[0]: row for row in listed.rows}
    row = by_model["anthropic/claude-sonnet-4-5"]
    assert row[1:3] == ["200000", "64000"] and "vision" in row[3]
    assert row[4:] == ["$3/$15", "set ANTHROPIC_API_KEY", ""]


def test_the_key_and_the_default_are_marked(codi):
    listed = models(codi, OPENAI_API_KEY="k")

    (default,) = [model for model, line in listed.items() if line["default"]]
    assert default.startswith("openai/") and listed[default]["keyPresent"]
    assert not listed["anthropic/claude-sonnet-4-5"]["keyPresent"]
    assert all(set(line) == ROW for line in listed.values())
    assert codi("models", env={"OPENAI_API_KEY": "k"}).err == ""


def test_an_unknown_price_is_null_for_programs_and_told_to_people(codi):
    codi.set_up('[providers.mine]\nbase_url = "https://models.example/v1"\nmodels = ["house-1"]\n')

    assert models(codi, "house")["mine/house-1"]["price"] is None
    (row,) = codi("models", "house").rows
    assert row[1] == "128000 (assumed)" and row[4] == "price unknown"


def test_searching_and_one_provider(codi):
    assert all("sonnet" in model for model in models(codi, "SONNET"))
    assert {line["provider"] for line in models(codi, "--provider", "google").values()} == {"google"}
    assert {line["provider"] for line in models(codi, "gpt 5.4", "--provider", "azure").values()} == {"azure"}
    assert "azure" not in {line["provider"] for line in models(codi).values()}
    assert set(models(codi, "list", "gpt-5-nano")) == {"openai/gpt-5-nano"}


def test_local_lists_the_servers_that_answer_and_nothing_else(codi, lab):
    server = lab("hello", used=False, models=("tiny:1b", "small:8b"))

    listed = models(codi, "--local", OLLAMA_HOST=server.url)

    assert set(listed) == {"ollama/tiny:1b", "ollama/small:8b"}
    assert all(line["local"] and line["price"]["input"] == 0 for line in listed.values())
    assert listed["ollama/tiny:1b"]["default"]
    everything = models(codi, OLLAMA_HOST=server.url)
    assert {"ollama/tiny:1b", "anthropic/claude-sonnet-4-5"} <= set(everything)


def test_no_local_server_is_no_failure(codi):
    ran = codi("models", "--local", env={"OLLAMA_HOST": "http://127.0.0.1:9"})
    assert (ran.status, ran.out) == (0, "") and "ollama serve" in ran.err


def test_current_says_which_and_why(codi):
    current = codi("models", "current", env={"OPENAI_API_KEY": "k", "CODI_MODEL": "anthropic/claude-opus-5"})
    assert current.rows[0][0] == "anthropic/claude-opus-5" and "CODI_" in current.rows[0][1]

    (line,) = codi("models", "current", "--json", env={"OPENAI_API_KEY": "k"}).lines
    assert line["provider"] == "openai" and line["reason"] == "OPENAI_API_KEY is set" and line["keyPresent"]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--provider", "opnai"], 2, 'unknown provider "opnai"'),
        (["no-such-model"], 1, "no model matches"),
        (["list", "a", "b"], 2, "unknown argument b"),
        (["--locl"], 2, "unknown argument --locl"),
        (["current"], 1, "no model to talk to"),
    ],
)
def test_bad_input(codi, words, status, told):
    ran = codi("models", *words)
    assert ran.status == status and ran.out == ""
    assert told in ran.err and "\nhint: " in ran.err


def test_the_older_spelling(codi):
    assert codi("--list-models", "gpt-5-nano").rows[0][0] == "openai/gpt-5-nano"
