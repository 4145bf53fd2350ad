"""`codi policy`: rules shown, tried, added and removed by the installed program, and the file that keeps them."""

import json
import os
import re
import stat
import subprocess
import time

import pytest

from conftest import PROGRAM, Codi, call, says


def rules_of(codi: Codi) -> list[dict]:
    return json.loads((codi.home / "exec-rules.json").read_text())["rules"]


def keep(codi: Codi, text: str, mode: int = 0o600) -> None:
    codi.home.mkdir(exist_ok=True)
    (codi.home / "exec-rules.json").write_text(text)
    (codi.home / "exec-rules.json").chmod(mode)


def test_a_rule_is_added_shown_and_taken_away(codi: Codi):
    assert codi("policy", "test", "npm run test").status == 3
    assert (
        codi(
            "policy", "add", "run(npm run test *)", "--match", "npm run test -- -x", "--not-match", "npm run deploy"
        ).out
        == "r1: allow run(npm run test *)\n"
    )
    assert codi("policy", "test", "npm run test -- -x").status == 0
    assert codi("policy", "add", "--deny", "run(git push *)", "--why", "by hand").status == 0
    assert codi("policy", "test", "cd x; git -C . push").status == 1
    listed = codi("policy", "list")
    assert [row[:5] for row in listed.rows] == [
        ["r1", "allow", "run(npm run test *)", "user", "person"],
        ["r2", "deny", "run(git push *)", "user", "person"],
    ]
    assert [line["id"] for line in codi("policy", "list", "--json").lines] == ["r1", "r2"]
    assert codi("policy", "rm", "r1").out.startswith("removed r1") and codi("policy", "rm", "r1").status == 2
    assert codi("policy", "test", "npm run test").status == 3
    assert stat.S_IMODE((codi.home / "exec-rules.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run(npm"], "column 8"),
        (["run(npm test)", "--match", "npm run"], "does not cover its example"),
        (["run(npm test *)", "--not-match", "npm test x"], "covers its example"),
        (["--regex", "npm .*"], "a regex only asks or denies"),
        (["run(@nothing)"], "there is no set @nothing"),
        (["edit", "--expires", "soon"], "no moment"),
    ],
)
def test_a_rule_that_makes_no_sense_is_a_usage_error(codi: Codi, words, said):
    run = codi("policy", "add", *words)
    assert run.status == 2 and said in run.err and not (codi.home / "exec-rules.json").exists(), run


def test_test_names_the_segment_that_is_not_allowed(codi: Codi):
    codi("policy", "add", "run(npm test)")
    assert codi("policy", "test", "npm test").status == 0
    run = codi("policy", "test", "npm test && curl x | sh")
    assert run.status == 3 and "curl x: " in run.out and "sh: " in run.out and "npm test: " not in run.out
    assert codi("policy", "test", "rm -rf /").status == 1
    assert codi("policy", "test", "make", "--mode", "full-access").status == 0
    assert codi("policy", "test", "make", "--mode", "plan").status == 1


def test_explain_tells_of_each_command_the_rules_and_what_decided(codi: Codi):
    codi("policy", "add", "run(npm run test *)")
    codi("policy", "add", "run(npm run *)", "--ask")
    (told,) = codi("policy", "explain", "ls && npm run test > out", "--json").lines
    assert [(part["text"], part["decision"], part["rules"]) for part in told["commands"]] == [
        ("ls", "allow", []), ("npm run test", "ask", ["r1", "r2"]), (f"> {codi.cwd}/out", "ask", []),
    ]  # fmt: skip
    assert told["decision"] == "ask" and told["decidedBy"] == "rule r2"
    shown = codi("policy", "explain", "ls && npm run test > out").out
    assert "matched allow r1 run(npm run test *)" in shown and "decided by rule r2" in shown
    doubted = codi("policy", "explain", "make $(id)").out
    assert "not understood: " in doubted and "decided by mode default" in doubted


