"""Each flag of `codi` is seen to do something; contradictions, older spellings and help."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codi.cli.flags import Parser, parser
from codi.cli.words import COMMANDS
from codi.lab.running import running
from conftest import Codi, Run, call, says

SEEN: set[str] = set()
"""The flags whose effect a test of this file shows."""


def shows(*flags: str) -> Callable[[Any], Any]:
    SEEN.update(flags)
    return lambda test: test


def flags_of(codi_parser: Parser) -> list[argparse.Action]:
    return [action for action in codi_parser._actions if action.option_strings]


def system_of(server) -> str:
    return json.dumps(server.requests[-1].json["system"])


def tools_of(server) -> list[str]:
    return [tool["name"] for tool in server.requests[-1].json.get("tools", [])]


def refused(run: Run, *parts: str) -> None:
    assert run.status == 2 and not run.out, run
    for part in parts:
        assert part in run.err, run


@pytest.fixture
def hello(codi: Codi, lab):
    return lab({"loop": True, "steps": [says("Yes.")]})


@shows("-h", "--help")
def test_help_lists_every_flag_and_every_command(codi: Codi):
    run = codi("--help")
    assert run.status == 0 and codi("-h").out == run.out and not run.err
    for action in flags_of(parser(COMMANDS)):
        for option in action.option_strings:
            assert option in run.out
    for name in COMMANDS:
        assert f"\n  {name} " in run.out
    assert "older spellings:\n" in run.out and run.out.index("older spellings:") > run.out.index("commands:")


@shows("-V", "--version")
def test_the_version_reads_no_configuration(codi: Codi):
    codi.set_up("model = [\n")
    assert codi("--version").out == codi("-V").out == codi("-V", "-q").out
    assert codi("--version").out.startswith("codi 0.")


@shows("--ui", "--theme", "--no-color")
def test_the_display(codi: Codi, hello, terminals):
    assert "codi: Yes." in codi("--ui", "plain", stdin="hi\n").out
    refused(codi("--ui", "tui"), "--ui tui needs a terminal")
    for words, is_coloured in ((("--theme", "dark"), True), (("--theme", "mono"), False), (("--no-color",), False)):
        talk = terminals(*words, "hi", COLORTERM="truecolor")
        talk.wait_for("Yes.", "1 step,")
        talk.type("\x04")
        assert talk.end() == 0
        assert (b"38;" in talk.raw[talk.raw.index(b"Yes.") :]) is is_coloured, words


@shows("-p", "--print", "--plain", "-P", "--prompt", "-f", "--output-format", "--mode")
def test_ways_of_printing(codi: Codi, hello):
    for words in (
        ("-p", "hi"),
        ("--print", "hi"),
        ("--plain", "hi"),
        ("-P", "hi"),
        ("--prompt", "hi"),
        ("--mode", "text", "hi"),
    ):
        assert codi(*words).out == "Yes.\n", words
    assert codi("-f", "json", "hi").result["answer"] == "Yes."
    for words in (("--output-format", "stream-json"), ("--mode", "json")):
        assert codi(*words, "hi").lines[0]["type"] == "session"


def test_prompts_may_stand_between_flags_and_each_runs(codi: Codi, hello):
    (codi.cwd / "a.txt").write_text("alpha")
    words = ("one", "-p", "two", "--thinking", "off", "@a.txt", "three", "--", "--four", "-5", "log")
    assert codi(*words).status == 0
    said = [message["content"][-1]["text"] for message in hello.requests[-1].json["messages"][::2]]
    assert said[0].endswith("alpha\n</file>\none") and said[1:] == ["two", "three", "--four", "-5", "log"]


def test_a_word_that_is_nearly_a_command_is_asked_about(codi: Codi, hello):
    refused(codi("sesions"), "sesions", "codi sessions", "`--`")
    assert hello.requests == []
    assert codi("--", "sesions").status == 0
    assert codi("-p", "sesions").status == 0 and codi("sesions and more").status == 0
    assert len(hello.requests) == 3


@shows("--cwd")
def test_the_working_directory(codi: Codi, hello, tmp_path):
    (tmp_path / "other").mkdir()
    assert codi.json("hi", "--cwd", str(tmp_path / "other")).result["cwd"] == str(tmp_path / "other")
    refused(codi("-p", "hi", "--cwd", "/no/such"), "/no/such")


@shows("-q", "--quiet")
def test_quiet_is_no_progress_on_standard_error(codi: Codi, lab):
    for words, told in (((), True), (("-q",), False), (("--quiet",), False)):
        lab([says("Yes.", fault={"kind": "status", "status": 529, "times": 1})])
        codi.set_up("retry.base_s = 0.01\n")
        run = codi("-p", "hi", *words)
        assert run.out == "Yes.\n" and bool(run.err) == told, run


@shows("-v", "--verbose")
def test_verbose_says_which_model_and_why(codi: Codi, hello):
    for flag in ("-v", "--verbose"):
        run = codi("-p", "hi", flag)
        assert run.out == "Yes.\n" and "anthropic/x (CODI_" in run.err, run


@shows("--debug")
def test_debug_shows_the_traceback(codi: Codi):
    from subprocess import run

    from conftest import PROGRAM

    words = [PROGRAM, "-p", "hi", "--session", "none"]
    told = [
        run([*words, *more], cwd=codi.cwd, env=codi.env, capture_output=True, stdin=-3) for more in ([], ["--debug"])
    ]
    assert [b"Traceback" in each.stderr for each in told] == [False, True]
    assert all(b"error: " in each.stderr and b"hint: " in each.stderr for each in told)


@shows("--print-prompt")
def test_print_prompt_needs_no_model(codi: Codi):
    run = codi("--print-prompt")
    assert run.status == 0 and run.out.startswith("# from: ") and "<role>" in run.out


@shows("-m", "--model", "--provider", "--base-url", "--thinking")
def test_the_model(codi: Codi, hello):
    for words in (("-m", "anthropic/a"), ("--model", "anthropic/a"), ("--provider", "anthropic", "-m", "a")):
        assert codi("-p", "hi", *words).status == 0
        assert hello.requests[-1].json["model"] == "a", words
    assert "thinking" not in hello.requests[-1].json
    assert codi("-p", "hi", "-m", "anthropic/claude-sonnet-4-5", "--thinking", "high").status == 0
    assert hello.requests[-1].json["thinking"]["type"] == "enabled"
    assert codi("-p", "hi", "-m", "anthropic/claude-sonnet-4-5:low").status == 0
    assert hello.requests[-1].json["thinking"]["budget_tokens"] == 2048
    with running({"loop": True, "steps": [says("Elsewhere.")]}) as other:
        run = codi(
            "-p", "hi", "--base-url", f"{other.url}/v1", "--provider", "openai", "-m", "x", env={"OPENAI_API_KEY": "k"}
        )
        assert run.out == "Elsewhere.\n" and other.requests[-1].path == "/v1/chat/completions"


@shows("--endpoint-id")
def test_an_endpoint_stands_in_the_address(codi: Codi):
    env = {"CODI_MODEL": "runpod/x", "RUNPOD_API_KEY": "k"}
    without = codi("-p", "hi", "--offline", env=env)
    assert without.status == 2 and "RUNPOD_ENDPOINT_ID" in without.err
    found = codi("-p", "hi", "--offline", "--endpoint-id", "abc123", env=env)
    assert found.status == 1 and "api.runpod.ai" in found.err and "RUNPOD_ENDPOINT_ID" not in found.err


@shows("--api-key")
def test_where_the_key_comes_from(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("Yes.")]}, key="secret")
    del codi.env["ANTHROPIC_API_KEY"]
    assert codi("-p", "hi", "--api-key", "env:MY_KEY", env={"MY_KEY": "secret"}).status == 0
    assert codi("-p", "hi", "--api-key", "!echo secret").status == 0
    assert len(server.requests) == 2
    run = codi("-p", "hi", "--api-key", "secret")
    refused(run, "--api-key")
    assert "secret" not in run.err


@shows("--context-window")
def test_a_small_window_has_few_tools(codi: Codi, hello):
    assert codi("-p", "hi", "--context-window", "8000").status == 0
    assert tools_of(hello) == ["read", "write", "edit", "shell", "grep", "glob", "list", "todo"]


@shows("--compress")
def test_long_values_go_as_stand_ins(codi: Codi, lab):
    long = "src/some/deep/folder/of/the/project/module_with_a_name.py"
    steps = [says(f"{long} and {long} and {long} and {long}"), says("b"), says("c")]
    server = lab(steps)
    assert codi.json("one", "two", "three", "--compress").status == 0
    assert "\u27e6E1\u27e7" in json.dumps(server.requests[-1].json["messages"], ensure_ascii=False)


@shows("-c", "--continue", "-r", "--resume", "-s", "--session", "--fork", "--no-session", "--session-id", "--name")
def test_sessions(codi: Codi, hello):
    assert codi.json("one", "--no-session").result["sessionFile"] is None
    first = codi.json("one", "--session-id", "my-own-id", "--name", "Mine").result
    assert first["sessionId"] == "my-own-id" and first["sessionFile"].endswith("_my-own-id.jsonl")
    for words in (
        ("-c",),
        ("--continue",),
        ("-r", "Mine"),
        ("--resume", "my-o"),
        ("-s", "my-own-id"),
        ("--session", "Mine"),
    ):
        assert codi.json("more", *words).result["sessionId"] == "my-own-id", words
    fork = codi.json("more", "--fork", "my-own-id", "--session-id", "forked").result
    assert fork["sessionId"] == "forked" and "one" in json.dumps(hello.requests[-1].json)
    taken = codi("-p", "two", "--session-id", "my-own-id")
    assert taken.status == 1 and "--session my-own-id" in taken.err
    for wrong in ("a", "../up", "x" * 65, "ä" * 8, ""):
        refused(codi("-p", "hi", "--session-id", wrong), "--session-id")
    refused(codi("-p", "hi", "--name", "x" * 61), "--name")


@shows("--session-dir")
def test_the_folder_of_sessions(codi: Codi, hello, tmp_path):
    result = codi.json("hi", "--session-dir", str(tmp_path / "kept")).result
    assert Path(result["sessionFile"]).parent == tmp_path / "kept"
    assert codi.json("more", "-c", "--session-dir", str(tmp_path / "kept")).result["sessionId"] == result["sessionId"]
    assert codi.sessions() == []


@shows("--permission-mode", "-y", "--yes", "--allow", "--deny", "--require-permission")
def test_permissions(codi: Codi, lab):
    def made(*words: str) -> tuple[int, bool]:
        lab([says("", call("write", path="made", content="x")), says("Done.")])
        (codi.cwd / "made").unlink(missing_ok=True)
        status = codi("-p", "go", *words).status
        return status, (codi.cwd / "made").exists()

    assert made() == (3, False)
    assert made("--require-permission=no") == (0, False)
    assert made("-y") == made("--yes") == made("--allow", "write(made)") == (0, True)
    assert made("-y", "--deny", "write(made)") == made("--permission-mode", "plan", "-y") == (0, False)
    assert made("--permission-mode", "accept-edits") == made("--permission-mode", "full-access") == (0, True)


@shows("--trust-project", "--approve", "--no-trust", "--no-approve")
def test_what_a_project_sets(codi: Codi, hello):
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi/config.toml").write_text("tools.profile = 'nano'\n")
    for words, count in (
        ((), 10),
        (("--no-trust",), 10),
        (("--no-approve",), 10),
        (("--trust-project",), 5),
        (("--approve",), 5),
    ):
        run = codi("-p", "hi", *words)
        assert run.status == 0 and (len(tools_of(hello)) == 5) == (count == 5), words


@shows("--audit")
def test_a_record_is_kept(codi: Codi, hello):
    assert codi("-p", "hi").status == 0 and not (codi.home / "audit").exists()
    assert codi("-p", "hi", "--audit").status == 0 and len(list(codi.home.glob("audit/*.jsonl"))) == 1


@shows("--offline")
def test_offline_is_no_network_beyond_this_machine(codi: Codi, hello):
    assert codi("-p", "hi", "--offline").status == 0
    run = codi("-p", "hi", "--offline", "--base-url", "http://192.0.2.1")
    assert run.status == 1 and "offline" in run.err.lower()


@shows("--tools", "-t", "--exclude-tools", "--no-tools", "-nt", "--tool-profile")
def test_tools(codi: Codi, hello):
    def offered(*words: str) -> list[str]:
        run = codi("-p", "hi", *words)
        assert run.status == 0, run
        return tools_of(hello)

    everything = offered()
    assert offered("--tools", "read,Grep") == offered("-t", "grep, read") == ["read", "grep"]
    assert offered("--no-tools") == offered("-nt") == []
    assert "<tools>" not in system_of(hello)
    assert offered("--exclude-tools", "bash") == [name for name in everything if name != "shell"]
    assert offered("--tools", "read,shell", "--exclude-tools", "shell") == ["read"]
    assert offered("--tool-profile", "nano", "--exclude-tools", "apply_patch") == [
        "read",
        "write",
        "edit",
        "shell",
        "grep",
    ]
    refused(codi("-p", "hi", "--tools", "reed"), "reed", "read")
    refused(codi("-p", "hi", "--exclude-tools", "frob"), "frob")
    refused(codi("-p", "hi", "--tools", ","), "--tools")
    refused(codi("-p", "hi", "--tools", "read", "--exclude-tools", "read"))


@shows("--add-dir")
def test_a_further_directory(codi: Codi, lab, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.txt").write_text("alpha")
    for words, status in (((), 3), (("--add-dir", str(tmp_path / "more")), 0)):
        lab([says("", call("read", path=str(tmp_path / "more/a.txt"))), says("Done.")])
        assert codi("-p", "hi", *words).status == status
    refused(codi("-p", "hi", "--add-dir", "/no/such"), "--add-dir", "/no/such")


@shows("--system-prompt", "--append-system-prompt", "--no-context-files", "-nc")
def test_the_system_prompt(codi: Codi, hello):
    (codi.cwd / "AGENTS.md").write_text("Count to ten.")
    (codi.cwd / "role").write_text("You are a poet.")
    words = ("--system-prompt", "@role", "--append-system-prompt", "In verse.", "--append-system-prompt", "In French.")
    assert codi("-p", "hi", *words).status == 0
    text = system_of(hello)
    assert (
        text.index("You are a poet.") < text.index("In verse.") < text.index("In French.") < text.index("Count to ten.")
    )
    for flag in ("--no-context-files", "-nc"):
        assert codi("-p", "hi", flag).status == 0 and "Count to ten." not in system_of(hello)
    refused(codi("-p", "hi", "--system-prompt", "@none"), "none")


@shows("--config", "--profile")
def test_values_and_profiles_of_the_configuration(codi: Codi, hello):
    codi.set_up("[profiles.small]\ntools.profile = 'nano'\n")
    assert codi("-p", "hi", "--profile", "small").status == 0 and len(tools_of(hello)) == 5
    assert codi("-p", "hi", "--config", "tools.disabled=[todo]", "--config", "tools.profile=minimal").status == 0
    assert len(tools_of(hello)) == 7
    refused(codi("-p", "hi", "--profile", "large"), "large", "small")
    refused(codi("-p", "hi", "--config", "tools.profil=nano"), "tools.profil", "tools.profile")


@shows("--max-turns", "--max-cost", "--max-cost-unknown", "--max-time", "--max-tokens")
def test_limits(codi: Codi, lab):
    for words, status in (
        (("--max-turns", "1"), 124),
        (("--max-time", "0.001"), 124),
        (("--max-tokens", "1"), 124),
        (("--max-cost", "0.5"), 124),
        (("--max-cost", "0.5", "--max-cost-unknown=ok"), 0),
    ):
        with running({"loop": True, "steps": [says("", call("list")), says("Done.")]}) as server:
            codi.use(server)
            assert codi("-p", "hi", *words).status == status, words


@shows("--require-evidence", "--verify")
def test_evidence(codi: Codi, lab):
    for words, status in (((), 0), (("--require-evidence",), 4)):
        lab({"loop": True, "steps": [says("All tests pass.")]})
        assert codi("-p", "go", *words).status == status
    for words, verified in (((), False), (("--verify", "touch verified", "--verify", "true"), True)):
        lab([says("", call("write", path=f"made-{verified}", content="x")), says("Written.")])
        assert codi("-p", "go", "-y", *words).status == 0 and (codi.cwd / "verified").exists() == verified


@shows("--sandbox")
def test_the_sandbox_is_chosen_for_one_start(codi: Codi, lab):
    lab(
        [
            says("", call("shell", command="sh do.sh")),
            says("Done."),
            says("", call("shell", command="sh do.sh")),
            says("Done."),
        ]
    )
    (codi.cwd / "do.sh").write_text("grep NoNewPrivs /proc/self/status")
    told = [
        codi.json("go", "--permission-mode", "full-access", "--sandbox", how).result["toolCalls"][0]["result"]
        for how in ("off", "auto")
    ]
    assert told[0].split()[1] == "0" and told[1].split()[1] in ("0", "1")


@shows("--title-model", "--summarize-model")
def test_models_for_titles_and_summaries(codi: Codi, lab):
    codi.env["CODI_SESSIONS_TITLE"] = "true"
    naming = {"when": {"system": "You name conversations"}, "steps": [says("A name")]}
    server = lab({"steps": [says("One."), says("", call("list")), says("Two.")], "branches": [naming]})
    assert codi.json("one", "two", "--title-model", "anthropic/small").status == 0
    assert {"small", "x"} == {request.json["model"] for request in server.requests}
    codi.env["CODI_SESSIONS_TITLE"] = "false"
    summing = {"when": {"system": "You summarise conversations"}, "loop": True, "steps": [says("## Goal\nAll of it.")]}
    answers = [says(f"Answer {number}: " + "word " * 200) for number in range(40)]
    server = lab({"window": 8192, "steps": answers, "branches": [summing]}, "openai-chat")
    prompts = [f"Prompt {number}: " + "please " * 100 for number in range(40)]
    small = ("--context-window", "8192", "--summarize-model", "openai-chat/small")
    assert codi.json(*prompts, *small).status == 0
    asked = [request.json for request in server.requests if request.method == "POST"]
    sums = [body for body in asked if "You summarise conversations" in json.dumps(body)[:4000]]
    assert sums and sums[0]["model"] == "small" and len(asked) == 40 + len(sums)


@shows("--models", "--record", "--replay")
def test_what_other_tests_show():
    """`test_queue.py` cycles through models, `test_recordings.py` records and replays."""
    assert (Path(__file__).parent / "test_recordings.py").exists() and (
        Path(__file__).parent / "test_queue.py"
    ).exists()


def test_every_flag_is_seen_to_do_something():
    assert {option for action in flags_of(parser(COMMANDS)) for option in action.option_strings} == SEEN


CONTRADICTIONS = [
    ("--no-session", "--continue"),
    ("--no-session", "--resume=x"),
    ("--continue", "--session=x"),
    ("--session=x", "--fork=y"),
    ("--resume=x", "--fork=y"),
    ("--session-id=abcd", "--continue"),
    ("--session-id=abcd", "--resume=x"),
    ("--no-tools", "--tools=read"),
    ("--trust-project", "--no-trust"),
    ("--output-format=json", "--mode=text"),
]


@pytest.mark.parametrize("flags", CONTRADICTIONS)
def test_what_contradicts_itself_is_refused_naming_both(codi: Codi, hello, flags):
    refused(codi("-p", "hi", *flags), *(flag.partition("=")[0] for flag in flags))
    assert hello.requests == []


def test_abbreviations_are_refused(codi: Codi, hello):
    refused(codi("-p", "hi", "--mod", "anthropic/x"), "--mod", "--model")
    refused(codi("-p", "hi", "--output", "json"), "--output-format")
    assert hello.requests == []


@pytest.mark.parametrize("words", [("-p",), ("-p", ""), ("-p", "  \n"), ("-P", ""), ("-p", "-")])
def test_nothing_said_is_no_prompt(codi: Codi, hello, words):
    refused(codi(*words), "there is no prompt")
    assert hello.requests == []


def test_help_of_a_command_a_flag_and_a_key(codi: Codi):
    assert codi("help").out == codi("--help").out
    assert codi("help", "models").out == codi("models", "--help").out
    assert codi("help", "sessions", "delete").out == codi("sessions", "delete", "--help").out
    assert "--output-format" in codi("help", "-f").out and "--tools" in codi("help", "-t").out
    assert "steps in a turn" in codi("help", "agent.max_steps").out
    refused(codi("help", "modells"), "modells", "models")
    refused(codi("help", "--modle"), "--modle", "--model")


def test_the_older_spelling_of_models(codi: Codi):
    assert codi("--list-models", "opus").out == codi("models", "opus").out != ""
    assert codi("--provider", "openai", "--list-models").out == codi("models", "--provider", "openai").out


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "help"])
def test_every_command_has_help_and_takes_what_all_take(codi: Codi, command):
    run = codi(command, "--help")
    assert run.status == 0 and run.out.startswith(f"usage: codi {command}") and not run.err
    refused(codi(command, "--frobnicate"), "codi", command)


@pytest.mark.parametrize(
    "words",
    [
        ("config", "list"), ("config", "get", "agent.max_steps"), ("config", "path"), ("lab", "list"), ("lab", "check", "hello"),
        ("models",), ("models", "current"), ("schema",), ("schema", "events"), ("sessions",), ("sessions", "dir"), ("tool", "list"),
        ("tool", "show", "read"), ("tool", "call", "list"), ("demo",),
    ],
)  # fmt: skip
def test_json_everywhere(codi: Codi, hello, words, tmp_path):
    run = codi(*words, "--json", "-q", "--cwd", str(tmp_path))
    assert run.status == 0 and not run.err, run
    for line in run.out.splitlines():
        assert isinstance(json.loads(line), dict | list)
