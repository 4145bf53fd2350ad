"""A rule, as a person writes it: `run(npm test)`, `run(git log *)`, `write(src/**)`, `reach(api.github.com:443)`, `edit`.

The forms `Bash(npm test:*)`, `Edit(src/**)`, `WebFetch(domain:x)` of other agents are read as the same. A rule that
allows is matched narrowly: by the words of each simple command, and only where all of a line is understood. A rule that
denies is matched widely: it holds for each part of a command line.
"""

import os
import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from codi.policy.command_line import commands_of
from codi.policy.options import break_out
from codi.policy.rule_sets import COMMANDS, PATHS
from codi.policy.shell.analysis import SimpleCommand, analyse
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Effect, Reaches, Reads, Runs, Verdict, Writes
from codi.protocol.errors import UsageError

Decision = Literal["allow", "ask", "deny"]
Prefix = tuple[tuple[str, ...], ...]
"""The first words of a simple command; for each the alternatives."""

_KINDS = {
    "run": "run", "bash": "run", "shell": "run",
    "write": "write", "edit": "write",
    "read": "read",
    "reach": "reach", "webfetch": "reach",
}  # fmt: skip
_FORM = re.compile(r"(?P<head>[A-Za-z_][A-Za-z0-9_]*)\((?P<pattern>.*)\)", re.DOTALL)
_TOOL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\*?")
_SET = re.compile(r"@[a-z-]+")
PASS_ON = frozenset({"command", "nice", "nohup", "stdbuf", "time", "timeout"})
"""What runs its words as they are: no other words are added, no rights, no variables."""
_LOOKED_AT = 16_384
_MOST_REGEX = 500
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)\s*[*+{]")
"""A repetition within a repetition: it may take longer than the universe has."""
_ONLY_A_PERSON = 8
"""From this risk on no rule allows."""
_NEVER_LEARNED = 7
"""From this risk on no rule is offered, so none that was learned may reach so far."""


class Rule(Struct, frozen=True):
    """`id` is its name in a file of rules. `learned` ones were offered and taken, and do not hold where strangers speak. With
    `stays`, the paths among the words of a command must lie in the workspace. `risk` is what an asking rule adds."""

    text: str
    decision: Decision
    kind: Literal["run", "write", "read", "reach", "tool", "regex", "everything"]
    pattern: str = ""
    prefixes: tuple[Prefix, ...] = ()
    flags: tuple[str, ...] | None = None
    """The only options that may follow a prefix; None for any but those by which a program does other things."""
    stays: bool = False
    paths: re.Pattern[str] | None = None
    territory: Territory | None = None
    id: str = ""
    learned: bool = False
    risk: int = 3
    why: str = ""

    @property
    def name(self) -> str:
        return self.id or self.text

    def covers(self, effect: Effect, tool: str) -> bool:
        """Whether it speaks of this effect; one that allows, of all of it."""
        match self.kind, effect:
            case "everything", _:
                return not isinstance(effect, Reads)
            case "tool", _:
                return tool == self.pattern or (self.pattern.endswith("*") and tool.startswith(self.pattern[:-1]))
            case "regex", Runs():
                return self._finds(effect)
            case "run", Runs():
                return self._covers_line(effect) if self.decision == "allow" else self._touches(effect)
            case ("write", Writes(path=path)) | ("read", Reads(path=path)):
                return self.paths is not None and self.paths.fullmatch(path) is not None
            case "reach", Reaches(host=host, port=port):
                name, _, wanted = self.pattern.partition(":")
                return _host_fits(name, host) and (not wanted or wanted == str(port))
        return False

    def covers_part(self, part: SimpleCommand) -> bool:
        """Whether an allowing rule covers one simple command."""
        if self.kind != "run" or self.decision != "allow" or not PASS_ON.issuperset(part.wrappers):
            return False
        if self.territory and not self.territory.holds(part.cwd):
            return False  # elsewhere the same words run other things
        words = part.words
        if not self.prefixes:
            return words == _words_of(self.pattern)
        return any(
            begins(words, prefix) and self._follows(words[: len(prefix)], words[len(prefix) :], part.cwd)
            for prefix in self.prefixes
        )

    def verdict(self, of_mode: Verdict) -> Verdict:
        """What the rule says. An allowing rule does not quieten what only a person may allow."""
        said = f"the rule {self.text}" if not self.id else f"rule {self.id}, {self.text}"
        why = f" ({self.why})" if self.why else ""
        if self.decision == "deny":
            return Deny(f"denied by {said}{why}", by="rule", rule=self.name)
        if self.decision == "ask":
            asks = Ask((f"{said} asks{why}" if self.kind != "everything" else self.text,), self.risk)
            return (
                Ask((*of_mode.reasons, *asks.reasons), max(of_mode.risk, self.risk))
                if isinstance(of_mode, Ask)
                else asks
            )
        if isinstance(of_mode, Ask) and of_mode.risk >= (_NEVER_LEARNED if self.learned else _ONLY_A_PERSON):
            return of_mode
        return Allow(by="rule", rule=self.name)

    def _covers_line(self, command: Runs) -> bool:
        line = command.line.strip(" ")
        if not self.prefixes and line == self.pattern:
            return self.territory is None or self.territory.holds(command.cwd)
        found = analyse(command)
        return (
            bool(found.commands)
            and found.understood
            and not found.redirections
            and all(map(self.covers_part, found.commands))
        )

    def _touches(self, command: Runs) -> bool:
        prefixes = self.prefixes or (tuple((word,) for word in self.pattern.split()),)
        return any(
            begins(said, prefix)
            for part in commands_of(command.line)
            for said in _spellings(part.words)
            for prefix in prefixes
        )

    def _finds(self, command: Runs) -> bool:
        line = command.line[:_LOOKED_AT]
        texts = [line, *(" ".join(part.words) for part in commands_of(line))]
        return any(re.search(self.pattern, text) for text in texts)

    def _follows(self, first: tuple[str, ...], rest: tuple[str, ...], cwd: str) -> bool:
        if break_out([*first[:1], *rest]):
            return False
        if self.flags is not None and any(
            word.startswith("-") and word.partition("=")[0] not in self.flags for word in rest
        ):
            return False
        return not self.stays or all(self._is_within(word, cwd) for word in rest)

    def _is_within(self, word: str, cwd: str) -> bool:
        assert self.territory is not None
        for text in (word, word.partition("=")[2]):
            if text.startswith("~"):
                return False
            leads = text.startswith("/") or ".." in text.split("/")
            if leads and not self.territory.holds(self.territory.real(os.path.join(cwd, text))):
                return False
        return True


@lru_cache(maxsize=256)
def _words_of(pattern: str) -> tuple[str, ...] | None:
    """The words of a pattern that is one simple command."""
    found = analyse(Runs(pattern))
    is_one = len(found.commands) == 1 and found.understood and not found.redirections
    return found.commands[0].words if is_one and not found.commands[0].wrappers else None


def begins(words: tuple[str, ...] | list[str], prefix: Prefix) -> bool:
    """Whether these are the first words, whole word by whole word."""
    return len(words) >= len(prefix) and all(word in wanted for word, wanted in zip(words, prefix))


def regex_rule(pattern: str, decision: Decision, risk: int = 3) -> Rule:
    """A rule for each command in which the expression is found. Raises UsageError for one that cannot be used."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"{pattern[:60]!r} is no regular expression: {error}", hint="Write it as for Python's re.search."
        ) from error
    if decision == "allow":
        raise UsageError(f"{pattern[:60]!r}: a regex only asks or denies", hint="Write a prefix to allow.")
    if len(pattern) > _MOST_REGEX or _NESTED.search(pattern):
        raise UsageError(
            f"{pattern[:60]!r} may take for ever to be looked for", hint="Leave out repetitions within repetitions."
        )
    return Rule(f"run(/{pattern}/)", decision, "regex", pattern, risk=risk)


def prefix_of(text: str) -> Prefix:
    """Words with their alternatives: `npm run {test,lint}`."""
    return tuple(
        tuple(word[1:-1].split(",")) if word.startswith("{") and word.endswith("}") and "," in word else (word,)
        for word in text.split()
    )


def _spellings(words: list[str]) -> list[list[str]]:
    """The words as they are, with the program's bare name, and for git without the options before its subcommand."""
    if not words:
        return []
    bare = [words[0].rpartition("/")[2], *words[1:]]
    if bare[0] != "git":
        return [words, bare]
    at = 1
    while at < len(bare) and bare[at].startswith("-"):
        at += 2 if bare[at] in ("-c", "-C", "--git-dir", "--work-tree", "--namespace", "--config-env") else 1
    return [words, bare, ["git", *bare[at:]]]


def _host_fits(pattern: str, host: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])) or pattern == "*"


