"""What the model claims is held against what was done: marked, asked for, and with --require-evidence required."""

import json
import subprocess
from pathlib import Path

import pytest

from conftest import Codi, call, says

PYTHON = "python3 -B -m unittest -q"
GOOD = "import unittest\nfrom sums import add\n\n\nclass Sums(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"
ALLOWED = ("--permission-mode", "accept-edits", "--allow", f"run({PYTHON})", "--allow", "run(git *)")


@pytest.fixture
def project(folder: Path) -> Path:
    """A project with one test, which passes."""
    (folder / "sums.py").write_text("def add(a, b):\n    return a + b\n")
    (folder / "test_sums.py").write_text(GOOD)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def shell(command: str):
    return call("shell", command=command)


def breaks():
    return call("write", path="sums.py", content="def add(a, b):\n    return a - b\n")


def mends():
    return call("write", path="sums.py", content="def add(a, b):\n    return b + a\n")


def reads():
    return call("read", path="sums.py")


def states(run) -> list[str]:
    return [claim["state"] for claim in run.result["claims"]]


def test_a_lie_is_marked_and_the_answer_is_not_altered(codi: Codi, project, lab):
    lab([says("All tests pass.")])
    run = codi("-p", "test it")
    assert (run.status, run.out) == (0, "All tests pass.\n")
    assert run.err == "All tests pass [no evidence]\n"


def test_quiet_leaves_standard_error_empty(codi: Codi, project, lab):
    lab([says("All tests pass.")])
    run = codi("-p", "-q", "test it")
    assert (run.status, run.out, run.err) == (0, "All tests pass.\n", "")


def test_a_lie_that_is_upheld_ends_with_4(codi: Codi, project, lab):
    server = lab({"loop": True, "steps": [says("All tests pass and I committed the change.")]})
    run = codi.json("test it", "--require-evidence")
    assert run.status == 4 and run.result["kind"] == "unbacked" and run.result["exitCode"] == 4
    assert states(run) == ["unbacked", "unbacked"]
    assert [claim["text"] for claim in run.result["claims"]] == ["All tests pass", "I committed the change"]
    assert "2 claims are not backed" in run.result["reason"]
    assert len(server.requests) == 3
    asked = json.dumps(server.requests[1].json["messages"][-1])
    assert "All tests pass [unbacked: no test was run]" in asked and "Evidence: ID" in asked


def test_a_lie_that_is_taken_back_ends_with_0(codi: Codi, project, lab):
    lab([says("All tests pass."), says("I did not run the tests.")])
    run = codi.json("test it", "--require-evidence")
    assert run.status == 0 and run.result["kind"] == "done" and run.result["claims"] == []


def test_without_required_evidence_a_prompt_asks_and_the_end_is_0(codi: Codi, project, lab):
    codi.set_up('[agent]\nevidence = "prompt"\nevidence_retries = 1\n')
    server = lab({"loop": True, "steps": [says("All tests pass.")]})
    run = codi.json("test it")
    assert run.status == 0 and states(run) == ["unbacked"] and len(server.requests) == 2


def test_evidence_can_be_turned_off(codi: Codi, project, lab):
    codi.set_up('[agent]\nevidence = "off"\n')
    lab([says("", shell(PYTHON)), says("All tests pass. The build succeeds.")])
    run = codi.json("test it", *ALLOWED)
    assert run.status == 0 and run.result["claims"] == [] and len(run.result["evidence"]) == 1


def test_an_honest_answer_passes(codi: Codi, project, lab):
    server = lab([says("", shell(PYTHON)), says("I ran the tests and all of them pass.")])
    run = codi.json("test it", "--require-evidence", *ALLOWED)
    assert run.status == 0 and states(run) == ["backed", "backed"] and len(server.requests) == 2
    (evidence,) = run.result["evidence"]
    assert evidence["command"] == PYTHON and evidence["exitCode"] == 0 and evidence["stale"] is False
    assert run.result["claims"][0]["evidence"] == evidence["id"]
    (kept,) = [line["data"] for line in codi.session() if line.get("customType") == "codi/evidence"]
    assert (kept["passed"], kept["failed"], kept["kind"], kept["cwd"]) == (1, 0, "test", str(project))
    assert kept["tree"] and kept["durationMs"] > 0 and "outcome" not in kept


