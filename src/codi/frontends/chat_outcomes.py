"""What commands come to, as lines: a text, a numbered list to choose from, a question with no as its default."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, assert_never, get_args

from codi.commands.command import Ask, Do, Fail, Leave, Open, Outcome, Part, Show
from codi.frontends.chat_lines import ChatLines
from codi.frontends.desk import Beside, ConversationDesk, line_of
from codi.frontends.tui import pickers
from codi.frontends.tui.attention import to_clipboard
from codi.frontends.tui.picker import Choice, fitting
from codi.frontends.tui.pickers import path_to, rows_of
from codi.frontends.tui.tree_walk import TreeWalk
from codi.protocol.events import ForkedDelta, NavigatedDelta, StatusDelta
from codi.protocol.messages import Level
from codi.protocol.ops import ChooseModel, ChoosePolicy, ChooseThinking, Mode, Op, Prompt, Retry, Withdraw

_KEYS = "There are no keys here but these: ctrl-c ends a turn, or leaves where none runs; ctrl-d leaves."
_NO_COLOURS = Fail("lines have no theme", "Start without --ui plain in a terminal that can do more.")


_Found = TypeVar("_Found")


class ChatOutcomes:
    """`line` asks the person something, `show` shows a long text, `send` has an op done and returns when it is, `turn` has a turn
    taken to its end. `next` is the conversation to go to; "" begins a new one."""

    def __init__(
        self,
        lines: ChatLines,
        desk: Callable[[], ConversationDesk],
        beside: Beside,
        *,
        line: Callable[[str], Awaitable[str | None]],
        show: Callable[[str], Awaitable[bool]],
        send: Callable[[Op], Awaitable[None]],
        turn: Callable[[Prompt | Retry], Awaitable[None]],
    ) -> None:
        self.has_left = False
        self.next: str | None = None
        self.then: Sequence[Op] = ()
        self._lines = lines
        self._desk = desk
        self._beside = beside
        self._line = line
        self._show = show
        self._send = send
        self._turn = turn

    async def take(self, outcome: Outcome) -> None:
        match outcome:
            case Show(text, then=None):
                await self._show(text)
            case Show(text, then=then) if then:
                if await self._show(text) and await self.confirm("Go on with it?"):
                    await self.take(await then())
            case Show():
                pass
            case Do(ops, text):
                for op in ops:
                    await (self._turn(op) if isinstance(op, Prompt | Retry) else self._send(op))
                if text:
                    self._lines.say(text)
            case Ask(prompt, images):
                await self._turn(Prompt(prompt, images))
            case Open("session", argument, ops=ops) if ops:
                self.then = ops
                self._go(argument)
            case Open(view, argument, text):
                await self._open(view, argument, text)
            case Fail(message, hint):
                self._lines.error(message, hint)
            case Leave():
                self.has_left = True
            case _ as never:
                assert_never(never)

    async def confirm(self, question: str) -> bool:
        said = await self._line(f"Question: {question}\nAnswer: y or n (Enter: n): ")
        return (said or "").strip().lower() in ("y", "yes")

    async def _open(self, view: Part, argument: str, text: str) -> None:
        match view:
            case "tree":
                await self._walked(lambda walk: walk.navigate())
            case "rewind":
                await self._walked(lambda walk: walk.rewind(argument))
            case "fork":
                await self._fork()
            case "copy":
                await self._copy(argument)
            case "put":
                self._lines.say(f"Begin your next line with: {text}")
            case "files":
                names = pickers.files(await self._rows_of_files(), argument)
                if not names:
                    self._lines.say(f"there is no {argument or 'file'} here")
                elif choice := await self._picked(argument or "file", names):
                    self._lines.say(f"{pickers.mention(str(choice.value))} in your next line attaches it")
            case "modes":
                await self._choose("mode", _named(get_args(Mode)), ChoosePolicy)
            case "thinking":
                await self._choose("thinking", _named(get_args(Level)), ChooseThinking)
            case "models":
                await self._choose("model", pickers.models(await self._rows("models")), ChooseModel)
            case "sessions":
                if choice := await self._picked("session", pickers.sessions(await self._rows("sessions"))):
                    self._go(str(choice.value))
            case "session":
                self._go(argument, text)
            case "settings":
                if choice := await self._picked("setting", pickers.settings(await self._rows("config", "list"))):
                    self._lines.say(f"/config set {choice.value} VALUE changes it")
            case "queued":
                item = self._desk().waiting[int(argument) - 1]
                await self._send(Withdraw(item.line, item.at))
                self._lines.say(f"taken back: {item.what.text}")
            case "queue":
                waiting = [line_of(item, number) for number, item in enumerate(self._desk().waiting, 1)]
                self._lines.say("\n".join(waiting) or "nothing waits")
            case "snapshots":
                rows = pickers.snapshots((await self._rows("snapshot", "list"))[::-1])
                if choice := await self._picked("snapshot", rows):
                    self._lines.say(
                        f"/snapshot diff {choice.value} compares, /snapshot restore {choice.value} brings back"
                    )
            case "terminal":
                self._lines.say(f"Run this in a shell of your own: codi {argument}")
            case "reload":
                self._lines.say("the settings are right; lines have no keys and no theme that could be read again")
            case "keys":
                self._lines.say(_KEYS)
            case "theme" | "themes":
                self._lines.error(_NO_COLOURS.message, _NO_COLOURS.hint)
            case _ as never:
                assert_never(never)

    async def _copy(self, text: str) -> None:
        """To the clipboard of the terminal; where there is none, the text itself is all that can be given."""
        if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            sys.stdout.flush()
            os.write(
                sys.stdout.fileno(), to_clipboard(text).encode()
            )  # past the sanitiser: this sequence is codi's own
            self._lines.say(f"copied {len(text)} characters")
        else:
            await self._show(text)

    async def _rows_of_files(self) -> list[str]:
        told = await self._beside(("tool", "call", "glob", '{"pattern": "**/*"}'))
        return told.text.splitlines() if told.status == 0 else []

    async def _fork(self) -> None:
        op = await self._walked(lambda walk: walk.fork())
        if op is None:
            return
        match await self._desk().answer(op):
            case ForkedDelta(path=path, prompt=prompt):
                self._go(path, prompt)
            case StatusDelta(text=text, hint=hint):
                self._lines.error(text, hint)

    def _go(self, session: str, text: str = "") -> None:
        if text:
            self._lines.say(f"It goes on before: {text}")
        self.next, self.has_left = session, True

    def told(self, moved: NavigatedDelta) -> None:
        """The conversation stands elsewhere now: what was said last there, and the words that may be said otherwise."""
        if not moved.moved:
            self._lines.say("the conversation stands there already")
            return
        self._lines.say("the conversation goes on from here:")
        self._lines.recall(path_to(*self._desk().tree))
        if moved.prompt:
            self._lines.say(f"It goes on before: {moved.prompt}")

    async def _walked(self, walking: Callable[[TreeWalk], Awaitable[_Found]]) -> _Found:
        """Go about in the tree, and have done what the person chose there."""
        chosen: list[Op] = []
        entries, leaf = self._desk().tree
        found = await walking(TreeWalk(entries, leaf, picked=self._picked, asked=self._asked, send=chosen.append))
        for op in chosen:
            await self._send(op)
        return found

    async def _asked(self, question: str) -> str | None:
        return await self._line(f"Question: {question}\nAnswer: ")

    async def _rows(self, *words: str) -> list[dict[str, Any]]:
        return rows_of((await self._beside((*words, "--json"))).text)

    async def _choose(self, title: str, choices: Sequence[Choice], op: Callable[[Any], Op]) -> None:
        if choice := await self._picked(title, choices):
            await self._send(op(choice.value))

    async def _picked(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        keys: Mapping[str, Any] | None = None,
        at: int = 0,
        preview: Any = None,
    ) -> Choice | None:
        """One of a numbered list; words in place of a number leave those that fit. Of keys and previews a list in lines has none."""
        shown = choices
        while True:
            rows = [_row(number, choice) for number, choice in enumerate(shown, 1)]
            if not await self._show("\n".join([f"Choose: {title}", *rows])):
                return None
            said = await self._line(f"Number from 1 to {len(shown)}, or words to look for (Enter: none): ")
            if said is None:
                self._lines.error(f"no {title} was chosen: there is no more input", "Name it behind the command.")
                return None
            if not said.strip():
                return None
            if said.strip().isdecimal() and 1 <= int(said) <= len(shown):
                choice = shown[int(said) - 1]
                if not choice.unavailable:
                    return choice
                self._lines.error(f"{choice.text}: {choice.unavailable}")
                continue
            found = fitting(said, choices)
            if not found:
                self._lines.say("nothing fits")
            shown = found or choices


def _named(names: Sequence[str]) -> list[Choice]:
    return [Choice(name, name) for name in names]


def _row(number: int, choice: Choice) -> str:
    note = choice.unavailable or choice.note
    return f"  {number}. {choice.text}{f' - {note}' if note else ''}"
