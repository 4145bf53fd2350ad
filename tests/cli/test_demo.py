"""`codi demo` and `codi lab`, through the installed program."""

import json
import signal
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest

from conftest import PROGRAM


def test_the_demo_does_the_main_job_without_a_key(codi):
    began = time.monotonic()
    demo = codi("demo")

    assert demo.status == 0, demo.out + demo.err
    assert time.monotonic() - began < 5
    for told in (
        "python3 -B -m unittest",  # what was run
        "FAILED (failures=1)",
        "-    if pieces > DISCOUNT_FROM:",
        "+    if pieces >= DISCOUNT_FROM:",
        "All tests pass.",
        "ok    the tests pass: Ran 6 tests: OK",
        "7 requests on the wire",
        "ANTHROPIC_API_KEY",
        "PASS demo fix-the-test",
    ):
        assert told in demo.out
    assert demo.err == ""


def test_the_report_can_be_read_by_programs_and_the_session_by_codi(codi):
    demo = codi("demo", "--json")

    (report,) = demo.lines
    assert report["passed"] and all(check["passed"] for check in report["checks"])
    assert report["sessionFile"].startswith(str(codi.home / "sessions"))
    with open(report["sessionFile"], encoding="utf-8") as file:
        header = json.loads(file.readline())
    assert header["id"] == report["sessionId"] and header["cwd"] == report["repository"]


def test_the_persons_keys_and_addresses_are_left_alone(codi):
    env = {
        "ANTHROPIC_API_KEY": "sk-ant-mine",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "CODI_MODEL": "openai/gpt-5.4",
    }

    assert codi("demo", "-q", env=env).status == 0


def test_a_setting_of_the_person_does_not_change_the_demo(codi):
    codi.set_up('permission_mode = "read-only"\n[tools]\ndisabled = ["edit"]\n')

    assert codi("demo", "-q").status == 0


def test_a_demo_that_is_kept_leaves_the_repository_as_the_agent_left_it(codi, tmp_path):
    demo = codi("demo", "--keep", "--json", env={"TMPDIR": str(tmp_path)})

    (kept,) = tmp_path.glob("codi-demo-*/fix-the-test")
    assert demo.lines[0]["repository"] == str(kept)
    assert "pieces >= DISCOUNT_FROM" in (kept / "larder/prices.py").read_text()


def test_nothing_else_is_left_behind(codi, tmp_path):
    codi("demo", "-q", env={"TMPDIR": str(tmp_path)})

    assert not list(tmp_path.glob("codi-*"))


@pytest.mark.parametrize("name", ["many-files", "two-hundred-steps"])
def test_the_other_scenarios_with_a_repository(codi, name):
    demo = codi("demo", name, "-q")

    assert demo.status == 0, demo.out
    assert demo.out.startswith(f"PASS demo {name}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["demo", "hello"], "no repository"),
        (["demo", "nothing-like-it"], "there is no scenario"),
        (["demo", "--sever"], "unknown argument --sever"),
        (["demo", "--server", "70000"], "there is no port 70000"),
        (["demo", "--server", "http"], "invalid int value"),
        (["demo", "--cwd", "/nowhere"], "not a directory"),
        (["lab"], "required"),
        (["lab", "serve"], "required"),
        (["lab", "check", "missing.yaml"], "missing.yaml"),
        (["lab", "record", "http://127.0.0.1:9"], "invalid choice"),
    ],
)
def test_bad_input_is_told_in_one_line_with_a_hint(codi, words, told):
    ran = codi(*words)

    assert ran.status == 2
    assert ran.out == "" and told in ran.err
    assert ran.err.startswith("error: ") and "\nhint: " in ran.err and "Traceback" not in ran.err


@contextmanager
def serving(codi, *words):
    process = subprocess.Popen(
        [PROGRAM, *words], cwd=codi.cwd, env=codi.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        yield process
        process.kill()


@pytest.mark.parametrize("words", [["demo", "--server", "0"], ["lab", "serve", "fix-the-test", "--port", "0"]])
def test_a_scenario_is_served_until_it_is_interrupted(codi, words):
    with serving(codi, *words) as process:
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/v1/models") as answer:
            listed = json.load(answer)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert [model["id"] for model in listed["data"]] == ["scripted-1"]


def test_a_port_that_is_taken(codi):
    with serving(codi, "lab", "serve", "hello") as process:
        port = process.stdout.readline().strip().rpartition(":")[2]
        taken = codi("lab", "serve", "hello", "--port", port)
    assert taken.status == 1
    assert f"cannot listen on port {port}" in taken.err


def test_lab_lists_the_scenarios(codi):
    assert "fix-the-test" in [row[0] for row in codi("lab", "list").rows]
    listed = codi("lab", "list", "--json").lines
    assert {line["name"]: line["demo"] for line in listed}["hello"] is False


def test_lab_check_names_file_and_step(codi):
    (codi.cwd / "good.yaml").write_text("steps:\n  - text: Hello.\n")
    (codi.cwd / "bad.yaml").write_text("steps:\n  - text: Hello.\n  - txt: Again.\n")

    assert codi("lab", "check", "good.yaml").status == 0
    assert codi("lab", "check", "good.yaml", "--json").lines == [
        {"scenario": "good.yaml", "ok": True, "steps": 1, "branches": 0}
    ]
    bad = codi("lab", "check", "bad.yaml")
    assert bad.status == 2 and "bad.yaml, step 2" in bad.err
