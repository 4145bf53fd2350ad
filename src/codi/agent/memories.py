"""What outlives a session because the person said so: facts of theirs and of the project, and who they are.

A file of memories is Markdown, one fact a line:

    - [1a2b3c4d] 2026-11-20 style: Tabs, never spaces. (session 0198...)

Lines that are none are kept where they are and skipped.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from codi.protocol.errors import ConfigError, SessionError, UsageError

Scope = Literal["user", "project"]

LONGEST = 300
NEWEST = 20
MOST_CHARACTERS = 8000
"""2,000 tokens, of all that a prompt tells."""

_LINE = re.compile(r"- \[([0-9a-f]{8})\] (\d{4}-\d\d-\d\d)(?: ([\w-]+):)? (.+?)(?: \(session ([\w-]+)\))?$")
_WORD = re.compile(r"\w+")
_ALIKE = 0.8


class Memory(Struct, frozen=True):
    id: str
    date: str
    fact: str
    category: str = ""
    session: str = ""
    scope: Scope = "project"

    @property
    def line(self) -> str:
        category = f"{self.category}: " if self.category else ""
        return f"- [{self.id}] {self.date} {category}{self.fact}" + (
            f" (session {self.session})" if self.session else ""
        )


class Memories:
    """`project` None: that of this directory is not read. `is_secret` says whether a text holds one; `today` is a date as
    `2026-11-20`."""

    def __init__(
        self,
        home: str,
        project: str | None,
        *,
        is_secret: Callable[[str], bool],
        today: Callable[[], str],
        max_kb: int = 64,
        draw: Callable[[], str] = lambda: os.urandom(4).hex(),
    ) -> None:
        self._paths: dict[Scope, str] = {"user": os.path.join(home, "memories.md")}
        if project is not None:
            self._paths["project"] = os.path.join(project, ".codi", "memories.md")
        self._profile = os.path.join(home, "profile.toml")
        self._is_secret = is_secret
        self._today = today
        self._most_bytes = max_kb * 1024
        self._draw = draw

    def keeps(self, scope: Scope) -> bool:
        """Whether there is a place for memories of this scope."""
        return scope in self._paths

    def told(self) -> str:
        """What a prompt says of it: the profile, then the person's memories, then the project's; the newest of each."""
        parts = [self._told_profile(), self._told_scope("user"), self._told_scope("project")]
        text = ""
        for part in parts:
            if part and len(text) + len(part) <= MOST_CHARACTERS:
                text += f"{part}\n\n"
        return text.strip()

    def all(self, query: str = "") -> list[Memory]:
        wanted = query.casefold()
        return [each for scope in self._paths for each in self._read(scope) if wanted in each.line.casefold()]

    def remember(self, fact: str, *, category: str = "", scope: Scope = "project", session: str = "") -> Memory:
        """Raises UsageError for what may not be kept, SessionError where there is no room or no place."""
        fact = self._checked(fact)
        if scope not in self._paths:
            raise SessionError(
                "memories of an untrusted project are not kept", hint="/trust the project, or use --user."
            )
        known = self._read(scope)
        same = next((each for each in known if _is_alike(each.fact, fact)), None)
        memory = Memory(self._draw(), self._today(), fact, category, session, scope)
        if same is not None:
            memory = Memory(same.id, self._today(), fact, category or same.category, session, scope)
        lines = self._lines(scope)
        if same is not None:
            lines = [memory.line if _id_of(line) == same.id else line for line in lines]
        else:
            lines.append(memory.line)
        if sum(len(line.encode()) + 1 for line in lines) > self._most_bytes:
            oldest = min(known, key=lambda each: each.date, default=None)
            said = f"/forget {oldest.id} takes the oldest away: {oldest.fact}" if oldest else "Say it in fewer words."
            raise SessionError(f"there is no room for more memories ({self._most_bytes // 1024} KB)", hint=said)
        self._write(scope, lines)
        return memory

    def is_new(self, fact: str) -> bool:
        """Whether it may be kept and is not known already."""
        try:
            fact = self._checked(fact)
        except UsageError:
            return False
        return not any(_is_alike(each.fact, fact) for each in self.all())

    def edit(self, id: str, fact: str) -> Memory:
        fact = self._checked(fact)
        found = self.matching(id)
        if len(found) != 1:
            raise UsageError(f"no one memory is called {id}", hint="/memories lists them.")
        old = found[0]
        new = Memory(old.id, self._today(), fact, old.category, old.session, old.scope)
        self._write(old.scope, [new.line if _id_of(line) == old.id else line for line in self._lines(old.scope)])
        return new

    def matching(self, pattern: str) -> list[Memory]:
        """Those with this id, or else with this text."""
        everything = self.all()
        return [each for each in everything if each.id == pattern] or [
            each for each in everything if pattern.casefold() in each.fact.casefold()
        ]

    def forget(self, memories: Iterable[Memory]) -> None:
        gone = {memory.id for memory in memories}
        for scope in self._paths:
            lines = self._lines(scope)
            left = [line for line in lines if _id_of(line) not in gone]
            if len(left) < len(lines):
                self._write(scope, left)

    def profile(self) -> dict[str, Any]:
        """Raises ConfigError for a file that is no TOML."""
        if not os.path.exists(self._profile):
            return {}
        import tomllib  # slow to import, and few have a profile

        try:
            with open(self._profile, "rb") as file:
                return tomllib.load(file)
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._profile}: {error}", hint="Correct the file.") from error

    def set_profile(self, key: str, value: str | None) -> dict[str, Any]:
        """`name`, `expertise` and `avoid` (lists, set as words between commas), all else is a preference."""
        if value is not None and self._is_secret(value):
            raise UsageError("that looks like a secret, and no profile keeps one", hint="codi auth login keeps keys.")
        profile = self.profile()
        told: str | list[str] | None = value
        into = profile
        if key in ("expertise", "avoid"):
            told = [part.strip() for part in (value or "").split(",") if part.strip()] or None
        elif key != "name":
            into = profile.setdefault("preferences", {})
            key = key.removeprefix("preferences.")
        if told is None:
            into.pop(key, None)
        else:
            into[key] = told
        self._replace(self._profile, _toml(profile))
        return profile

    def _checked(self, fact: str) -> str:
        fact = " ".join(fact.split())
        if not fact:
            raise UsageError("there is nothing to remember", hint="/remember [category:] fact")
        if len(fact) > LONGEST:
            raise UsageError(f"a memory has at most {LONGEST} characters, this one {len(fact)}", hint="Say it shorter.")
        if self._is_secret(fact):
            raise UsageError("that looks like a secret, and no memory keeps one", hint="codi auth login keeps keys.")
        return fact

    def _told_profile(self) -> str:
        try:
            profile = self.profile()
        except ConfigError:
            return ""
        lines = [f"name: {profile['name']}"] if profile.get("name") else []
        preferences = profile.get("preferences")
        if isinstance(preferences, dict):
            lines += [f"prefers {key}: {value}" for key, value in preferences.items()]
        for key in ("expertise", "avoid"):
            if isinstance(profile.get(key), list) and profile[key]:
                lines.append(f"{key}: {', '.join(map(str, profile[key]))}")
        return "The person:\n" + "\n".join(lines) if lines else ""

    def _told_scope(self, scope: Scope) -> str:
        if scope not in self._paths:
            return ""
        title = "Remembered of the person" if scope == "user" else "Remembered of this project"
        newest = sorted(self._read(scope), key=lambda each: each.date)[-NEWEST:]
        lines: list[str] = []
        left = MOST_CHARACTERS // 3
        for memory in reversed(newest):
            line = f"- {f'{memory.category}: ' if memory.category else ''}{memory.fact}"
            left -= len(line) + 1
            if left < 0:
                break
            lines.append(line)
        return f"{title}:\n" + "\n".join(reversed(lines)) if lines else ""

    def _read(self, scope: Scope) -> list[Memory]:
        found = []
        for line in self._lines(scope):
            if match := _LINE.match(line):
                id, date, category, fact, session = match.groups()
                found.append(Memory(id, date, fact, category or "", session or "", scope))
        return found

    def _lines(self, scope: Scope) -> list[str]:
        try:
            with open(self._paths[scope], encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
        except OSError:
            return []

    def _write(self, scope: Scope, lines: Sequence[str]) -> None:
        self._replace(self._paths[scope], "".join(f"{line}\n" for line in lines))

    def _replace(self, path: str, text: str) -> None:
        unfinished = f"{path}.{os.urandom(4).hex()}.new"
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(unfinished, path)
        except OSError as error:
            raise SessionError(f"{path} cannot be written: {error.strerror}", hint="Look at its folder.") from error


def _id_of(line: str) -> str:
    found = _LINE.match(line)
    return found[1] if found else ""


def _is_alike(one: str, other: str) -> bool:
    """The same words, but for few."""
    left, right = set(_WORD.findall(one.casefold())), set(_WORD.findall(other.casefold()))
    return bool(left) and len(left & right) / len(left | right) >= _ALIKE


def _toml(profile: dict[str, Any]) -> str:
    import tomlkit  # slow to import, and a profile is rarely written

    return tomlkit.dumps(profile)
