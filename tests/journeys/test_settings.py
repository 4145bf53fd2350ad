"""Settings and instruction files, through the installed program."""

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAM, Codi, call, says


def explained(codi: Codi, key: str, *flags: str, **more: Any) -> dict[str, Any]:
    run = codi("config", "explain", key, "--json", *flags, **more)
    assert run.status == 0, run
    return json.loads(run.out)


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / ".codi").mkdir()
    return folder


def test_a_key_in_all_layers_taken_away_one_by_one(codi, home, project):
    codi.set_up('# mine\n[tools]\nprofile = "full"\n')
    (project / ".codi/config.toml").write_text('tools.profile = "minimal"')
    (project / ".codi/config.local.toml").write_text('\n\ntools.profile = "nano"')
    codi.env["CODI_TOOLS_PROFILE"] = "minimal"

    def told(*flags: str) -> tuple[str, str, str]:
        answer = explained(codi, "tools.profile", "--trust-project", *flags)
        assert answer["layers"][-1]["layer"] == answer["layer"]
        return answer["value"], answer["layer"], answer["origin"]

    assert told("--config", "tools.profile=full", "--tool-profile", "nano") == ("nano", "flags", "--tool-profile")
    assert told("--config", "tools.profile=full") == ("full", "flags", "--config tools.profile")
    assert told() == ("minimal", "environment", "CODI_TOOLS_PROFILE")
    del codi.env["CODI_TOOLS_PROFILE"]
    assert told() == ("nano", "local", f"{project}/.codi/config.local.toml:3")
    (project / ".codi/config.local.toml").unlink()
    assert told() == ("minimal", "project", f"{project}/.codi/config.toml:1")
    untrusted = explained(codi, "tools.profile")
    assert (untrusted["value"], untrusted["origin"]) == ("full", f"{home}/config.toml:3")
    (home / "config.toml").unlink()
    (project / ".codi/config.toml").unlink()
    assert told() == ("auto", "default", "")


def test_the_keys_of_the_person(codi, home):
    assert codi("config", "set", "agent.max_steps", "7").status == 0
    assert codi("config", "get", "agent.max_steps").out == "7\n"
    assert codi("config", "set", "tools.disabled", "[todo,grep]").status == 0
    assert codi("config", "get", "tools.disabled", "--json").out == (
        f'{{"key":"tools.disabled","value":["todo","grep"],"layer":"user","origin":"{home}/config.toml:5"}}\n'
    )
    assert codi("config", "get", "model.default").out == "\n"
    assert codi("config", "get", "agent.max_steps", "--layer", "default").out == "100\n"
    assert codi("config", "get", "agent.max_steps", "--layer", "project").status == 1
    unknown = codi("config", "get", "agent.max_step")
    assert unknown.status == 1 and "did you mean agent.max_steps?" in unknown.err
    assert codi("config", "unset", "agent.max_steps").status == 0
    assert codi("config", "unset", "agent.max_steps").status == 1
    assert codi("config", "get", "agent.max_steps").out == "100\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("agent.max_steps", "x"), 'agent.max_steps: expected integer >= 0, found string "x"'),
        (("agent.max_step", "1"), "unknown key - did you mean agent.max_steps?"),
        (("agent", "1"), "agent is a section"),
        (("--project", "model.default", "x"), "a project may not set this"),
        (("--project", "permission_mode", "full-access"), "a project may not set full-access"),
        (("--project", "agent.max_steps", "1000"), "a project may not raise this limit above 100"),
        (("--project", "--user", "agent.max_steps", "1"), "not allowed with"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_written(codi, home, project, words, told):
    run = codi("config", "set", *words)
    assert run.status == 2 and told in run.err
    assert not home.exists() and not list((project / ".codi").iterdir())


def test_setting_keeps_comments_and_closes_the_file(codi, home):
    codi.set_up("# top\n[agent] # a\n# why\nmax_steps = 3 # not far\n")
    assert codi("config", "set", "agent.max_steps", "9").status == 0
    assert (home / "config.toml").read_text() == "# top\n[agent] # a\n# why\nmax_steps = 9 # not far\n"
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600


def test_two_who_set_at_the_same_time_lose_nothing(codi, home):
    values = {f"N{number}": str(number) for number in range(6)}
    started = [
        subprocess.Popen([PROGRAM, "config", "set", "-q", f"shell.env.{name}", value], env=codi.env, cwd=codi.cwd)
        for name, value in values.items()
    ]
    assert [process.wait(30) for process in started] == [0] * 6
    assert tomllib.loads((home / "config.toml").read_text())["shell"]["env"] == values


def test_the_untracked_file_is_kept_out_of_git(codi, project):
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    assert codi("config", "set", "--local", "shell.timeout_s", "9").status == 0
    assert codi("config", "get", "shell.timeout_s", "--trust-project").out == "9\n"
    status = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True)
    assert status.stdout == ""


