"""The rules that a person keeps, `exec-rules.json` in codi's home, and those that a repository brings in its `.codi` folder.

A file that cannot be believed is set aside and told of once, and for the rest of this run everything asks: what it denied
is not known any more. Those of a repository may ask and deny at once; what they allow holds where it is trusted, as it now is.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from codi.credentials import private_files
from codi.engine.config_files import shown
from codi.engine.places import Places
from codi.policy.exec_rules import BadRules, ExecRule, check, made_of, read_rules, written_rules
from codi.policy.rules import Rule
from codi.policy.territory import Territory
from codi.protocol.errors import CredentialError, UsageError

NAME = "exec-rules.json"
_MOST_BYTES = 1024 * 1024
_Signature = tuple[int, int, int, int]


class RuleBook:
    """`trusts` says whether what the file of a repository allows holds. `warnings` are what the person should hear once. Files are read again when they have changed."""

    def __init__(
        self,
        places: Places,
        territory: Territory,
        *,
        trusts: Callable[[bytes], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = os.path.join(places.home, NAME)
        self.project = os.path.realpath(places.root)
        self.repository_path = os.path.join(self.project, ".codi", NAME)
        self._trusts = trusts
        self._is_trusted = False
        self.warnings: list[str] = []
        self._territory = territory
        self._now = now
        self._distrust: str = ""
        self._own: tuple[ExecRule, ...] = ()
        self._repository: tuple[ExecRule, ...] = ()
        self._read: tuple[_Signature | None, _Signature | None] | None = None
        self._made: list[tuple[ExecRule, Rule]] | None = None
        self._used: dict[str, tuple[int, datetime]] = {}

    def rules(self) -> tuple[Rule, ...]:
        """Those that hold now."""
        self._look()
        if self._made is None:
            own = [(rule, made_of(rule, self._territory)) for rule in self._own if rule.of_project(self.project)]
            brought = [(rule, made_of(rule, self._of_project)) for rule in self._repository if self._may(rule)]
            self._made = [*own, *brought]
        now = self._now()
        all_ask = (Rule(self._distrust, "ask", "everything"),) if self._distrust else ()
        return (*all_ask, *(made for rule, made in self._made if not rule.is_over(now)))

    def own(self) -> tuple[ExecRule, ...]:
        """All that the person keeps, also for other projects."""
        self._look()
        return self._own

    def brought(self) -> tuple[ExecRule, ...]:
        """What the repository brings, in force or not."""
        self._look()
        return self._repository

    def is_in_force(self, rule: ExecRule, *, brought: bool = False) -> bool:
        return not rule.is_over(self._now()) and (self._may(rule) if brought else rule.of_project(self.project))

    def keep(self, rules: Sequence[ExecRule]) -> list[ExecRule]:
        """Add rules, under ids of their own; one that is there already is not added again. Raises UsageError for one whose
        examples do not fit, CredentialError where the file cannot be written."""
        kept: list[ExecRule] = []

        def added(before: tuple[ExecRule, ...]) -> tuple[ExecRule, ...]:
            kept.clear()
            for rule in rules:
                same = next((each for each in (*before, *kept) if _meaning(each) == _meaning(rule)), None)
                taken = {each.id for each in (*before, *kept)}
                new_id = rule.id if rule.id and rule.id not in taken else _next_id(taken)
                kept.append(same or replace(rule, id=new_id, created=rule.created or self._instant()))
            ids = {rule.id for rule in before}
            return (*before, *(rule for rule in dict.fromkeys(kept) if rule.id not in ids))

        for rule in rules:
            try:
                check(replace(rule, id=rule.id or "new"), self._territory)
            except BadRules as error:
                raise UsageError(str(error), hint="Change the rule or its examples.") from error
        self._change(added)
        return kept

    def drop(self, id: str) -> ExecRule | None:
        """Take a rule away; None where there is none of that id. Raises CredentialError."""
        found = next((rule for rule in self.own() if rule.id == id), None)
        if found:
            self._change(lambda before: tuple(rule for rule in before if rule.id != id))
        return found

    def used(self, names: Iterable[str]) -> None:
        """These rules decided; it is written down with the next change, or by `write_uses`."""
        for name in names:
            self._used[name] = (self._used.get(name, (0, None))[0] + 1, self._instant())

    def write_uses(self) -> None:
        """Raises CredentialError."""
        ids = {rule.id for rule in self._own}
        self._used = {id: use for id, use in self._used.items() if id in ids}
        if self._used:
            self._change(lambda before: before)

    def imported(self, content: bytes) -> tuple[ExecRule, ...]:
        """The rules in an exported file. Raises UsageError."""
        try:
            return read_rules(content, self._territory)
        except BadRules as error:
            raise UsageError(
                f"the rules cannot be imported: {error}", hint="codi policy export writes such a file."
            ) from error

    def _may(self, brought: ExecRule) -> bool:
        return self._is_trusted or brought.decision != "allow"

    @property
    def _of_project(self) -> Territory:
        here = self._territory
        return replace(here, root=self.project, extra_dirs=(here.root, *here.extra_dirs))

    def _instant(self) -> datetime:
        return self._now().replace(microsecond=0)

    def _change(self, change: Callable[[tuple[ExecRule, ...]], tuple[ExecRule, ...]]) -> None:
        with private_files.turn(f"{self.path}.lock"):
            before = self._own = self._own_rules()
            after = tuple(self._with_uses(rule) for rule in change(before))
            if after != before:
                private_files.write(self.path, written_rules(after))
            self._own, self._used = after, {}
        self._read = None

    def _with_uses(self, rule: ExecRule) -> ExecRule:
        if rule.id not in self._used:
            return rule
        times, last = self._used[rule.id]
        return replace(rule, hits=rule.hits + times, last_used=last)

    def _look(self) -> None:
        now = (_signature(self.path), _signature(self.repository_path))
        if now == self._read:
            return
        self._own = self._own_rules() if now[0] is not None else ()
        self._made = None
        self._repository = self._repository_rules() if now[1] is not None else ()
        self._read = (_signature(self.path), now[1])

    def _own_rules(self) -> tuple[ExecRule, ...]:
        try:
            content = private_files.read(self.path)
            return read_rules(content, self._territory) if content is not None else ()
        except (CredentialError, BadRules) as error:
            trouble = str(error).removeprefix(self.path).lstrip(": ")
            try:
                aside = private_files.set_aside(self.path)
            except FileNotFoundError:  # another codi was faster
                self._doubt(self.path, trouble)
            except OSError as refusal:
                self._doubt(self.path, f"{trouble}, and it cannot be moved away: {refusal.strerror}")
            else:
                self._doubt(self.path, f"{trouble}; it is now {shown(aside)}")
            return ()

    def _repository_rules(self) -> tuple[ExecRule, ...]:
        if os.path.realpath(self.repository_path) == os.path.realpath(self.path):
            return ()
        try:
            fd = os.open(self.repository_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(fd, "rb") as file:
                content = file.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise BadRules("it is too large")
            self._is_trusted = self._trusts(content)
            return tuple(
                replace(rule, id=f"repository:{rule.id}", source="repository", scope="user", project=None)
                for rule in read_rules(content, self._of_project)
            )
        except (OSError, BadRules) as trouble:
            self._doubt(self.repository_path, getattr(trouble, "strerror", None) or str(trouble))
            return ()

    def _doubt(self, path: str, why: str) -> None:
        self._distrust = f"the rules in {shown(path)} cannot be read, so everything asks"
        self.warnings.append(f"{shown(path)} cannot be used: {why}. Until codi is started again everything asks.")


def _signature(path: str) -> _Signature | None:
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size, facts.st_mode


def _meaning(rule: ExecRule) -> tuple[object, ...]:
    return (
        rule.effect,
        rule.kind,
        rule.pattern,
        rule.decision,
        rule.flags,
        rule.paths,
        rule.scope,
        rule.project,
        rule.expires,
    )


def _next_id(taken: set[str]) -> str:
    numbers = [int(id[1:]) for id in taken if id[:1] == "r" and id[1:].isdecimal()]
    return f"r{max(numbers, default=0) + 1}"
