"""Rules as a file keeps them: `exec-rules.json`, version 1.

    {"version": 1, "rules": [{"id": "r7", "effect": "runs", "kind": "prefix", "pattern": ["npm", "run", ["test", "lint"]],
      "decision": "allow", "match": ["npm run test"], "not_match": ["npm run deploy"]}]}

Every rule brings examples of what it covers and what it does not, and they are tried when it is read: a rule that means
something else than its writer thought is no rule at all.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from codi.policy.rule_sets import COMMANDS, PATHS
from codi.policy.rules import Decision, Prefix, Rule, parse_rule, path_pattern, prefix_of, regex_rule
from codi.policy.territory import Territory
from codi.protocol.effects import Effect, Reaches, Reads, Runs, Writes
from codi.protocol.errors import UsageError

VERSION = 1
Instant = Annotated[datetime, Meta(tz=True)]
_HEADS = {"runs": "run", "writes": "write", "reads": "read", "reaches": "reach"}


class BadRules(Exception):
    """Why a file of rules, or a rule in it, cannot be used."""


class ExecRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`flags`: which options may follow a prefix. `paths`: whether the paths in a command must lie in the workspace. `project`
    is the real path of the one project in which a rule of that scope holds."""

    id: str
    effect: Literal["runs", "reads", "writes", "reaches", "any"]
    kind: Literal["exact", "prefix", "regex", "path", "host", "tool"]
    pattern: str | tuple[str | tuple[str, ...], ...]
    decision: Decision
    flags: Literal["any", "none"] | tuple[str, ...] = "any"
    paths: Literal["workspace", "any"] = "workspace"
    scope: Literal["user", "project"] = "user"
    project: str | None = None
    source: str = "person"
    justification: str = ""
    created: Instant | None = None
    expires: Instant | None = None
    hits: Annotated[int, Meta(ge=0)] = 0
    last_used: Instant | None = None
    match: tuple[str, ...] = ()
    not_match: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As a person writes it."""
        if self.kind == "tool":
            return _word(self.pattern)
        if self.kind == "prefix":
            return f"run({_words(self.pattern)}{'' if _is_set(self.pattern) else ' *'})"
        shown = f"/{self.pattern}/" if self.kind == "regex" else _word(self.pattern)
        return f"{_HEADS.get(self.effect, self.effect)}({shown})"

    def of_project(self, project: str) -> bool:
        return self.scope == "user" or self.project == project

    def is_over(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


class RuleFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    rules: tuple[ExecRule, ...] = ()


def read_rules(content: bytes, territory: Territory) -> tuple[ExecRule, ...]:
    """The rules of a file, each of them tried. Raises BadRules."""
    try:
        file = msgspec.json.decode(content, type=RuleFile)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRules(_version_trouble(content) or str(error)) from error
    if file.version != VERSION:
        raise BadRules(f"it has version {file.version}, and only {VERSION} is known")
    ids = [rule.id for rule in file.rules]
    if twice := next((id for id in ids if ids.count(id) > 1), None):
        raise BadRules(f"there are two rules {twice}")
    for rule in file.rules:
        check(rule, territory)
    return file.rules


def written_rules(rules: tuple[ExecRule, ...]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(RuleFile(version=VERSION, rules=rules)), indent=2) + b"\n"


def check(rule: ExecRule, territory: Territory) -> Rule:
    """The rule as policy takes it, after its examples were tried. Raises BadRules."""
    _check_form(rule)
    made = made_of(rule, territory)
    for wanted, examples in ((True, rule.match), (False, rule.not_match)):
        for example in examples:
            if covers(made, _effects_of(example, rule, made.territory or territory), _tool_of(example, rule)) != wanted:
                raise BadRules(
                    f"rule {rule.id}, {rule.text}, {'does not cover' if wanted else 'covers'} its example {example!r}"
                )
    return made


def covers(rule: Rule, effects: tuple[Effect, ...], tool: str = "") -> bool:
    """Whether a rule speaks of one of these effects."""
    return any(rule.covers(effect, tool) for effect in effects)


def made_of(rule: ExecRule, territory: Territory) -> Rule:
    """The rule as policy takes it. Patterns of paths begin at the project of a rule that has one."""
    if rule.project:
        territory = replace(territory, root=rule.project, extra_dirs=(territory.root, *territory.extra_dirs))
    made = Rule(
        rule.text,
        rule.decision,
        "tool",
        _word(rule.pattern) if rule.kind != "prefix" else _words(rule.pattern),
        id=rule.id,
        learned=rule.source == "learned",
        why=rule.justification,
        territory=territory,
    )
    match rule.kind:
        case "exact":
            return replace(made, kind="run")
        case "prefix":
            flags = None if rule.flags == "any" else () if rule.flags == "none" else rule.flags
            return replace(
                made, kind="run", prefixes=_prefixes(rule.pattern), flags=flags, stays=rule.paths == "workspace"
            )
        case "regex":
            return replace(made, kind="regex")
        case "path":
            kind: Literal["read", "write"] = "read" if rule.effect == "reads" else "write"
            return replace(made, kind=kind, paths=path_pattern(_word(rule.pattern), territory))
        case "host":
            return replace(made, kind="reach")
    return made


def rule_from(text: str, decision: Decision, territory: Territory, *, id: str = "", regex: bool = False) -> ExecRule:
    """The rule that a person wrote. Raises UsageError with the column where it stops making sense."""
    if regex:
        return ExecRule(id=id, effect="runs", kind="regex", pattern=text, decision=decision)
    rule = parse_rule(text, decision, territory)
    if rule.kind == "tool":
        return ExecRule(id=id, effect="any", kind="tool", pattern=rule.pattern, decision=decision)
    if rule.kind == "reach":
        return ExecRule(id=id, effect="reaches", kind="host", pattern=rule.pattern, decision=decision)
    if rule.kind == "run":
        if not rule.prefixes:
            return ExecRule(id=id, effect="runs", kind="exact", pattern=rule.pattern, decision=decision)
        words = (
            (rule.pattern,)
            if rule.pattern.startswith("@")
            else tuple(each[0] if len(each) == 1 else each for each in rule.prefixes[0])
        )
        return ExecRule(id=id, effect="runs", kind="prefix", pattern=words, decision=decision)
    effect: Literal["reads", "writes"] = "reads" if rule.kind == "read" else "writes"
    return ExecRule(id=id, effect=effect, kind="path", pattern=rule.pattern, decision=decision)


def _check_form(rule: ExecRule) -> None:
    wanted = {"path": ("reads", "writes"), "host": ("reaches",), "tool": ("any", "runs", "reads", "writes", "reaches")}
    if rule.effect not in wanted.get(rule.kind, ("runs",)):
        raise BadRules(f"rule {rule.id}: a {rule.kind} does not fit the effect {rule.effect}")
    if (rule.kind == "prefix") != isinstance(rule.pattern, tuple):
        raise BadRules(
            f"rule {rule.id}: the pattern of a {rule.kind} is a {'list' if rule.kind == 'prefix' else 'text'}"
        )
    if not rule.pattern or not all(rule.pattern) or not rule.id:
        raise BadRules(f"rule {rule.id}: its pattern or its id is empty")
    if rule.scope == "project" and not rule.project:
        raise BadRules(f"rule {rule.id}: it names no project")
    if rule.kind == "regex":
        _check_regex(rule)
    name = _word(rule.pattern) if isinstance(rule.pattern, str) else _word(rule.pattern[0])
    known = COMMANDS if rule.kind == "prefix" else PATHS if rule.kind == "path" else None
    if known is not None and name.startswith("@") and name[1:] not in known:
        raise BadRules(f"rule {rule.id}: there is no set {name}")


def _check_regex(rule: ExecRule) -> None:
    try:
        regex_rule(_word(rule.pattern), rule.decision)
    except UsageError as error:
        raise BadRules(f"rule {rule.id}: {error}") from error


def _prefixes(pattern: str | tuple[str | tuple[str, ...], ...]) -> tuple[Prefix, ...]:
    if _is_set(pattern):
        return tuple(prefix_of(each) for each in COMMANDS.get(_word(pattern[0])[1:], ()))
    return (tuple((each,) if isinstance(each, str) else each for each in pattern),)


def _is_set(pattern: str | tuple[str | tuple[str, ...], ...]) -> bool:
    return isinstance(pattern, tuple) and len(pattern) == 1 and _word(pattern[0]).startswith("@")


def _word(token: str | tuple[str | tuple[str, ...], ...]) -> str:
    return token if isinstance(token, str) else "{" + ",".join(map(_word, token)) + "}"


def _words(pattern: str | tuple[str | tuple[str, ...], ...]) -> str:
    return pattern if isinstance(pattern, str) else " ".join(map(_word, pattern))


def _effects_of(example: str, rule: ExecRule, territory: Territory) -> tuple[Effect, ...]:
    match rule.kind, rule.effect:
        case "path", "reads":
            return (Reads(territory.placed(example)),)
        case "path", _:
            return (Writes(territory.placed(example)),)
        case "host", _:
            host, _, port = example.partition(":")
            return (Reaches(host, int(port) if port.isdecimal() else 443),)
    return (Runs(example, territory.root),)


def _tool_of(example: str, rule: ExecRule) -> str:
    return example if rule.kind == "tool" else ""


def _version_trouble(content: bytes) -> str | None:
    """What a file of a later version is told, whose rules may look differently."""

    class Head(Struct):
        version: int | msgspec.UnsetType = UNSET

    try:
        version = msgspec.json.decode(content, type=Head).version
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return None if version in (UNSET, VERSION) else f"it has version {version}, and only {VERSION} is known"