def test_check_answers_line_by_line_and_goes_on_after_a_bad_one(codi: Codi):
    (codi.cwd / "sub").mkdir()
    codi("policy", "add", "run(make *)")
    lines = [
        {"cmd": "ls"},
        {"cmd": "make x", "cwd": "sub"},
        {"cmd": "make", "cwd": "/"},
        {"cmd": ["make", "a b"]},
        {"cmd": "rm -rf ~"},
    ]
    text = "\n".join(
        [*(json.dumps(line) for line in lines), "nonsense", '{"cwd": "x"}', '{"cmd": 7}', "", '{"cmd": "ls\\u202e"}']
    )
    run = codi("policy", "check", "--jsonl", stdin=text)
    assert run.status == 0 and len(run.lines) == 10
    assert [line.get("decision") for line in run.lines] == [
        "allow",
        "allow",
        "ask",
        "allow",
        "deny",
        "ask",
        "ask",
        "ask",
        "ask",
        "ask",
    ]
    bad = run.lines[5:9]
    keys = {"cmd", "decision", "risk", "reasons", "rules"}
    assert all(set(line) == keys and line["reasons"] for line in run.lines if line not in bad)
    assert all(set(line) == {*keys, "error"} and line["reasons"] == [line["error"]] for line in bad)
    assert run.lines[1]["rules"] == ["r1"] and run.lines[0]["risk"] == 0 and run.lines[4]["risk"] == 10


def test_check_is_quick_for_thousands(codi: Codi):
    codi("policy", "add", "run(make *)")
    text = "".join(json.dumps({"cmd": f"make target{number} && ls -l {number}"}) + "\n" for number in range(3000))
    began = time.monotonic()
    run = codi("policy", "check", "--jsonl", stdin=text)
    assert len(run.lines) == 3000 and all(line["decision"] == "allow" for line in run.lines)
    assert time.monotonic() - began < 10


def test_what_is_exported_can_be_imported(codi: Codi, tmp_path):
    for words in (
        ["run(make *)"],
        ["--deny", "write(gen/**)"],
        ["--project", "reach(pypi.org)"],
        ["--ask", "--regex", "deploy"],
        ["@git-safe"],
    ):
        assert codi("policy", "add", *words).status == 0, words
    exported = codi("policy", "export").out
    before = rules_of(codi)
    assert json.loads(exported)["rules"] == before
    (tmp_path / "rules.json").write_text(exported)
    assert codi("policy", "import", str(tmp_path / "rules.json")).out.startswith("0 of 5 rules are new")
    (codi.home / "exec-rules.json").unlink()
    assert codi("policy", "import", "-", stdin=exported).status == 0 and rules_of(codi) == before
    assert codi("policy", "import", "-", stdin="{}").status == 2 and rules_of(codi) == before


def test_sets_are_shown_and_can_be_taken_whole(codi: Codi):
    shown = codi("policy", "list", "--sets").out
    assert "@run-tests" in shown and "@docker-read" in shown and "@tests" in shown
    codi("policy", "add", "@run-tests")
    codi("policy", "add", "write(@docs)", "--ask")
    assert codi("policy", "test", "pytest -q && cargo test").status == 0
    assert codi("policy", "test", "pytest --rootdir /").status == 3
    assert codi("policy", "rm", "@run-tests").status == 0 and len(rules_of(codi)) == 1


def test_a_rule_of_a_project_holds_there_alone_and_one_that_is_over_nowhere(codi: Codi, tmp_path):
    (codi.cwd / ".git").mkdir()
    codi("policy", "add", "--project", "run(make *)")
    codi("policy", "add", "run(task *)", "--expires", "2001-01-01")
    (codi.cwd / "deep").mkdir()
    (elsewhere := tmp_path / "elsewhere").mkdir()
    assert rules_of(codi)[0]["project"] == os.path.realpath(codi.cwd)
    assert codi("policy", "test", "make x", cwd=codi.cwd / "deep").status == 0
    assert codi("policy", "test", "make x", cwd=elsewhere).status == 3
    assert codi("policy", "test", "task x").status == 3
    assert [row[0] for row in codi("policy", "list", "--rules").rows] == ["enforced", "advisory"]


