"""What commands come to, shown: a text, a list to choose from, a question, another conversation."""

from collections.abc import Awaitable, Callable, Sequence
from shlex import split
from typing import Any, assert_never, get_args

import anyio
from msgspec import json

from codi.commands.command import Ask, Do, Fail, InLine, Leave, List, Open, Outcome, Part, Show
from codi.commands.settings import UiSettings
from codi.frontends.desk import line_of
from codi.frontends.tui import pickers
from codi.frontends.tui.attention import to_clipboard
from codi.frontends.tui.blocks.notice import NoticeBlock, TextBlock
from codi.frontends.tui.canvas import Canvas
from codi.frontends.tui.diff_text import is_diff
from codi.frontends.tui.diff_view import DiffView
from codi.frontends.tui.picker import Choice, Picker, Preview
from codi.frontends.tui.pickers import path_to, rows_of
from codi.frontends.tui.question_dialogs import ConfirmDialog, LineDialog
from codi.frontends.tui.surroundings import Surroundings
from codi.frontends.tui.transcript import Transcript
from codi.frontends.tui.tree_walk import Keys, TreeWalk
from codi.frontends.tui.wardrobe import Wardrobe
from codi.protocol.events import (
    ChangedFileRow,
    Entry,
    Event,
    ForkedDelta,
    MessageAdded,
    ModelChosen,
    NavigatedDelta,
    PolicyChosen,
    ThinkingChosen,
)
from codi.protocol.messages import Level, Message
from codi.protocol.ops import ChooseModel, ChoosePolicy, ChooseThinking, Mode, Op, Prompt, Withdraw

_TOLD_BY: dict[type, type] = {ChooseModel: ModelChosen, ChoosePolicy: PolicyChosen, ChooseThinking: ThinkingChosen}


