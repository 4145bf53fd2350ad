"""The rows of the pickers: sessions, models, entries of the tree, snapshots. Each is made of what a subcommand tells as JSON, or
of the entries of the conversation."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import DecodeError, json

from codi.frontends.sanitiser import visible
from codi.frontends.tui.lines import Line, wrapped
from codi.frontends.tui.picker import Choice
from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    ContextCompacted,
    Entry,
    Labelled,
    MessageAdded,
    TitleGiven,
)
from codi.protocol.messages import Message

Filter = Literal["default", "no-tools", "user-only", "labeled-only", "all"]
FILTERS: tuple[Filter, ...] = ("default", "no-tools", "user-only", "labeled-only", "all")
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
_MOST_CHARS = 200


def rows_of(text: str) -> list[dict[str, Any]]:
    """The objects that a subcommand printed, one a line or as one list."""
    try:
        if text.lstrip().startswith("["):
            return json.decode(text, type=list[dict[str, Any]])
        return [json.decode(line, type=dict[str, Any]) for line in text.splitlines() if line.strip()]
    except DecodeError:
        return []


def sessions(rows: Sequence[Mapping[str, Any]]) -> list[Choice]:
    choices = []
    for row in rows:
        said = row.get("name") or row.get("firstMessage") or row.get("first_message") or "(no messages)"
        cost = row.get("cost")
        told = [
            age(_seconds(row.get("modified"))),
            f"{row.get('turns', 0)} turns",
            "$?" if cost is None else f"${cost:.2f}",
            str(row.get("branch") or ""),
        ]
        choices.append(
            Choice(_one_line(str(said)), row.get("path") or row.get("id"), "  ".join(part for part in told if part))
        )
    return choices


def models(rows: Sequence[Mapping[str, Any]], *, used: int = 0, now: str = "") -> list[Choice]:
    """`used` tokens would have to be read anew by any model but the one that answers `now`."""
    choices = []
    for row in rows:
        price = row.get("price") or {}
        is_now = bool(now) and str(row["model"]) == now
        anew = f"${used * price['input'] / 1e6:.4f} to switch" if price and used and not is_now else ""
        told = [
            f"{int(row.get('window') or 0) // 1000}k",
            f"${price['input']:g}/${price['output']:g}" if price else "$?",
            " ".join(row.get("abilities") or ()),
            "local" if row.get("local") else "",
            "answers now" if is_now else anew,
        ]
        missing = "" if row.get("keyPresent", True) else f"no key: {row.get('keyVariable') or 'codi auth login'}"
        choices.append(
            Choice(str(row["model"]), row["model"], "  ".join(part for part in told if part), unavailable=missing)
        )
    return choices


def settings(rows: Sequence[Mapping[str, Any]]) -> list[Choice]:
    return [
        Choice(str(row["key"]), row["key"], f"{row.get('value')}  {row.get('origin') or row.get('from') or ''}".strip())
        for row in rows
    ]


def snapshots(rows: Sequence[Mapping[str, Any]]) -> list[Choice]:
    return [
        Choice(str(row.get("name") or row["id"]), row["id"], f"{row['id']}  {age(_seconds(row.get('at')))}")
        for row in rows
    ]


class Tree:
    """The entries of a session as indented rows; the path to the leaf is marked."""

    def __init__(self, entries: Sequence[Entry], leaf: str | None) -> None:
        self.filter: Filter = "default"
        self.with_times = False
        self.folded: set[str] = set()
        self._entries = {entry.id: entry for entry in entries}
        self._children: dict[str | None, list[Entry]] = {}
        for entry in entries:
            parent = entry.parent if entry.parent in self._entries else None
            self._children.setdefault(parent, []).append(entry)
        self._path = {entry.id for entry in path_to(entries, leaf)}
        self._labels: dict[str, str] = {}
        for entry in entries:
            if isinstance(entry.fact, Labelled):
                self._labels[entry.fact.target] = entry.fact.label or ""

    def label(self, entry: str, label: str) -> None:
        self._labels[entry] = label

    def preview(self, choice: Choice, columns: int) -> Sequence[Line]:
        """All that was said there."""
        entry = self._entries.get(str(choice.value))
        if entry is None:
            return ()
        fact = entry.fact
        text = fact.message.text if isinstance(fact, MessageAdded) else self._told(entry) or ""
        when = datetime.fromtimestamp(entry.at).strftime("%Y-%m-%d %H:%M")
        return wrapped(((f"{when}\n{visible(text)}", "dim"),), columns)

    def choices(self) -> list[Choice]:
        """The rows in the order of the tree. A branch is indented where it leaves another, not with every entry."""
        choices: list[Choice] = []
        waiting = [(entry, 0) for entry in reversed(self._children.get(None, []))]
        while waiting:
            entry, depth = waiting.pop()
            told = self._told(entry)
            if told is not None:
                mark = "● " if entry.id in self._path else "  "
                label = f"[{self._labels[entry.id]}] " if self._labels.get(entry.id) else ""
                when = age(entry.at) if self.with_times else ""
                fold = "⊞ " if entry.id in self.folded else ""
                choices.append(Choice(f"{mark}{'  ' * depth}{fold}{label}{told}", entry.id, when))
            if entry.id in self.folded:
                continue
            children = self._children.get(entry.id, [])
            deeper = depth + (1 if len(children) > 1 else 0)
            waiting += [(child, deeper) for child in reversed(children)]
        return choices

    def _told(self, entry: Entry) -> str | None:
        """What the row says; None where the filter leaves the entry out."""
        label = bool(self._labels.get(entry.id))
        if self.filter == "labeled-only" and not label:
            return None
        match entry.fact:
            case MessageAdded(Message("user") as message) if message.tool_results:
                if self.filter in ("no-tools", "user-only", "default") and not label:
                    return None
                return f"result: {_one_line(message.tool_results[0].text)}"
            case MessageAdded(Message("user") as message):
                return f"you: {_one_line(message.text)}"
            case MessageAdded(message):
                calls = ", ".join(call.name for call in message.tool_calls)
                if (self.filter == "user-only" and not label) or (
                    self.filter == "no-tools" and not message.text.strip()
                ):
                    return None
                return f"codi: {_one_line(message.text) or f'calls {calls}'}"
            case CommandShown(command=command):
                return f"! {command}"
            case ContextCompacted():
                return "compacted"
            case BranchSummarised(summary=summary):
                return f"branch: {_one_line(summary)}"
            case TitleGiven(name) if self.filter == "all":
                return f"name: {name}"
        return f"({type(entry.fact).__name__})" if self.filter == "all" or label else None


def path_to(entries: Sequence[Entry], leaf: str | None) -> list[Entry]:
    """The entries from the root to a leaf."""
    by_id = {entry.id: entry for entry in entries}
    path: dict[str, Entry] = {}
    while leaf is not None and leaf in by_id and leaf not in path:
        path[leaf] = by_id[leaf]
        leaf = by_id[leaf].parent
    return list(path.values())[::-1]


def files(names: Sequence[str], kind: str) -> list[Choice]:
    """Files to mention; of the kind `image` those that can be shown to a model."""
    return [Choice(name, name) for name in names if kind != "image" or name.lower().endswith(_IMAGES)]


def mention(path: str) -> str:
    """As a prompt mentions it."""
    return f'@"{path}"' if " " in path else f"@{path}"


def age(at: float, now: Callable[[], float] = time.time) -> str:
    """How long ago, in the largest unit that fits."""
    passed = max(now() - at, 0)
    for size, unit in ((86400 * 365, "y"), (86400 * 30, "mo"), (86400 * 7, "w"), (86400, "d"), (3600, "h"), (60, "m")):
        if passed >= size:
            return f"{int(passed // size)}{unit}"
    return "now"


def _seconds(at: Any) -> float:
    if isinstance(at, int | float):
        return float(at)

    try:
        return datetime.fromisoformat(str(at)).timestamp()
    except ValueError:
        return time.time()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MOST_CHARS]