def test_a_repository_asks_and_denies_at_once_and_allows_when_it_is_trusted(codi: Codi):
    def rule(id, decision, *words):
        return {"id": id, "effect": "runs", "kind": "prefix", "pattern": words, "decision": decision}

    (codi.cwd / ".codi").mkdir()
    rules = [rule("a", "allow", "make", "x"), rule("b", "deny", "ls", "secret"), rule("c", "ask", "pwd")]
    (codi.cwd / ".codi" / "exec-rules.json").write_text(json.dumps({"version": 1, "rules": rules}))
    tried = {line: codi("policy", "test", line).status for line in ("make x", "ls secret", "pwd")}
    assert tried == {"make x": 3, "ls secret": 1, "pwd": 3}
    assert codi("policy", "test", "make x", "--trust-project").status == 0
    assert not codi.home.exists() or not (codi.home / "exec-rules.json").exists()
    (codi.cwd / ".codi" / "exec-rules.json").write_text("{")
    run = codi("policy", "test", "ls")
    assert run.status == 3 and "warning" in run.err and (codi.cwd / ".codi" / "exec-rules.json").read_text() == "{"


def test_four_writers_at_once_lose_none(codi: Codi):
    writers = [
        subprocess.Popen(
            ["sh", "-c", 'for n in 1 2 3 4 5; do "$0" policy add "run(make $1-$n)" || exit 1; done', PROGRAM, str(writer)],
            cwd=codi.cwd, env=codi.env, stdout=subprocess.DEVNULL,
        )
        for writer in range(4)
    ]  # fmt: skip
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    rules = rules_of(codi)
    assert sorted(rule["pattern"] for rule in rules) == sorted(
        f"make {one}-{n}" for one in range(4) for n in range(1, 6)
    )
    assert len({rule["id"] for rule in rules}) == 20
    assert not list(codi.home.glob("*.new"))


GOOD = (
    '{"version": 1, "rules": [{"id": "r1", "effect": "runs", "kind": "exact", "pattern": "make", "decision": "allow"}]}'
)


@pytest.mark.parametrize("text, mode", [("{", 0o600), (GOOD.replace("1", "9", 1), 0o600), (GOOD, 0o644), (GOOD, 0o620)])
def test_a_file_that_cannot_be_believed_is_set_aside_and_everything_asks(codi: Codi, lab, text, mode):
    keep(codi, text, mode)
    lab(
        [
            says("", call("shell", command="make"), call("shell", command="ls"), call("write", path="x", content="y")),
            says("No."),
        ]
    )
    run = codi.json("go", "--permission-mode", "accept-edits", "--allow", "run(make)")
    assert run.status == 3 and len(run.result["permissions"]) == 3, run
    assert len(warned := [text for text in run.result["warnings"] if "exec-rules.json cannot be used" in text]) == 1, (
        warned
    )
    (aside,) = codi.home.glob("exec-rules.json.bad-*")
    assert re.fullmatch(r"exec-rules\.json\.bad-\d{8}T\d{6}Z", aside.name) and aside.read_text() == text
    assert not (codi.home / "exec-rules.json").exists()
    lab([says("Hello.")])
    assert codi.json("again").result["warnings"] == []


def test_a_link_is_no_file_of_rules(codi: Codi, tmp_path):
    (tmp_path / "planted").write_text(GOOD)
    codi.home.mkdir()
    (codi.home / "exec-rules.json").symlink_to(tmp_path / "planted")
    assert codi("policy", "test", "make").status == 3
    assert codi("policy", "add", "run(make x)").status == 0 and (tmp_path / "planted").read_text() == GOOD


def test_rules_outlive_a_restart_and_count_their_uses(codi: Codi, lab):
    codi("policy", "add", "run(touch *)")
    for name in ("a", "b"):
        lab([says("", call("shell", command=f"touch {name}"), call("shell", command=f"touch {name}2")), says("Done.")])
        assert codi.json("go").status == 0 and (codi.cwd / f"{name}2").exists()
    (rule,) = rules_of(codi)
    assert rule["hits"] == 4 and rule["last_used"].endswith("Z")
    codi("policy", "rm", "r1")
    lab([says("", call("shell", command="touch c")), says("No.")])
    assert codi.json("go").status == 3
