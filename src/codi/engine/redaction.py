"""What leaves this machine in a file for others: without secrets, without the person's home and name."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.engine.vaults import vault_that_veils
from codi.protocol.events import Entry

_PLACEHOLDER = re.compile(r"\{\{secret:([A-Z][A-Z0-9_]*?)(?:_[0-9]+)?\}\}")
_NOBODY = frozenset(
    {"root", "user", "admin", "ubuntu", "debian", "nobody", "runner", "test", "codi", "home", "guest", "dev"}
)
_SHORTEST_NAME = 3


class Redaction:
    """`counts` tells how much of what kind was taken out so far."""

    def __init__(
        self, places: Places, settings: Settings, env: Mapping[str, str], entries: Iterable[Entry] = ()
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._vault = vault_that_veils(places, settings, env, entries)
        homes = {os.path.expanduser("~").rstrip("/"), os.path.realpath(os.path.expanduser("~")), env.get("HOME", "")}
        homes = {home.rstrip("/") for home in homes if len(home.rstrip("/")) > 1}
        dashed = {home.strip("/").replace("/", "-") for home in homes if home.count("/") > 1}
        self._homes = _any_of(homes, r"(?![\w.-])")
        self._dashed = _any_of({f"--{name}" for name in dashed}, r"(?![^\W_])")
        names = {env.get("USER", ""), env.get("LOGNAME", "")}
        names |= {os.path.basename(home) for home in homes if os.path.dirname(home) in ("/home", "/Users")}
        names = {name for name in names if len(name) >= _SHORTEST_NAME and name.lower() not in _NOBODY}
        self._names = _any_of(names, r"(?![^\W_])", before=r"(?<![^\W_])")

    def __call__(self, text: str) -> str:
        """The text without them."""
        before = Counter(_PLACEHOLDER.findall(text))
        text = self._vault.veil(text)
        for kind, count in (Counter(_PLACEHOLDER.findall(text)) - before).items():
            self.counts[kind.lower()] += count
        for pattern, instead, kind in (
            (self._homes, "~", "home"),
            (self._dashed, "--home", "home"),
            (self._names, "user", "user_name"),
        ):
            if pattern is not None:
                text, count = pattern.subn(instead, text)
                self.counts[kind] += count
        return text

    def told(self) -> list[dict[str, object]]:
        """The kinds and how many of each."""
        return [{"kind": kind, "count": count} for kind, count in sorted(self.counts.items()) if count]


def _any_of(words: set[str], after: str, before: str = "") -> re.Pattern[str] | None:
    if not words:
        return None
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(f"{before}(?:{'|'.join(map(re.escape, longest_first))}){after}")
