"""Plans that the person approved, as files of the project, and the list of what is to be done as the person changes it."""

import os
import re
from collections.abc import Callable, Sequence
from typing import cast

from codi.agent.record import Record
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.events import AnswerDelta, Entry, MessageAdded, PolicyChosen, StatusDelta, TodoItem, TodoWritten
from codi.protocol.messages import Message
from codi.protocol.ops import KeepPlan, Mode, PlanOp, SettleTodo, ShowPlans
from codi.sessions import folds

FOLDER = os.path.join(".codi", "plans")
"""Of the plans, below the project's root."""

_ID = re.compile(r"[0-9a-z]{4,16}")
_USUAL: Mode = "default"


class Planning:
    """`root` is the project's; `choose` has another mode hold from now on."""

    def __init__(self, record: Record, root: str, choose: Callable[[Mode], None]) -> None:
        self._record = record
        self._root = root
        self._folder = os.path.join(root, FOLDER)
        self._choose = choose

    def take(self, op: PlanOp) -> None:
        """Do it, and tell what became of it."""
        try:
            self._record.tell(AnswerDelta(self._answer(op)))
        except CodiError as error:
            self._record.tell(StatusDelta(kind="warning", text=str(error), hint=error.hint))
        except OSError as error:
            self._record.tell(StatusDelta(kind="warning", text=f"{self._folder}: {error.strerror}"))

    def _answer(self, op: PlanOp) -> str:
        match op:
            case KeepPlan():
                return self._keep()
            case ShowPlans(""):
                return (
                    "\n".join(f"{name}  {_title(self._read(name))}" for name in self._names()) or "there are no plans"
                )
            case ShowPlans(name, delete=True):
                os.unlink(self._path(name))
                return f"plan {name} is deleted"
            case ShowPlans(name):
                return self._read(name)
            case SettleTodo(number):
                return self._settle(number)

    def _keep(self) -> str:
        """The plan that stands in the last answer becomes a file, and the mode before planning holds again."""
        path = self._record.session.path()
        if folds.policy_mode(path) != "plan":
            raise UsageError("nothing is being planned", hint="/plan TASK asks for a plan.")
        begun, before = _planning(path)
        entry = next((each for each in reversed(path[begun:]) if _said(each)), None)
        if entry is None:
            raise UsageError("there is no plan yet", hint="Say what is to be planned.")
        os.makedirs(self._folder, exist_ok=True)
        if os.path.realpath(self._folder) != os.path.join(os.path.realpath(self._root), FOLDER):
            raise UsageError(f"{FOLDER} is a link to elsewhere", hint="Remove the link; plans are kept in the project.")
        place = os.path.join(self._folder, f"plan-{entry.id}.md")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(place, flags, 0o644), "w", encoding="utf-8") as file:
            file.write(self._record.shown(_said(entry)).rstrip() + "\n")
        self._choose(before)
        return f"the plan is kept in {os.path.join(FOLDER, f'plan-{entry.id}.md')}; {before} mode holds again"

    def _settle(self, number: int | None) -> str:
        items: Sequence[TodoItem] = folds.todos(self._record.session.path())
        if number is None:
            self._record.keep(TodoWritten(()))
            return "the list is empty now"
        if not 1 <= number <= len(items):
            raise UsageError(f"there is no item {number} on the list", hint="/todo numbers them.")
        done = TodoItem(items[number - 1].content, "completed")
        self._record.keep(TodoWritten((*items[: number - 1], done, *items[number:])))
        return f"done: {done.content}"

    def _names(self) -> list[str]:
        """The newest first."""
        try:
            found = [entry for entry in os.scandir(self._folder) if entry.name.startswith("plan-") and entry.is_file()]
        except FileNotFoundError:
            return []
        found.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
        return [entry.name.removeprefix("plan-").removesuffix(".md") for entry in found]

    def _path(self, name: str) -> str:
        """Raises UsageError where there is no such plan."""
        if not _ID.fullmatch(name) or name not in self._names():
            raise UsageError(f"there is no plan {name!r}", hint="/plans lists them.")
        return os.path.join(self._folder, f"plan-{name}.md")

    def _read(self, name: str) -> str:
        with open(self._path(name), encoding="utf-8", errors="replace") as file:
            return file.read()


def _planning(path: Sequence[Entry]) -> tuple[int, Mode]:
    """Where on the path planning began, and which mode held before."""
    begun, before, now = 0, _USUAL, _USUAL
    for at, entry in enumerate(path):
        if isinstance(entry.fact, PolicyChosen):
            if entry.fact.mode == "plan" and now != "plan":
                begun, before = at, now
            now = cast(Mode, entry.fact.mode)
    return begun, before


def _said(entry: Entry) -> str:
    match entry.fact:
        case MessageAdded(Message("assistant") as message) if message.text.strip():
            return message.text
    return ""


def _title(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.lstrip("# ").strip()[:60]