def test_check_tells_all_and_ends_with_2(codi, home, project):
    codi.set_up(
        '[sndbx]\na = 1\n[tools]\ndisabled = ["gerp"]\n[policy]\nallow = ["run("]\n[model]\nprovider = "antropic"\n'
    )
    (project / ".codi/config.toml").write_text("permission_mode = 'full-access'")
    run = codi("config", "check", env={"CODI_X": "1"})
    file = f"{home}/config.toml"
    assert run.status == 2
    errors = run.err.splitlines()
    assert errors[0] == "error: CODI_X: unknown variable"
    assert errors[1] == f"error: {file}:1: sndbx: unknown section - did you mean sandbox?"
    assert errors[2].startswith(f"error: {file}:4: tools.disabled: ") and "grep" in errors[2]
    assert errors[3].startswith(f"error: {file}:6: policy.allow: rule 'run('")
    assert errors[4] == f'error: {file}:8: model.provider: unknown provider "antropic" - did you mean anthropic?'
    assert errors[5].startswith(f"warning: {project}/.codi/config.toml:1: permission_mode: ")
    told = json.loads(codi("config", "check", "--json").out)
    assert not told["ok"] and told["errors"][0]["line"] == 1 and told["errors"][0]["file"] == file
    codi.set_up("")
    assert codi("config", "check").status == 0


@pytest.mark.parametrize(
    ("text", "place"), [("[agent", ":1:7: "), ("agent.max_steps = 'x'", ":1: agent.max_steps: expected integer")]
)
def test_a_start_with_a_broken_file_ends_with_2_and_its_place(codi, home, text, place):
    codi.set_up(text)
    for words in (("-p", "hello"), ("config", "check"), ("config", "get", "model.default"), ("tool", "list")):
        run = codi(*words)
        assert run.status == 2 and f"error: {home}/config.toml{place}" in run.err, run


def test_the_files_that_are_looked_at(codi, home, project):
    (project / ".codi/config.yaml").write_text("")
    assert codi("config", "path").out == (
        f"user\t{home}/config.toml\tabsent\n"
        f"project\t{project}/.codi/config.yaml\tskipped: the project is not trusted (codi trust, --trust-project)\n"
        f"local\t{project}/.codi/config.local.toml\tabsent\n"
    )
    codi.set_up("[agent")
    first, second, third = map(json.loads, codi("config", "path", "--json", "--trust-project").out.splitlines())
    assert (first["state"], second["state"], third["state"]) == ("broken", "read", "absent")


def test_one_file_can_be_checked(codi, tmp_path):
    (tmp_path / "other.json").write_text('{"agent": {\n"max_steps": "x"}}')
    run = codi("config", "check", str(tmp_path / "other.json"))
    assert run.status == 2 and f"{tmp_path}/other.json:2: agent.max_steps" in run.err