def parse_rule(text: str, decision: Decision, territory: Territory) -> Rule:
    """The rule that `text` says. Raises UsageError with the column where it stops making sense."""
    if _TOOL.fullmatch(text):
        return Rule(text, decision, "tool", text)
    form = _FORM.fullmatch(text)
    if not form:
        at = text.find("(")
        column = len(text) + 1 if at > 0 else 1
        raise _unreadable(text, column, "expected EFFECT(pattern) or the name of a tool")
    kind = _KINDS.get(form["head"].lower())
    if kind is None:
        raise _unreadable(text, 1, f"unknown effect {form['head']!r}: run, write, read or reach")
    pattern = form["pattern"].strip()
    at = form.start("pattern") + 1
    if not pattern:
        raise _unreadable(text, at, "the pattern is empty")
    if _SET.fullmatch(pattern) and kind in ("run", "write", "read"):
        known = COMMANDS if kind == "run" else PATHS
        if pattern[1:] not in known:
            raise _unreadable(text, at, f"there is no set {pattern}; there are {', '.join(known)}")
    if kind == "run":
        return _command_rule(text, decision, territory, re.sub(r":\*$", " *", pattern), at)
    if kind == "reach":
        return Rule(text, decision, "reach", pattern.removeprefix("domain:"))
    of_paths: Literal["write", "read"] = "write" if kind == "write" else "read"
    return Rule(text, decision, of_paths, pattern, paths=path_pattern(pattern, territory))


