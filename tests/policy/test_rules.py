"""What a rule covers, and what it never covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from codi.policy.mode import MODES
from codi.policy.modes import policy_of
from codi.policy.offers import offered_rule
from codi.policy.policy import strictest
from codi.policy.rules import parse_rule
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Reaches, Reads, Runs, Writes
from codi.protocol.errors import UsageError

ROOT = "/home/ada/project"
HERE = Territory(root=ROOT, home="/home/ada", codi_home="/home/ada/.codi")


def judged(effect, *, allow=(), deny=(), ask=(), mode="default", tool=""):
    rules = [parse_rule(text, "allow", HERE) for text in allow]
    rules += [parse_rule(text, "deny", HERE) for text in deny]
    rules += [parse_rule(text, "ask", HERE) for text in ask]
    return policy_of(mode, HERE, tuple(rules)).judge([effect], tool=tool)


def runs(line):
    return Runs(line, ROOT)


@pytest.mark.parametrize(
    "rule, effect",
    [
        ("run(npm test)", runs("npm test")),
        ("run(git log *)", runs("git log --oneline -5")),
        ("run(git log *)", runs("git log")),
        ("Bash(npm test:*)", runs("npm test --watch")),
        ("run(a && b)", runs("a && b")),
        ("run(find . -delete *)", runs("find . -delete -name x")),
        ("run(git log --output *)", runs("git log --output x")),
        ("run(npm test)", Runs(("npm", "test"), ROOT)),
        ("run(npm test)", runs("npm test\n")),
        ("run(git log *)", runs("git log 'x'")),
        ("run(git log *)", runs("git\tlog")),
        ("run(git log *)", runs("timeout 5 git log -3")),
        ("run(npm run {test,lint} *)", runs("npm run lint --fix")),
        ("run(@git-safe)", runs("git status --short")),
        ("write(@tests)", Writes(f"{ROOT}/src/tests/a.py")),
        ("write(src/**)", Writes(f"{ROOT}/src/a/b.py")),
        ("write(src)", Writes(f"{ROOT}/src/a/b.py")),
        ("Edit(src/*.py)", Writes(f"{ROOT}/src/a.py")),
        ("read(~/docs/**)", Reads("/home/ada/docs/x")),
        ("reach(api.github.com:443)", Reaches("api.github.com", 443)),
        ("reach(*.github.com)", Reaches("api.github.com", 80)),
        ("WebFetch(domain:example.com)", Reaches("example.com")),
    ],
)
def test_a_rule_allows_what_it_says(rule, effect):
    assert judged(effect, allow=[rule]) == Allow(by="rule", rule=rule)


@pytest.mark.parametrize(
    "rule, effect",
    [
        ("run(npm test)", runs("npm test && curl x | sh")),
        ("run(npm test)", runs("npm test --watch")),
        ("run(npm test *)", runs("npm test; rm -rf x")),
        ("run(git st)", runs("git stash drop")),
        ("run(git st *)", runs("git stash drop")),
        ("run(git log *)", runs("git log $(touch x)")),
        ("run(git log *)", runs("git log\nrm x")),
        ("write(src/a/**)", Writes(f"{ROOT}/src/ab")),
        ("write(*.py)", Writes(f"{ROOT}/src/a.py")),
        ("reach(github.com)", Reaches("evilgithub.com")),
        ("reach(github.com:443)", Reaches("github.com", 80)),
        ("read(src/**)", Writes(f"{ROOT}/src/a")),
        ("run(sudo *)", runs("sudo ls")),
        ("run(git log *)", runs("git log --output=x")),
        ("run(git log *)", runs("git log --outp x")),
        ("run(git log *)", runs("git -c core.pager=id log")),
        ("run(git log *)", runs("git\u00a0log")),
        ("run(git log *)", runs("git log\r--oneline")),
        ("run(git diff *)", runs("git diff --ext-diff")),
        ("run(git *)", runs("git grep -Oid x")),
        ("run(git *)", runs("git push --receive-pack=id h")),
        ("run(find *)", runs("find a -delete")),
        ("run(find *)", runs("find . -exec id +")),
        ("run(rg *)", runs("rg --pre=id x")),
        ("run(sort *)", runs("sort -uo f f")),
        ("run(tar *)", runs("tar xf a --to-command=id")),
        ("run(npm test)", runs("\u00a0npm test")),
        ("run(npm test)", Runs("npm test", "/home/ada/elsewhere")),
        ("run(npm test)", Runs(("npm test",), ROOT)),
    ],
)
def test_a_rule_allows_no_more(rule, effect):
    assert isinstance(judged(effect, allow=[rule]), Ask)


@pytest.mark.parametrize(
    "line",
    [
        "npm publish",
        "cd x && npm publish --tag a",
        "env A=1 npm publish",
        "true | npm publish",
        "(npm publish)",
        "bash -c 'npm publish'",
        "/usr/bin/npm publish",
        "echo $(npm publish)",
        "npm\\\n publish",
        "n'p'm publish",
        "sudo -u x npm publish",
        "cat <(npm publish)",
    ],
)
def test_a_denial_holds_for_each_part_of_a_line(line):
    assert judged(runs(line), deny=["run(npm publish)"], allow=[f"run({line})"], mode="full-access") == Deny(
        "denied by the rule run(npm publish)", by="rule", rule="run(npm publish)"
    )


@pytest.mark.parametrize(
    "line", ["git push", "git -C x push", "git -c a.b=c push -f", "git --no-pager push", "/usr/bin/git push"]
)
def test_a_denial_of_a_subcommand_of_git_sees_past_its_options(line):
    assert isinstance(judged(runs(line), deny=["run(git push)"], mode="full-access"), Deny)


def test_the_strictest_of_several_rules_counts():
    effect = Writes(f"{ROOT}/src/a.py")
    assert isinstance(judged(effect, allow=["write(src/**)"], ask=["write(**/*.py)"]), Ask)
    assert isinstance(judged(effect, allow=["edit"], tool="edit"), Allow)
    assert isinstance(judged(effect, allow=["mcp__github__*"], tool="mcp__github__x"), Allow)
    assert isinstance(judged(effect, deny=["edit"], allow=["write(src/**)"], tool="edit"), Deny)


def test_what_the_mode_denies_no_rule_allows():
    assert isinstance(judged(Writes(f"{ROOT}/a"), allow=["write(**)", "edit"], tool="edit", mode="plan"), Deny)
    assert isinstance(
        judged(runs("rm -rf /"), allow=["run(rm -rf /)", "shell"], tool="shell", mode="full-access"), Deny
    )


@pytest.mark.parametrize(
    "text, column",
    [("run(", 5), ("walk(x)", 1), ("run()", 5), ("run(a * b)", 7), ("", 1), ("run(npm*)", 8), ("a b", 1)],
)
def test_a_rule_that_cannot_be_read_names_the_column(text, column):
    with pytest.raises(UsageError, match=rf"column {column}:") as caught:
        parse_rule(text, "allow", HERE)
    assert caught.value.exit_status == 2 and caught.value.hint


EFFECTS = some.sampled_from(
    [runs("make"), runs("npm test"), runs("sudo x"), runs("rm -rf /"), Writes(f"{ROOT}/a"), Writes("/etc/x"), Reads(f"{ROOT}/a"),
     Reads("/x"), Reaches("h")]
)  # fmt: skip
RULES = some.sampled_from(["run(make)", "run(npm *)", "write(**)", "read(**)", "reach(h)", "shell"])
STRICTNESS = {Allow: 0, Ask: 1, Deny: 2}


@given(some.lists(EFFECTS, max_size=4), EFFECTS, some.sampled_from(MODES), some.lists(RULES, max_size=3))
def test_adding_an_effect_never_weakens_the_verdict(effects, another, mode, rules):
    policy = policy_of(mode, HERE, tuple(parse_rule(text, "allow", HERE) for text in rules))
    before, after = policy.judge(effects, tool="shell"), policy.judge([*effects, another], tool="shell")
    assert STRICTNESS[type(after)] >= STRICTNESS[type(before)]


@given(some.lists(EFFECTS, max_size=4), some.sampled_from(MODES), some.lists(RULES, max_size=3), RULES)
def test_adding_a_denying_rule_never_weakens_the_verdict(effects, mode, rules, denied):
    policy = policy_of(mode, HERE, tuple(parse_rule(text, "allow", HERE) for text in rules))
    stricter = replace(policy, rules=(*policy.rules, parse_rule(denied, "deny", HERE)))
    assert (
        STRICTNESS[type(stricter.judge(effects, tool="shell"))] >= STRICTNESS[type(policy.judge(effects, tool="shell"))]
    )


def test_of_several_questions_the_riskiest_is_asked_with_all_reasons():
    assert strictest(Ask(("a",), 3), Ask(("b",), 7), Allow()) == Ask(("a", "b"), 7)


@pytest.mark.parametrize(
    "effect", [runs("npm test --x"), Writes(f"{ROOT}/src/a.py"), Reads("/etc/hosts"), Reaches("h", 80)]
)
def test_an_offered_rule_allows_the_effect_it_was_offered_for(effect):
    assert isinstance(judged(effect, allow=[offered_rule(effect, HERE)]), Allow)


def test_no_rule_is_offered_for_a_protected_path():
    assert offered_rule(Writes(f"{ROOT}/.git/config"), HERE) is None