def test_warnings_do_not_stop_a_run(codi, lab, home):
    codi.set_up("[agent]\nmax_stepz = 3\n")
    lab([says("done"), says("done")])
    run = codi.json("hello", env={"CODI_X": "1"})
    told = [f"{home}/config.toml:2: agent.max_stepz: unknown key - did you mean agent.max_steps?"]
    assert run.status == 0 and run.result["warnings"] == ["CODI_X: unknown variable", *told]
    assert run.err.count("warning: ") == 2
    text = codi("-p", "hello")
    assert text.err.count("max_stepz") == 1


def test_every_key_is_listed_and_explained(codi):
    del codi.env["CODI_SESSIONS_TITLE"]
    rows = [json.loads(line) for line in codi("config", "list", "--json").out.splitlines()]
    schema = json.loads(codi("config", "schema").out)
    assert {row["layer"] for row in rows} == {"default"}
    names = [row["key"] for row in rows]
    assert set(schema["$defs"]["Settings"]["properties"]) == {name.partition(".")[0] for name in names}
    for name in ("agent.max_steps", "policy.allow", "providers"):
        assert explained(codi, name)["meaning"]
    assert codi("config", "list", "tools").out.splitlines()[0] == 'tools.profile\t"auto"\tdefault'


def test_the_template_holds_every_key_and_changes_nothing(codi, home):
    del codi.env["CODI_SESSIONS_TITLE"]
    before = codi("config", "list").out
    assert codi("config", "init").status == 0
    assert codi("config", "init").status == 1
    text = (home / "config.toml").read_text()
    rows = [line.partition("\t")[0] for line in before.splitlines()]
    assert all(f"#{name.rpartition('.')[2]} =" in text or f"#[{name}" in text for name in rows)
    assert codi("config", "list").out == before and codi("config", "check").status == 0
    keys = [line for line in text.splitlines() if line[:2] != "# " and not line.endswith("=") and ".NAME" not in line]
    (home / "config.toml").write_text("\n".join(line.removeprefix("#") for line in keys))
    assert len(tomllib.loads((home / "config.toml").read_text())) > 8
    assert codi("config", "check").status == 0


def test_values_of_variables_are_not_listed(codi, home):
    codi.set_up(
        '[providers.own]\nbase_url = "http://h"\nheaders = {K = "Bearer $KEY"}\n[shell.env]\nMY_TOKEN = "abcdefghij"\n'
    )
    env = {"KEY": "very-secret"}
    shown = codi("config", "list", env=env).out + codi("config", "explain", "providers.own.headers.K", env=env).out
    assert "very-secret" not in shown and "abcdefghij" not in shown and "Bearer $KEY" in shown
    assert codi("config", "get", "providers.own.headers.K", env=env).out == "Bearer very-secret\n"


def test_an_editor_is_opened_and_its_work_looked_at(codi, home, tmp_path):
    assert codi("config", "edit").status == 2
    editor = tmp_path / "ed it"
    editor.write_text('#!/bin/sh\necho "agent.max_steps = \'x\'" > "$1"\n')
    editor.chmod(0o755)
    run = codi("config", "edit", env={"EDITOR": f"'{editor}'"})
    assert run.status == 2 and "config.toml:1: agent.max_steps" in run.err


# What keys do, seen from outside.


def test_the_time_limit_of_commands(codi, lab):
    codi.set_up("shell.timeout_s = 1\n")
    server = lab([says("", call("shell", command="sleep 30")), says("slow")])
    run = codi.json("go", "--permission-mode", "full-access")
    assert "timed out after 1 seconds" in run.result["toolCalls"][0]["result"]
    (shell,) = (tool for tool in server.requests[0].json["tools"] if tool["name"] == "shell")
    assert shell["input_schema"]["properties"]["timeout_s"]["default"] == 1


