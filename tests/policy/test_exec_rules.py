"""Rules as a file keeps them: what they cover, what is refused, and that none is learned which is too broad."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from codi.policy.exec_rules import BadRules, made_of, read_rules, rule_from, written_rules
from codi.policy.modes import policy_of
from codi.policy.offers import offer_for
from codi.policy.rule_sets import COMMANDS, PATHS
from codi.policy.rules import parse_rule
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Reaches, Reads, Runs, Writes

ROOT = "/home/ada/project"
HERE = Territory(root=ROOT, home="/home/ada", codi_home="/home/ada/.codi")
RULE = {"id": "r7", "effect": "runs", "kind": "prefix", "pattern": ["npm", "run", ["test", "lint"]], "decision": "allow",
        "flags": "any", "paths": "workspace", "scope": "user", "project": None, "source": "learned", "justification": "tests",
        "created": "2026-11-20T10:00:00Z", "expires": None, "hits": 3, "last_used": None, "match": ["npm run test"],
        "not_match": ["npm run deploy"]}  # fmt: skip


def read(*changes, version=1):
    rules = [{**RULE, "id": f"r{number}", **change} for number, change in enumerate(changes)]
    return read_rules(json.dumps({"version": version, "rules": rules}).encode(), HERE)


def judged(line, *changes, mode="default", suspended=""):
    rules = tuple(made_of(rule, HERE) for rule in read(*changes))
    return replace(policy_of(mode, HERE, rules), suspended=suspended).judge([Runs(line, ROOT)])


def test_the_example_of_the_format_is_read_and_written_back():
    content = json.dumps({"version": 1, "rules": [RULE]}).encode()
    rules = read_rules(content, HERE)
    assert json.loads(written_rules(rules)) == json.loads(content)
    assert rules[0].text == "run(npm run {test,lint} *)"


@pytest.mark.parametrize(
    ("line", "allowed"),
    [("npm run test", True), ("npm run lint --fix", True), ("npm run deploy", False), ("npm run testing", False), ("npm", False),
     ("npm run test && npm run lint", True), ("npm run test && curl x | sh", False), ("npm run test > out", False),
     ("npm run test -- 'a b'", True), ("npm run test /etc/passwd", False), ("npm run test --dir=../..", False),
     ("npm run test $(id)", False), ("ls && npm run test", True), ("npm run test --prefix /x", False), ("sudo npm run test", False),
     ("echo x | xargs npm run test", False), ("npm run test\ntouch x", False)],
)  # fmt: skip
def test_a_prefix_is_words_of_each_simple_command(line, allowed):
    assert isinstance(judged(line, {}), Allow) == allowed


def test_a_prefix_of_a_word_is_no_prefix():
    rule = {"pattern": ["git", "st"], "match": ["git st"], "not_match": ["git stash drop", "git status"]}
    assert isinstance(judged("git stash drop", rule), Ask)


def test_flags_may_be_named():
    rule = {"flags": ["--watch"], "match": ["npm run test --watch"], "not_match": ["npm run test --update"]}
    assert isinstance(judged("npm run test --watch=all", rule), Allow)
    assert isinstance(
        judged("npm run test -u", {**rule, "flags": "none", "match": [], "not_match": ["npm run test -u"]}), Ask
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"match": ["npm run deploy"]}, "does not cover its example"),
        ({"not_match": ["npm run lint"]}, "covers its example"),
        ({"kind": "regex", "pattern": "npm .*", "match": [], "not_match": []}, "a regex only asks or denies"),
        ({"kind": "regex", "pattern": "(a+)+$", "decision": "deny", "match": [], "not_match": []}, "for ever"),
        ({"kind": "regex", "pattern": "(", "decision": "deny", "match": [], "not_match": []}, "no regular expression"),
        ({"kind": "exact"}, "a text"),
        ({"kind": "host", "pattern": "x"}, "does not fit"),
        ({"scope": "project"}, "names no project"),
        ({"pattern": []}, "empty"),
        ({"surprise": 1}, "unknown field"),
        ({"decision": "maybe"}, "Invalid enum value"),
        ({"created": "yesterday"}, "Invalid RFC3339"),
        ({"pattern": ["@nothing"], "match": [], "not_match": []}, "there is no set"),
    ],
)
def test_one_rule_that_cannot_be_used_rejects_the_file(change, why):
    with pytest.raises(BadRules, match=re.escape(why)):
        read({}, change)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"version": "1", "rules": []}', b'{"rules": []}', b"[" * 100_000]
)
def test_what_is_no_file_of_rules_is_told(content):
    with pytest.raises(BadRules):
        read_rules(content, HERE)


def test_another_version_is_told_as_such():
    with pytest.raises(BadRules, match="version 2"):
        read_rules(b'{"version": 2, "rules": {"new": "form"}}', HERE)
    with pytest.raises(BadRules, match="two rules"):
        read({"id": "r1"}, {"id": "r1"})


def test_every_kind_covers_its_effect():
    rules = read(
        {"kind": "exact", "pattern": "make -j4 all", "match": ["make -j4 all"], "not_match": ["make all"]},
        {
            "kind": "regex",
            "pattern": "\\bdeploy\\b",
            "decision": "deny",
            "match": ["npm run deploy"],
            "not_match": ["ls"],
        },
        {"effect": "writes", "kind": "path", "pattern": "src/*.py", "match": ["src/a.py"], "not_match": ["src/a/b.py"]},
        {"effect": "reads", "kind": "path", "pattern": "~/docs/**", "match": ["~/docs/a"], "not_match": ["~/doc"]},
        {
            "effect": "reaches",
            "kind": "host",
            "pattern": "pypi.org",
            "match": ["pypi.org:443"],
            "not_match": ["x.pypi.org"],
        },
        {
            "effect": "any",
            "kind": "tool",
            "pattern": "mcp__github__*",
            "match": ["mcp__github__list"],
            "not_match": ["shell"],
        },
    )
    policy = policy_of("default", HERE, tuple(made_of(rule, HERE) for rule in rules))
    for effect in (
        Runs("make -j4 all", ROOT),
        Writes(f"{ROOT}/src/a.py"),
        Reads("/home/ada/docs/x"),
        Reaches("pypi.org"),
    ):
        assert isinstance(policy.judge([effect]), Allow), effect
    assert isinstance(policy.judge([Runs("npm run 'deploy'", ROOT)]), Deny)
    assert isinstance(policy.judge([Reaches("x.org")], tool="mcp__github__list"), Allow)


@given(
    some.sampled_from(["npm run {a,b} *", "git log *", "make", "@run-tests", "cargo test -q"]),
    some.sampled_from(["allow", "ask", "deny"]),
)
def test_a_rule_that_is_written_means_what_was_typed(text, decision):
    typed = parse_rule(f"run({text})", decision, HERE)
    kept = made_of(rule_from(f"run({text})", decision, HERE, id="r1"), HERE)
    for line in (
        "npm run a",
        "npm run c",
        "git log -3",
        "git logs",
        "make",
        "make x",
        "pytest -q",
        "cargo test -q",
        "cargo test",
    ):
        assert typed.covers(Runs(line, ROOT), "") == kept.covers(Runs(line, ROOT), ""), line


def test_what_was_learned_rests_while_strangers_speak_and_looking_goes_on():
    assert isinstance(judged("npm run test", {}, suspended="a page came in"), Ask)
    assert "a page came in" in judged("npm run test", {}, suspended="a page came in").reasons
    assert isinstance(judged("ls", {}, suspended="a page came in"), Allow)
    assert isinstance(judged("npm run test", {"source": "person"}, suspended="a page came in"), Allow)
    assert isinstance(judged("npm run test", {"decision": "deny"}, suspended="a page came in"), Deny)


@pytest.mark.parametrize(
    "line",
    [
        "cd sub && git status && npm run test",
        "xargs ls; npm run test",
        "npm run test < /etc/shadow",
        "npm run test > link/x",
    ],
)
def test_a_rule_for_one_part_allows_nothing_of_the_others(line):
    here = replace(HERE, real=lambda path: path.replace(f"{ROOT}/link", "/etc"))
    rules = tuple(made_of(rule, here) for rule in read({}))
    assert isinstance(policy_of("default", here, rules).judge([Runs(line, ROOT)]), Ask)
    assert not isinstance(policy_of("accept-edits", here, rules).judge([Runs(line, ROOT)]), Allow)


def test_what_was_learned_answers_for_no_command_that_is_not_confined():
    rules = tuple(made_of(rule, HERE) for rule in read({}))
    policy = replace(policy_of("default", HERE, rules), unconfined=True)
    verdict = policy.judge([Runs("npm run test", ROOT)])
    assert isinstance(verdict, Ask) and "unconfined" in str(verdict.reasons)
    of_session = replace(policy, rules=tuple(replace(rule, id="") for rule in rules))
    assert isinstance(of_session.judge([Runs("npm run test", ROOT)]), Allow)


def test_what_was_learned_never_reaches_what_is_risky():
    rule = {"pattern": ["git", "push"], "match": ["git push"], "not_match": []}
    assert isinstance(judged("git push", rule), Allow)
    assert isinstance(judged("git push --force", rule), Ask)


NEVER = ["python -c 'x'", "python3 manage.py test", "node a.js", "bash -c ls", "sh x.sh", "env FOO=1 make", "npx jest", "uvx ruff", "sudo make",
         "find . -exec rm {} ;", "find . -delete", "xargs rm", "git", "git -c a=b log", "git -C /x log", "timeout 5 make", "npm exec x",
         "bun x y", "eval make", "make $(id)", "ssh host ls", "docker run x", "git push --force", "curl x | sh",
         "perl -e 1", "FOO=1 make", "make *", "cat <<E\n$x\nE", "watch ls -l", "uv run python"]  # fmt: skip


@pytest.mark.parametrize("line", NEVER)
def test_such_a_rule_is_never_offered(line):
    policy = policy_of("default", HERE)
    effect = Runs(line, ROOT)
    verdict = policy.judge([effect])
    assert not isinstance(verdict, Ask) or offer_for(effect, policy, HERE, verdict.risk) is None


@pytest.mark.parametrize(
    ("effect", "exact", "wide"),
    [
        (Runs("npm run test -- -x", ROOT), "run(npm run test -- -x)", "run(npm run test *)"),
        (Runs("cargo test", ROOT), "run(cargo test)", "run(cargo test *)"),
        (Runs("git stash pop", ROOT), "run(git stash pop)", "run(git stash pop *)"),
        (Runs("git stash", ROOT), "run(git stash)", None),
        (Runs("aws s3 ls x", ROOT), "run(aws s3 ls x)", "run(aws s3 ls *)"),
        (Runs("make -j4", ROOT), "run(make -j4)", None),
        (Runs("touch x", ROOT), "run(touch x)", None),
        (Runs("ls && npm test", ROOT), "run(npm test)", "run(npm test *)"),
        (Writes(f"{ROOT}/src/a.py"), "write(src/a.py)", "write(src/*.py)"),
        (Writes(f"{ROOT}/Makefile"), "write(Makefile)", None),
        (Reaches("api.github.com", 443), "reach(api.github.com:443)", "reach(api.github.com)"),
    ],
)
def test_the_narrowest_rule_is_offered(effect, exact, wide):
    policy = policy_of("default", HERE)
    offer = offer_for(effect, policy, HERE, 3)
    assert (offer.exact, offer.wide) == (exact, wide)
    for text in filter(None, (exact, wide)):
        allowing = replace(policy, rules=(parse_rule(text, "allow", HERE),))
        assert isinstance(allowing.judge([effect]), Allow), text


@pytest.mark.parametrize(
    "path", [f"{ROOT}/.git/hooks/x", f"{ROOT}/.env", f"{ROOT}/.codi/config.toml", "/home/ada/.bashrc"]
)
def test_for_what_is_protected_or_secret_no_rule_is_offered(path):
    assert offer_for(Writes(path), policy_of("default", HERE), HERE, 3) is None


def test_every_set_is_rules_that_can_be_read():
    assert set(COMMANDS) == {
        "run-tests",
        "install-deps",
        "git-safe",
        "git-commit",
        "build",
        "lint-format",
        "list-files",
        "read-files",
        "docker-read",
    }
    assert {"tests", "docs", "config", "styles", "python", "rust"} <= set(PATHS)
    for name in COMMANDS:
        assert parse_rule(f"run(@{name})", "allow", HERE).prefixes
    for name in PATHS:
        assert parse_rule(f"write(@{name})", "allow", HERE).paths
    policy = policy_of(
        "default", HERE, (parse_rule("run(@list-files)", "allow", HERE), parse_rule("write(@tests)", "allow", HERE))
    )
    assert isinstance(policy.judge([Runs("find . -name x", ROOT)]), Allow)
    assert isinstance(policy.judge([Runs("find src -delete", ROOT)]), Ask)
    assert isinstance(policy.judge([Writes(f"{ROOT}/pkg/test_a.py")]), Allow)
    assert isinstance(policy.judge([Writes(f"{ROOT}/pkg/a.py")]), Ask)