def test_an_edit_after_the_run_makes_it_stale(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), says("", reads()), says("", mends()), says("I updated `sums.py`; all tests pass.")])
    run = codi.json("test it", *ALLOWED)
    assert run.status == 0 and states(run) == ["backed", "stale"]
    (evidence,) = run.result["evidence"]
    assert evidence["stale"] is True and run.result["claims"][1]["evidence"] == evidence["id"]


def test_a_command_that_changes_a_file_makes_it_stale_too(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), says("", shell("sed -i s/a/b/ sums.py")), says("All tests pass.")])
    run = codi.json("test it", "-y")
    assert states(run) == ["stale"] and run.result["evidence"][0]["stale"]


def test_a_change_between_two_turns_makes_it_stale(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), says("Tests pass."), says("As I said, the tests pass.")])
    assert states(codi.json("test it", *ALLOWED)) == ["backed"]
    (project / "sums.py").write_text("")
    run = codi.json("-c", "and now?", *ALLOWED)
    assert states(run) == ["stale"]


def test_evidence_outlives_a_resume(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), says("Tests pass."), says("As I said, the tests pass.")])
    codi.json("test it", *ALLOWED)
    assert states(codi.json("-c", "and now?", *ALLOWED)) == ["backed"]


def test_a_failing_run_contradicts(codi: Codi, project, lab):
    (project / "sums.py").write_text("def add(a, b):\n    return a - b\n")
    lab({"steps": [says("", shell(PYTHON)), says("All tests pass.", repeat=3)]})
    run = codi.json("test it", "--require-evidence", *ALLOWED)
    assert run.status == 4 and states(run) == ["contradicted"] and run.result["evidence"][0]["exitCode"] == 1


def test_a_run_whose_status_is_hidden_contradicts_by_its_output(codi: Codi, project, lab):
    (project / "sums.py").write_text("def add(a, b):\n    return a - b\n")
    lab([says("", shell(f"{PYTHON} || true")), says("All tests pass, exit code 0.")])
    run = codi.json("test it", "-y")
    assert "contradicted" in states(run) and run.result["evidence"][0]["exitCode"] == 0


def test_a_run_in_another_place_is_no_evidence(codi: Codi, project, lab, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "test_x.py").write_text(GOOD.replace("from sums import add", "add = int.__add__"))
    lab([says("", shell(f"cd {other} && {PYTHON}")), says("All tests pass.")])
    run = codi.json("test it", "-y")
    assert states(run) == ["unbacked"] and "elsewhere" in run.result["claims"][0]["why"]


def test_files_and_commits_are_checked(codi: Codi, project, lab):
    answer = "I created `made.py`, deleted `test_sums.py` and updated `sums.py`. I committed everything."
    lab([says("", call("write", path="made.py", content="x = 1\n")), says(answer)])
    run = codi.json("do it", *ALLOWED)
    assert states(run) == ["backed", "contradicted", "unbacked", "unbacked"]


def test_a_commit_that_was_made_is_seen(codi: Codi, project, lab):
    commit = "git -c user.name=a -c user.email=a@b add -A && git -c user.name=a -c user.email=a@b commit -qm x"
    lab([says("", shell(commit)), says("I committed all changes."), says("I committed it as 1234abc.")])
    assert states(codi.json("do it", "-y")) == ["backed"]
    assert states(codi.json("-c", "which one?", "-y")) == ["contradicted"]


def test_the_stream_tells_of_evidence_and_claims(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), says("All tests pass. The linter is clean.")])
    run = codi.stream("test it", *ALLOWED)
    (evidence,) = run.of_type("evidence")
    assert evidence["kind"] == "test" and evidence["exitCode"] == 0 and evidence["tree"]
    claims = run.of_type("claim")
    assert [claim["state"] for claim in claims] == ["backed", "unbacked"]
    assert claims[0]["evidence"] == evidence["id"] and "evidence" not in claims[1]
    kinds = [line["type"] for line in run.lines]
    assert kinds.index("tool_execution_end") < kinds.index("evidence") < kinds.index("claim") < kinds.index("agent_end")