def _command_rule(text: str, decision: Decision, territory: Territory, pattern: str, at: int) -> Rule:
    if pattern.startswith("@"):
        prefixes = tuple(prefix_of(each) for each in COMMANDS[pattern[1:]])
        return Rule(text, decision, "run", pattern, prefixes, territory=territory)
    if "*" in pattern[:-1] or (pattern.endswith("*") and not pattern.endswith(" *") and pattern != "*"):
        raise _unreadable(text, at + pattern.index("*"), "in a command * may only be the last word")
    if pattern.endswith("*"):
        return Rule(text, decision, "run", pattern, (prefix_of(pattern[:-1]),), territory=territory)
    return Rule(text, decision, "run", pattern, territory=territory)


def _unreadable(text: str, column: int, why: str) -> UsageError:
    return UsageError(
        f"rule {text!r}, column {column}: {why}",
        hint="Write for example run(npm test), run(git log *), write(src/**), reach(api.github.com) or edit.",
    )


def path_pattern(pattern: str, territory: Territory) -> re.Pattern[str]:
    """The real paths that a pattern means: `**` is any number of folders, `*` and `?` stay within one. A folder alone covers
    all below it; `@tests` is a set of patterns."""
    patterns = PATHS[pattern[1:]] if pattern.startswith("@") and pattern[1:] in PATHS else (pattern,)
    return re.compile("|".join(f"(?:{_expression(territory.placed(each))})" for each in patterns), re.DOTALL)


def _expression(pattern: str) -> str:
    out, at = "", 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif pattern.startswith("**", at):
            out, at = out + ".*", at + 2
        elif pattern[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif pattern[at] == "?":
            out, at = out + "[^/]", at + 1
        else:
            out, at = out + re.escape(pattern[at]), at + 1
    return out.rstrip("/") + "(?:/.*)?"
