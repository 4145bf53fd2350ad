"""A rule, as a person writes it: `run(npm test)`, `run(git log *)`, `write(src/**)`, `reach(api.github.com:443)`, `edit`.

The forms `Bash(npm test:*)`, `Edit(src/**)`, `WebFetch(domain:x)` of other agents are read as the same. A rule that
allows is matched narrowly: a command with any shell syntax in it is only allowed word for word. A rule that
denies is matched widely: it holds for each part of a command line.
"""

import re
from typing import Literal

from msgspec import Struct

from codi.policy.command_line import commands_of
from codi.policy.options import break_out
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Effect, Reaches, Reads, Runs, Verdict, Writes
from codi.protocol.errors import UsageError

Decision = Literal["allow", "ask", "deny"]
_KINDS = {
    "run": "run", "bash": "run", "shell": "run",
    "write": "write", "edit": "write",
    "read": "read",
    "reach": "reach", "webfetch": "reach",
}  # fmt: skip
_FORM = re.compile(r"(?P<head>[A-Za-z_][A-Za-z0-9_]*)\((?P<pattern>.*)\)", re.DOTALL)
_TOOL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\*?")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./ -]+")


class Rule(Struct, frozen=True):
    text: str
    decision: Decision
    kind: Literal["run", "write", "read", "reach", "tool"]
    pattern: str
    paths: re.Pattern[str] | None = None
    territory: Territory | None = None

    def covers(self, effect: Effect, tool: str) -> bool:
        match self.kind, effect:
            case "tool", _:
                return tool == self.pattern or (self.pattern.endswith("*") and tool.startswith(self.pattern[:-1]))
            case "run", Runs():
                return self._covers_command(effect)
            case ("write", Writes(path=path)) | ("read", Reads(path=path)):
                return self.paths is not None and self.paths.fullmatch(path) is not None
            case "reach", Reaches(host=host, port=port):
                name, _, wanted = self.pattern.partition(":")
                return _host_fits(name, host) and (not wanted or wanted == str(port))
        return False

    def verdict(self, of_mode: Verdict) -> Verdict:
        """What the rule says. An allowing rule does not quieten what only a person may allow."""
        if self.decision == "deny":
            return Deny(f"denied by the rule {self.text}", by="rule", rule=self.text)
        if self.decision == "ask":
            return of_mode if isinstance(of_mode, Ask) else Ask((f"the rule {self.text} asks",))
        if isinstance(of_mode, Ask) and of_mode.risk >= 8:
            return of_mode
        return Allow(by="rule", rule=self.text)

    def _covers_command(self, command: Runs) -> bool:
        line = command.line
        words, more = self.pattern.split(), False
        if words and words[-1] == "*":
            words, more = words[:-1], True
        if self.decision == "allow":
            if self.territory and not self.territory.holds(command.cwd):
                return False  # elsewhere the same words run other things
            if line.strip(" ") == self.pattern:
                return True
            if not _PLAIN.fullmatch(line):
                return False
            said = line.split()
            return _begins(said, words, more) and not break_out([*said[:1], *said[len(words) :]])
        return any(
            _begins(said, words, more=True) for command in commands_of(line) for said in _spellings(command.words)
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


def _begins(said: list[str], words: list[str], more: bool) -> bool:
    return said[: len(words)] == words and (more or len(said) == len(words))


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
    if not pattern:
        raise _unreadable(text, form.start("pattern") + 1, "the pattern is empty")
    if kind == "run":
        pattern = re.sub(r":\*$", " *", pattern)
        if "*" in pattern[:-1] or (pattern.endswith("*") and not pattern.endswith(" *") and pattern != "*"):
            column = form.start("pattern") + 1 + pattern.index("*")
            raise _unreadable(text, column, "in a command * may only be the last word")
        return Rule(text, decision, "run", pattern, territory=territory)
    if kind == "reach":
        return Rule(text, decision, "reach", pattern.removeprefix("domain:"))
    return Rule(
        text, decision, "write" if kind == "write" else "read", pattern, _path_pattern(territory.placed(pattern))
    )


def _unreadable(text: str, column: int, why: str) -> UsageError:
    return UsageError(
        f"rule {text!r}, column {column}: {why}",
        hint="Write for example run(npm test), run(git log *), write(src/**), reach(api.github.com) or edit.",
    )


def _path_pattern(pattern: str) -> re.Pattern[str]:
    """`**` is any number of folders, `*` and `?` stay within one. A folder alone covers all below it."""
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
    return re.compile(out.rstrip("/") + "(?:/.*)?", re.DOTALL)