def test_variables_and_shell_of_commands(codi, lab, tmp_path):
    shell = tmp_path / "own-sh"
    shell.write_text('#!/bin/sh\necho own\nexec /bin/sh "$@"\n')
    shell.chmod(0o755)
    codi.set_up(f'[shell]\npath = "{shell}"\n[shell.env]\nGREETING = "$HOME and ${{NAME:-you}}"\n')
    lab([says("", call("shell", command='echo "$GREETING"')), says("done")])
    result = codi.json("go", "--permission-mode", "full-access").result["toolCalls"][0]["result"]
    assert result.splitlines()[:2] == ["own", f"{codi.env['HOME']} and you"]


def test_tools_that_are_off_and_tools_that_are_none(codi, lab):
    codi.set_up('tools.disabled = ["grep", "gerp"]\n')
    server = lab([says("done")])
    run = codi.json("go")
    assert "grep" not in [tool["name"] for tool in server.requests[0].json["tools"]]
    (warning,) = run.result["warnings"]
    assert warning.startswith('tools.disabled: There is no tool "gerp"')


def test_no_catalog_of_sessions(codi, lab, home):
    codi.set_up("sessions.catalog = false\n")
    lab([says("one"), says("two")])
    assert codi("-p", "a").status == 0
    assert codi.json("-c", "b").result["answer"] == "two"
    assert not (home / "catalog.db").exists() and len(codi.sessions()) == 1


def test_a_folder_of_sessions(codi, lab, tmp_path):
    codi.set_up('sessions.dir = "~/kept"\n')
    lab([says("one")])
    run = codi.json("a")
    assert Path(run.result["sessionFile"]).parent == Path(codi.env["HOME"]) / "kept"


def test_offline_reaches_this_machine_and_no_other(codi, lab):
    lab([says("near")])
    assert codi.json("--offline", "a").result["answer"] == "near"
    for words, env in ((("--offline",), {}), ((), {"CODI_OFFLINE": "1"})):
        away = {"ANTHROPIC_BASE_URL": "http://nowhere.invalid", "HTTP_PROXY": codi.env["ANTHROPIC_BASE_URL"], **env}
        run = codi.json(*words, "a", env=away)
        assert (run.status, run.result["error"]["message"]) == (1, "Offline: no network.")


def test_a_flag_counts_more_than_the_environment_for_the_model(codi, lab):
    server = lab([says("a")])
    codi.json("hello", "--model", "anthropic/from-flag")
    assert server.requests[0].json["model"] == "from-flag"


# Instruction files, seen on the wire.


def test_instruction_files_are_sent_in_order_up_to_the_root(codi, lab, home, folder):
    root = folder / "repository"
    cwd = root / "a" / "b"
    cwd.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    home.mkdir()
    places = [home, folder, root, root / "a", cwd, cwd / "c"]
    for number, place in enumerate(places):
        place.mkdir(exist_ok=True)
        (place / "AGENTS.md").write_text(f"guide {number}")
    server = lab([says("a"), says("b")])
    codi("-p", "hello", cwd=cwd)
    system = "".join(block["text"] for block in server.requests[0].json["system"])
    read = [places[number] / "AGENTS.md" for number in (0, 2, 3, 4)]
    at = [system.index(f'<project_instructions path="{path}">\nguide') for path in read]
    assert at == sorted(at) and "guide 1" not in system and "guide 5" not in system
    codi("-p", "hello", "--no-context-files", cwd=cwd)
    assert "guide" not in "".join(block["text"] for block in server.requests[1].json["system"])


def texts(message: dict[str, Any]) -> list[str]:
    content = message["content"]
    return [content] if isinstance(content, str) else [block.get("text", "") for block in content]


