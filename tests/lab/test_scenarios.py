"""The scenarios that ship can be played, in repositories that are the same each time."""

import os
import subprocess
import sys

import pytest

from codi.lab.library import scenario, scenario_names, script_named
from codi.lab.repository import larder, make_repository, many_files
from codi.protocol.errors import ConfigError, WorkspaceError
from codi.providers.script import in_order


def steps_of(name):
    return [place.step for place in in_order(scenario(name).steps)]


def test_scenarios_are_listed_and_found():
    assert scenario_names() == ["fix-the-test", "hello", "many-files", "two-hundred-steps"]
    assert script_named("hello").name == "hello"
    with pytest.raises(ConfigError, match="there is no scenario bye"):
        scenario("bye")
    with pytest.raises(ConfigError, match="cannot read the script"):
        script_named("bye.yaml")


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_describes_itself(name):
    script = scenario(name)
    assert script.name == name and script.description


def test_many_files_is_nineteen_requests_with_twenty_reads_and_five_edits():
    calls = [call.name for step in steps_of("many-files") for call in step.calls]
    assert len(steps_of("many-files")) == 19
    assert (calls.count("read"), calls.count("edit"), calls.count("shell")) == (20, 5, 1)


def test_two_hundred_steps_are_two_hundred():
    assert len(steps_of("two-hundred-steps")) == 200


@pytest.mark.parametrize("name", ["fix-the-test", "many-files", "two-hundred-steps"])
def test_scenarios_speak_of_files_that_exist(name):
    files = larder() if name == "fix-the-test" else many_files()
    paths = [call.arguments["path"] for step in steps_of(name) for call in step.calls if call.name in ("read", "edit")]
    named = [path for path in paths if "{{" not in path]
    assert paths and all(path in files for path in named)


def test_the_larder_has_one_failing_test_which_the_scenario_mends(tmp_path):
    make_repository(str(tmp_path / "larder"))
    tests = [sys.executable, "-B", "-m", "unittest"]
    failing = subprocess.run(tests, cwd=tmp_path / "larder", capture_output=True, text=True)
    assert failing.returncode == 1 and "failures=1" in failing.stderr
    assert "test_the_discount_begins_with_the_tenth_piece" in failing.stderr

    (edit,) = [call for step in steps_of("fix-the-test") for call in step.calls if call.name == "edit"]
    path = tmp_path / "larder" / edit.arguments["path"]
    (change,) = edit.arguments["edits"]
    assert path.read_text().count(change["old_text"]) == 1
    path.write_text(path.read_text().replace(change["old_text"], change["new_text"]))
    assert subprocess.run(tests, cwd=tmp_path / "larder", capture_output=True).returncode == 0


def test_the_ledger_is_renamed_by_its_scenario(tmp_path):
    make_repository(str(tmp_path), "many-files")
    (edit,) = {
        call.name: call for step in steps_of("many-files") for call in step.calls if call.name == "edit"
    }.values()
    for number in range(5):
        path = tmp_path / "ledger" / f"part_{number:02}.py"
        for change in edit.arguments["edits"]:
            assert path.read_text().count(change["old_text"]) == 1
            path.write_text(path.read_text().replace(change["old_text"], change["new_text"]))
    assert not any("old_rate" in path.read_text() for path in (tmp_path / "ledger").iterdir())
    done = subprocess.run([sys.executable, "-B", "-m", "unittest", "-q"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["fix-the-test", "many-files"])
def test_the_commit_is_the_same_each_time_whatever_git_is_told(tmp_path, monkeypatch, name):
    first = make_repository(str(tmp_path / "a"), name)
    (tmp_path / "gitconfig").write_text("[user]\nname = Somebody\n[core]\nautocrlf = true\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert make_repository(str(tmp_path / "b"), name) == first
    status = subprocess.run(["git", "status", "--short"], cwd=tmp_path / "b", capture_output=True, text=True)
    assert status.stdout == ""


def test_without_git_the_files_alone_are_made(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert make_repository(str(tmp_path / "a")) is None
    assert os.path.exists(tmp_path / "a" / "larder" / "prices.py")


def test_no_folder_that_holds_something_is_written_to(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="is not empty"):
        make_repository(str(tmp_path))
