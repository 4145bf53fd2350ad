"""Going about in the tree of the conversation: choosing an entry, and what is to become of the branch that is left."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from codi.frontends.tui.picker import Choice, Preview
from codi.frontends.tui.pickers import FILTERS, Filter, Tree
from codi.protocol.events import Entry
from codi.protocol.ops import ForkAt, LabelEntry, Navigate, Op, Rewind

Keys = Mapping[str, tuple[str, Callable[[Choice | None], Sequence[Choice] | None]]]
_FILTER_KEYS: dict[str, Filter] = {
    "ctrl+d": "default",
    "ctrl+t": "no-tools",
    "ctrl+u": "user-only",
    "ctrl+l": "labeled-only",
    "ctrl+a": "all",
}


class Picked(Protocol):
    def __call__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        keys: Keys | None = ...,
        at: int = ...,
        preview: Preview | None = ...,
    ) -> Awaitable[Choice | None]: ...


class TreeWalk:
    """`entries` are all of the session and `leaf` is where it stands; `picked` lets the person choose, `asked` gives a line that
    they type, None where they type none."""

    def __init__(
        self,
        entries: Sequence[Entry],
        leaf: str | None,
        *,
        picked: Picked,
        asked: Callable[[str], Awaitable[str | None]],
        send: Callable[[Op], object],
    ) -> None:
        self._tree = Tree(entries, leaf)
        self._leaf = leaf
        self._picked = picked
        self._asked = asked
        self._send = send
        self._to_label: Choice | None = None

    async def navigate(self) -> None:
        entry = await self._entry("tree")
        if entry is None:
            return
        if entry == self._leaf:
            self._send(Navigate(entry))
            return
        choice = await self._picked(
            "the branch that is left",
            [
                Choice("no summary", "no"),
                Choice("summarise it", "summary"),
                Choice("summarise it, minding something", "instructed"),
            ],
        )
        if choice is None:
            return
        minding = await self._asked("what is to be minded?") if choice.value == "instructed" else ""
        if minding is not None:
            self._send(Navigate(entry, summary=choice.value != "no", instructions=minding))

    async def rewind(self, entry: str) -> None:
        entry = entry or await self._entry("rewind to", "user-only") or ""
        if not entry:
            return
        choice = await self._picked(
            "bring back",
            [Choice("conversation and files", "both"), Choice("conversation", "talk"), Choice("files", "files")],
        )
        if choice:
            self._send(Rewind(entry, conversation=choice.value != "files", files=choice.value != "talk"))

    async def fork(self) -> ForkAt | None:
        """The fork that the person wants."""
        entry = await self._entry("fork at", "user-only")
        return ForkAt(entry) if entry else None

    async def _entry(self, title: str, shown: Filter = "default") -> str | None:
        tree = self._tree
        tree.filter = shown
        while True:
            rows = tree.choices()
            here = next((at for at, row in enumerate(rows) if row.value == self._leaf), len(rows) - 1)
            choice = await self._picked(title, rows, keys=self._keys(), at=max(here, 0), preview=tree.preview)
            if not self._to_label:
                return str(choice.value) if choice else None
            entry, self._to_label = str(self._to_label.value), None
            label = await self._asked(f"label of {entry} (empty: none)")
            if label is not None:
                self._send(LabelEntry(entry, label))
                tree.label(entry, label)

    def _keys(self) -> Keys:
        tree = self._tree

        def show(name: Filter) -> Sequence[Choice]:
            tree.filter = name
            return tree.choices()

        def times(_: Choice | None) -> Sequence[Choice]:
            tree.with_times = not tree.with_times
            return tree.choices()

        def fold(current: Choice | None) -> Sequence[Choice]:
            tree.folded |= {str(current.value)} if current else set()
            return tree.choices()

        def unfold(current: Choice | None) -> Sequence[Choice]:
            tree.folded -= {str(current.value)} if current else set()
            return tree.choices()

        def label(current: Choice | None) -> None:
            self._to_label = current

        keys: dict[str, tuple[str, Callable[[Choice | None], Sequence[Choice] | None]]] = {
            key: ("", lambda _, name=name: show(name))  # type: ignore[misc]
            for key, name in _FILTER_KEYS.items()
        }
        keys["ctrl+o"] = ("filter", lambda _: show(FILTERS[(FILTERS.index(tree.filter) + 1) % len(FILTERS)]))
        keys["T"] = ("time", times)
        keys["ctrl+left"], keys["ctrl+right"] = ("fold", fold), ("", unfold)
        keys["L"] = ("label", label)
        return keys
