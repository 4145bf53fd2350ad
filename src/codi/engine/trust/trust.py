"""Which items of a project are obeyed in this run.

An item is obeyed when its hash is known: because the person accepted it, or, for one run, because they trust the project as it
was when codi started. What changes meanwhile is another item.
"""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from codi.engine import config_files
from codi.engine.config_files import ConfigFile, shown
from codi.engine.places import Places
from codi.engine.trust.how import UNTRUSTED, How
from codi.engine.trust.item import Item
from codi.engine.trust.manifest import (
    THEMES,
    item_of_context,
    items_of,
    items_of_bytes,
    manifest,
    themes_of,
    value_at,
    without,
)
from codi.engine.trust.store import TrustStore


class Trust:
    """Made for one start. `inherit`: what was accepted in a folder around the project counts for it too."""

    def __init__(self, places: Places, how: How = "pinned", *, inherit: bool = False) -> None:
        self.places = places
        self.how = how
        self.inherit = inherit
        self.store = TrustStore(places.home)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All that the project brings."""
        return manifest(self.places)

    @cached_property
    def hashes(self) -> frozenset[str]:
        if self.how == "none":
            return frozenset()
        if self.how == "all":
            return frozenset(item.hash for item in self.items)
        return frozenset(self.store.of(self.places.root, inherit=self.inherit))

    @property
    def pending(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not self.accepts(item))

    def accepts(self, item: Item | None) -> bool:
        return item is not None and item.hash in self.hashes

    def may_reach_out(self, path: str) -> bool:
        """Whether an instruction file may bring in what lies outside of the project."""
        return self.how == "all" or self.accepts(item_of_context(path, self.places.root))

    def obeyed(self, path: str) -> ConfigFile | None:
        """A configuration file of the project as far as it is obeyed; None where nothing of it is. Raises BrokenFile for one that
        is obeyed and cannot be used."""
        if not self.hashes:
            return None
        content = config_files.content_of(path)
        if not any(self.accepts(item) for item in items_of_bytes(path, content, self.places.root)):
            return None
        file = config_files.parsed(path, content)
        *parts, rest = items_of(file, self.places.root)
        tree: dict[str, Any] = {}
        if self.accepts(rest):
            tree = dict(file.tree)
            for part in parts:
                tree = without(tree, part.key)
        for part in parts:
            if self.accepts(part):
                tree = _with(tree, part.key, value_at(file.tree, part.key))
        return ConfigFile(path, file.text, tree)

    def theme_folders(self) -> list[str]:
        """Where theme files are: the person's, and the project's where all of them are trusted."""
        own, project = (os.path.join(folder, THEMES) for folder in (self.places.home, f"{self.places.root}/.codi"))
        brought = themes_of(os.path.dirname(project)) if project != own else []
        return [own, project] if brought and all(map(self.accepts, brought)) else [own]

    def notice(self) -> str | None:
        """One line for all that is not obeyed."""
        pending = self.pending
        if not pending:
            return None
        files: dict[str, list[Item]] = {}
        for item in pending:
            files.setdefault(item.file, []).append(item)
        whole = {file for file, items in files.items() if len(items) == sum(item.file == file for item in self.items)}
        named = []
        for file, items in files.items():
            path = shown(os.path.join(self.places.root, file))
            if items[0].kind == "rules":  # what they ask and deny holds
                path = f"what {path} allows"
            named.append(path if file in whole else f"{', '.join(item.id for item in items)} of {path}")
        reason = "--no-trust" if self.how == "none" else UNTRUSTED
        return f"{' and '.join(named)} {'are' if len(named) > 1 else 'is'} ignored: {reason}"


def _with(tree: Mapping[str, Any], key: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = key
    return {**tree, first: _with(tree.get(first, {}), tuple(rest), value) if rest else value}