def test_a_folders_file_is_told_once_when_a_tool_comes_there(codi, lab, folder):
    for name in ("deep/er/x.txt", "deep/y.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / "deep/AGENTS.md").write_text("be deep")
    (folder / "deep/er/CLAUDE.md").write_text("be deeper")
    server = lab(
        [
            says("", call("read", path="deep/y.txt")),
            says("", call("read", path="deep/er/x.txt"), call("read", path="deep/y.txt")),
            says("done"),
            says("again"),
        ]
    )
    assert codi("-p", "go").status == 0

    def told(request: int) -> list[str]:
        """What stands in the conversation, by the number of the message."""
        messages = server.requests[request].json["messages"]
        return [f"{at} {text}" for at, message in enumerate(messages) for text in texts(message) if "<project_" in text]

    deep = f'<project_instructions path="{folder}/deep/AGENTS.md">\nbe deep\n</project_instructions>'
    deeper = f'<project_instructions path="{folder}/deep/er/CLAUDE.md">\nbe deeper\n</project_instructions>'
    assert told(0) == []
    assert [text.partition(" ")[2] for text in told(1)] == [deep]
    assert [text.partition(" ")[2] for text in told(2)] == [deep, deeper]
    assert server.requests[0].json["system"] == server.requests[2].json["system"]
    codi("-p", "-c", "go on")
    assert len(told(3)) == 2
    kept = [line for line in codi.session() if line.get("customType") == "codi/context-file"]
    assert [line["details"]["path"] for line in kept] == [f"{folder}/deep/AGENTS.md", f"{folder}/deep/er/CLAUDE.md"]


def test_a_denied_call_touches_nothing(codi, lab, folder):
    (folder / "deep").mkdir()
    (folder / "deep/AGENTS.md").write_text("be deep")
    server = lab([says("", call("write", path="deep/x.txt", content="x")), says("denied")])
    assert codi("-p", "go").status == 3
    assert "be deep" not in json.dumps(server.requests[1].json)


def test_a_change_is_told_once(codi, lab, folder):
    (folder / "AGENTS.md").write_text("be quick")
    server = lab(
        [
            says("", call("shell", command="echo be slow > AGENTS.md")),
            says("one"),
            says("two"),
            says("three"),
        ]
    )
    assert codi("-p", "a", "-P", "b", "-P", "c", "--permission-mode", "full-access").status == 0
    changed = "This file has changed; it now says:\n<project_instructions"
    counts = [json.dumps(request.json).count(json.dumps(changed)[1:-1]) for request in server.requests]
    assert counts == [0, 0, 1, 1]
    assert "be quick" in json.dumps(server.requests[3].json["system"])


def test_a_file_that_is_too_long_is_told_to_person_and_model(codi, lab, folder):
    (folder / "AGENTS.md").write_text("line\n" * 10_000)
    server = lab([says("a")])
    run = codi.json("hello")
    assert f"{folder}/AGENTS.md was cut" in run.result["warnings"][0]
    assert "[cut: " in json.dumps(server.requests[0].json["system"])


def test_the_prompt_is_printed_as_it_is_sent(codi, lab, home, folder):
    (folder / "AGENTS.md").write_text("be quick")
    codi.set_up('agent.append_system_prompt = "Rhyme."\n')
    (home / "SYSTEM.md").write_text("You are a poet.\n")
    server = lab([says("a")])
    codi("-p", "hello")
    run = codi("--print-prompt")
    lines = run.out.split("\n")
    printed = "\n".join(line for line in lines if not line.startswith("# from: ")).removesuffix("\n")
    assert printed == "".join(block["text"] for block in server.requests[0].json["system"])
    origins = [line.removeprefix("# from: ") for line in lines if line.startswith("# from: ")]
    assert origins == [
        f"{home}/SYSTEM.md",
        "built in",
        "agent.append_system_prompt",
        f"{folder}/AGENTS.md",
        "this machine",
    ]


def test_a_projects_own_prompt_needs_trust(codi, project):
    (project / ".codi/SYSTEM.md").write_text("Obey me.")
    assert "Obey me." not in codi("--print-prompt").out
    assert "Obey me." in codi("--print-prompt", "--trust-project").out
    assert "Obey me." not in codi("--print-prompt", "--trust-project", "--system-prompt", "No.").out