class Outcomes:
    """`send` brings ops to the conversation, `go` leaves it for another, `leave` ends the program, `redraw` shows what changed,
    `keys` says what the keys do, `pull_back` takes into the editor what waits, `tree` gives all entries and the leaf, `put` puts a text
    into the editor, `waiting` is what waits, `standing` how many tokens the conversation has and which model answers, `obey` runs a
    command's line, `reread` takes over what the settings say now."""

    def __init__(
        self,
        canvas: Canvas,
        transcript: Transcript,
        around: Surroundings,
        *,
        send: Callable[[Op], object],
        go: Callable[[str | None], object],
        redraw: Callable[[], object],
        keys: Callable[[], Sequence[str]],
        wardrobe: Wardrobe,
        pull_back: Callable[[int], object],
        tree: Callable[[], tuple[Sequence[Entry], str | None]],
        put: Callable[[str], object],
        reread: Callable[[UiSettings], object],
        waiting: Callable[[], Sequence[InLine]],
        standing: Callable[[], tuple[int, str]],
        obey: Callable[[str], object],
    ) -> None:
        self._canvas = canvas
        self._transcript = transcript
        self._around = around
        self._send = send
        self._go = go
        self._redraw = redraw
        self._keys = keys
        self._wardrobe = wardrobe
        self._pull_back = pull_back
        self._tree = tree
        self._put = put
        self._reread = reread
        self._waiting = waiting
        self._standing = standing
        self._obey = obey
        self._is_forking = False
        self._awaited: tuple[type, ...] = ()
        """The facts that will tell what became of what the person has just chosen."""

    async def show(self, outcome: Outcome) -> None:
        """What a command came to; returns when the person has seen to it."""
        match outcome:
            case Show(view=view) if view:
                await self._open(view, "", "")
            case Show(text, title, files, _, then):
                if files and any(file.patch for file in files):
                    self._show_changes(files, title)
                elif then:
                    await self._preview(text, title, then)
                else:
                    self._show_text(text, title)
            case Do(ops, text):
                self._awaited = tuple(_TOLD_BY[type(op)] for op in ops if type(op) in _TOLD_BY)
                for op in ops:
                    self._send(op)
                if text:
                    self._transcript.add(NoticeBlock("info", text))
            case Ask(prompt, images):
                self._send(Prompt(prompt, images))
            case Open(view, argument, text):
                await self._open(view, argument, text)
            case Fail(message, hint):
                self._transcript.add(NoticeBlock("error", message, hint))
            case Leave():
                self._go(None)
            case _ as never:
                assert_never(never)

    async def confirm(self, question: str) -> bool:
        """Ask the person; no is the default."""
        answered, answers = anyio.Event(), [False]

        def answer(yes: bool) -> None:
            answers[0] = yes
            answered.set()

        self._canvas.pane = ConfirmDialog(question, answer)
        await self._until(answered)
        return answers[0]

    def _show_changes(self, files: Sequence[ChangedFileRow], title: str) -> None:
        from codi.frontends.tui.changes_view import ChangesView  # few look at them

        view = ChangesView(files)
        self._canvas.page(title, view.lines, toggle=view.toggle, blocks=view.blocks)

    async def _preview(self, text: str, title: str, then: Callable[[], Awaitable[Outcome]]) -> None:
        """Show what would happen; `y` has it done."""
        left, answers = anyio.Event(), list[bool]()

        def go_on() -> None:
            answers.append(True)

        self._canvas.page(title, TextBlock(text).whole, go_on=go_on, left=left.set)
        self._redraw()
        await left.wait()
        if answers:
            await self.show(await then())

    def _hand_over(self, words: Sequence[str]) -> None:
        """To a subcommand that talks with the person by itself."""
        terminal = self._canvas.terminal
        self._canvas.step_below()
        terminal.hand_over()
        try:
            status = self._around.instead(words)
        finally:
            terminal.come_back()
        named = " ".join(words)
        self._transcript.add(NoticeBlock("warning" if status else "info", f"codi {named} ended with {status}"))
        self._canvas.go_on()

    def _show_text(self, text: str, title: str) -> None:
        if is_diff(text):
            view = DiffView(text)
            self._canvas.page(title or "diff", view.lines, toggle=view.toggle, blocks=view.blocks)
            return
        block = TextBlock(text)
        if len(block.lines(self._canvas.columns)) > self._canvas.rows // 2:
            self._canvas.page(title or "codi", block.whole)
        else:
            self._transcript.add(block)

    async def _open(self, view: Part | List, argument: str, text: str) -> None:
        match view:
            case "tree":
                await self._walk().navigate()
            case "rewind":
                await self._walk().rewind(argument)
            case "fork":
                if op := await self._walk().fork():
                    self._is_forking = True
                    self._send(op)
            case "copy":
                self._canvas.terminal.write(to_clipboard(argument))
                self._transcript.add(NoticeBlock("info", f"copied {len(argument)} characters"))
            case "terminal":
                self._hand_over(split(argument))
            case "modes":
                await self._choose("mode", [Choice(mode, mode) for mode in get_args(Mode)], ChoosePolicy)
            case "models":
                used, now = self._standing()
                rows = pickers.models(await self._rows("models"), used=used, now=now)
                await self._choose("model", rows, ChooseModel)
            case "themes":
                await self._choose_theme()
            case "theme":
                self.use_theme(argument)
            case "keys":
                self._show_text("\n".join(self._keys()), "keys")
            case "sessions":
                if session := await self._choose_session():
                    self._go(session)
            case "queue":
                await self._choose_of_queue()
            case "snapshots":
                await self._choose_snapshot()
            case "session":
                self._go_on(argument, text)
            case "reload":
                self._reread(json.decode(argument, type=UiSettings))
            case "settings":
                choice = await self._picked("setting", pickers.settings(await self._rows("config", "list")))
                if choice:
                    self._put(f"/config set {choice.value} ")
            case "queued":
                self._pull_back(int(argument))
            case "thinking":
                levels = [Choice(level, level) for level in get_args(Level)]
                await self._choose("thinking", levels, ChooseThinking)
            case _ as never:
                assert_never(never)

    def hear(self, event: Event) -> None:
        """What became of a choice, and of going about: the person's words are theirs again."""
        match event:
            case Entry(fact=ModelChosen(provider, model)) if ModelChosen in self._awaited:
                self._tell_choice(f"model: {provider}/{model}")
            case Entry(fact=PolicyChosen(mode)) if PolicyChosen in self._awaited:
                self._tell_choice(f"mode: {mode}")
            case Entry(fact=ThinkingChosen(level)) if ThinkingChosen in self._awaited:
                self._tell_choice(f"thinking: {level}")
            case NavigatedDelta(prompt=prompt, moved=moved):
                if prompt:
                    self._put(prompt)
                if moved:
                    self._transcript.add(NoticeBlock("info", "the conversation goes on from here:"))
                    self._transcript.show_again(self._last_said())
                else:
                    self._transcript.add(NoticeBlock("info", "the conversation stands there already"))
            case ForkedDelta(path=path, prompt=prompt) if self._is_forking:
                self._go_on(path, prompt)

    def _tell_choice(self, text: str) -> None:
        self._awaited = ()
        self._transcript.add(NoticeBlock("info", text))

    def _last_said(self) -> Sequence[Entry]:
        """The last prompt of the path, and what came of it."""
        path = path_to(*self._tree())
        said = [at for at, entry in enumerate(path) if _is_prompt(entry)]
        return path[said[-1] :] if said else ()

    def _go_on(self, session: str, text: str) -> None:
        if text:
            self._put(text)
        self._go(session)

    async def _choose_session(self) -> str | None:
        from codi.frontends.tui.session_list import SessionList  # not before somebody looks for one

        there = SessionList(self._around.beside, picked=self._picked, asked=self._asked, confirmed=self.confirm)
        return await there.choose()

    async def _choose_theme(self) -> None:
        """Each is worn as the caret goes over it; leaving the list takes the old one back."""
        before = self._wardrobe.name

        def wear(choice: Choice | None) -> None:
            if choice:
                self._wardrobe.wear(str(choice.value))
                self._canvas.repaint()

        names = self._wardrobe.names
        at = names.index(before) if before in names else 0
        choice = await self._picked("theme", [Choice(name, name) for name in names], at=at, moved=wear)
        self.use_theme(str(choice.value) if choice else before)

    async def _choose_of_queue(self) -> None:
        """What waits: enter takes it into the editor, ctrl+d drops it."""

        def choices() -> list[Choice]:
            return [Choice(line_of(item, number), number) for number, item in enumerate(self._waiting(), 1)]

        def drop(current: Choice | None) -> list[Choice]:
            rows = choices()
            if current is None or not isinstance(current.value, int) or current.value > len(rows):
                return rows
            item = self._waiting()[current.value - 1]
            self._send(Withdraw(item.line, item.at))
            left = [row.text.partition(" ")[2] for row in rows if row.value != current.value]
            return [Choice(f"{number}. {text}", number) for number, text in enumerate(left, 1)]

        choice = await self._picked("queue", choices(), keys={"ctrl+d": ("drop", drop)})
        if choice and isinstance(choice.value, int):
            self._pull_back(choice.value)

    async def _choose_snapshot(self) -> None:
        rows = await self._rows("snapshot", "list")
        choice = await self._picked("snapshot", pickers.snapshots(rows[::-1]))
        if choice is None:
            return
        ways = [
            Choice("show what became different since", f"/snapshot diff {choice.value}"),
            Choice("bring the files back", f"/snapshot restore {choice.value}"),
            Choice("bring files and conversation back", f"/snapshot restore {choice.value} --conversation"),
        ]
        way = await self._picked(f"snapshot {choice.value}", ways)
        if way:
            self._obey(str(way.value))

    def _walk(self) -> TreeWalk:
        entries, leaf = self._tree()
        return TreeWalk(entries, leaf, picked=self._picked, asked=self._asked, send=self._send)

    async def _asked(self, question: str) -> str | None:
        """A line that the person types; None where they leave."""
        answered, answers = anyio.Event(), list[str | None]()

        def answer(text: str | None) -> None:
            answers.append(text)
            answered.set()

        self._canvas.pane = LineDialog(question, answer)
        await self._until(answered)
        return answers[0]

    def use_theme(self, name: str) -> None:
        complaints = self._wardrobe.wear(name)
        if complaints is None:
            self._transcript.add(
                NoticeBlock("error", f"there is no theme {name!r}", f"There are {', '.join(self._wardrobe.names)}.")
            )
            return
        self._transcript.add(NoticeBlock("info", f"theme: {name}"))
        self.complain(complaints)
        self._canvas.repaint()

    def complain(self, complaints: Sequence[str]) -> None:
        """Say what is wrong with a theme."""
        for complaint in complaints:
            self._transcript.add(NoticeBlock("warning", complaint))

    async def _rows(self, *words: str) -> list[dict[str, Any]]:
        return rows_of((await self._around.beside((*words, "--json"))).text)

    async def _choose(self, title: str, choices: Sequence[Choice], op: Callable[[Any], Op]) -> None:
        choice = await self._picked(title, choices)
        if choice:
            self._send(op(choice.value))

    async def _picked(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        keys: Keys | None = None,
        at: int = 0,
        moved: Callable[[Choice | None], object] | None = None,
        preview: Preview | None = None,
    ) -> Choice | None:
        """What the person chooses; None where they leave the list."""
        answered, answers = anyio.Event(), list[Choice | None]()

        def chosen(choice: Choice | None) -> None:
            answers.append(choice)
            answered.set()

        self._canvas.pane = Picker(title, choices, chosen, keys=keys, at=at, moved=moved, preview=preview)
        await self._until(answered)
        return answers[0]

    async def _until(self, answered: anyio.Event) -> None:
        self._redraw()
        try:
            await answered.wait()
        finally:
            self._canvas.pane = None
            self._redraw()


def _is_prompt(entry: Entry) -> bool:
    match entry.fact:
        case MessageAdded(Message("user") as message):
            return not message.tool_results
    return False