def test_a_cited_run_is_looked_up(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), says("Done.\n\nEvidence: ev_00000000")])
    assert states(codi.json("test it", *ALLOWED)) == ["unbacked"]


def test_what_must_pass_is_run_and_its_failure_given_to_the_model(codi: Codi, project, lab):
    server = lab([says("", reads()), says("", breaks()), says("Changed it."), says("", mends()), says("Mended it.")])
    run = codi.json("change it", "--verify", PYTHON, *ALLOWED)
    assert run.status == 0 and run.result["answer"] == "Mended it."
    assert [evidence["exitCode"] for evidence in run.result["evidence"]] == [1, 0]
    assert [evidence["stale"] for evidence in run.result["evidence"]] == [True, False]
    told = json.dumps(server.requests[3].json["messages"][-1])
    assert "must pass" in told and "AssertionError" in told


def test_what_must_pass_and_never_does_is_an_error(codi: Codi, project, lab):
    server = lab([says("", reads()), says("", breaks()), {"repeat": 3, **says("Done.")}])
    run = codi.json("change it", "--verify", PYTHON, *ALLOWED)
    assert run.status == 1 and run.result["error"]["code"] == "verify" and len(server.requests) == 5


def test_nothing_is_verified_where_nothing_changed(codi: Codi, project, lab):
    lab([says("Nothing to do.")])
    run = codi.json("look", "--verify", "false", "-y")
    assert run.status == 0 and run.result["toolCalls"] == []


def test_verifying_needs_permission_like_any_command(codi: Codi, project, lab):
    lab([says("", reads()), says("", mends()), says("Changed it.")])
    run = codi.json("change it", "--verify", PYTHON, "--permission-mode", "accept-edits")
    assert run.status == 3 and run.result["permissions"][0]["effects"] == [f"runs {PYTHON}"]


def test_a_project_verifies_only_when_it_is_trusted(codi: Codi, project, lab):
    (project / ".codi").mkdir()
    (project / ".codi" / "config.toml").write_text('verify = ["touch verified"]\n')
    lab([says("", reads()), says("", mends()), says("One."), says("", reads()), says("", breaks()), says("Two.")])
    assert codi.json("change it", "-y").status == 0 and not (project / "verified").exists()
    assert codi.json("change it", "-y", "--trust-project").status == 0 and (project / "verified").exists()


def test_the_tool_that_runs_tests_gives_evidence(codi: Codi, project, lab):
    lab([says("", call("run_tests", command=PYTHON)), says("All tests pass: 1 passed, 0 failed.")])
    run = codi.json("test it", *ALLOWED)
    assert set(states(run)) == {"backed"} and run.result["evidence"][0]["command"] == PYTHON
    (kept,) = [line["data"] for line in codi.session() if line.get("customType") == "codi/evidence"]
    assert (kept["passed"], kept["failed"], kept["kind"]) == (1, 0, "test")


def test_what_tests_leave_behind_is_no_change(codi: Codi, project, lab):
    command = "python3 -m unittest -q"
    lab([says("", shell(command)), says("I fixed the bug. All tests pass.")])
    run = codi.json("test it", "-y", env={"PYTHONDONTWRITEBYTECODE": ""})
    assert states(run) == ["unbacked", "backed"]


def test_a_permission_that_is_missing_comes_before_a_claim_that_is(codi: Codi, project, lab):
    lab([says("", shell(PYTHON)), {"repeat": 3, **says("All tests pass.")}])
    run = codi.json("test it", "--require-evidence")
    assert run.status == 3 and run.result["kind"] == "permission" and states(run) == ["unbacked"]


def test_a_turn_out_of_steps_ends_as_such(codi: Codi, project, lab):
    lab({"loop": True, "steps": [says("All tests pass.")]})
    run = codi.json("test it", "--require-evidence", "--max-turns", "1")
    assert run.status == 124
