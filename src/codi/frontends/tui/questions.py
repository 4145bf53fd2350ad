"""What waits for the person's answer: approvals and questions, one at a time, in the order in which they came."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import anyio

from codi.frontends.answers import MOST_RISK, Answering
from codi.frontends.tui.panes import Pane
from codi.protocol.events import ApprovalAsked, ApprovalGiven, Entry, Event, QuestionAsked, SessionOpened, TurnEnded
from codi.protocol.ops import Answer, Reply

DEAF_S = 0.2
"""So long after a dialog opened a key is not for it: it was on its way to the editor. A mark shows when it listens."""


class Dialog(Pane, Protocol):
    """`place` is which of several it is. `is_armed` when it takes keys; `is_viewing` while it shows at length what would be done."""

    place: str
    is_armed: bool
    is_viewing: bool

    @property
    def asked(self) -> ApprovalAsked | QuestionAsked: ...


class Questions:
    """`send` brings an answer to the conversation; `changed` is called when another dialog stands, or it begins to listen.
    `answering` says yes for the person where that is not dangerous."""

    def __init__(
        self,
        send: Callable[[Answer | Reply], object],
        changed: Callable[[], object],
        answering: Answering | None = None,
    ) -> None:
        self.dialog: Dialog | None = None
        """Says yes for the person where that is not dangerous."""
        self._send = send
        self._changed = changed
        self._answering = answering
        self._asked: deque[ApprovalAsked | QuestionAsked] = deque()
        self._opened = anyio.Event()

    def hear(self, event: Event) -> None:
        match event:
            case Entry(fact=ApprovalAsked(risk=risk) as asked) if self._answering and risk < MOST_RISK:
                self._send(self._answering(asked))
            case Entry(fact=ApprovalAsked() | QuestionAsked() as asked):
                self._asked.append(asked)
                self._next()
                self._count()
            case Entry(fact=ApprovalGiven(tool_call_id=call_id)):
                self._settled(call_id)
            case Entry(fact=TurnEnded() | SessionOpened()):
                self._asked.clear()
                self.dialog = None

    async def arm(self) -> None:
        """Let each dialog take keys once it has stood for a moment. Until it is cancelled."""
        while True:
            await self._opened.wait()
            self._opened = anyio.Event()
            await anyio.sleep(DEAF_S)
            if self.dialog and not self._opened.is_set():
                self.dialog.is_armed = True
                self._changed()

    def _next(self) -> None:
        if self.dialog is not None or not self._asked:
            return
        # The dialogs are loaded with the first question: many a conversation has none.
        asked = self._asked[0]
        if isinstance(asked, QuestionAsked):
            from codi.frontends.tui.question_dialogs import QuestionDialog

            self.dialog = QuestionDialog(asked, self._reply)
        else:
            from codi.frontends.tui.approval_dialog import ApprovalDialog

            self.dialog = ApprovalDialog(asked, self._send)
            self._count()
        self._opened.set()
        self._changed()

    def _count(self) -> None:
        """How many wait, also those that came while this one stood, and those that the step will ask about after it."""
        if self.dialog:
            asked = self._asked[-1]
            waiting = len(self._asked) + (asked.to_come if isinstance(asked, ApprovalAsked) else 0)
            self.dialog.place = f"1 of {waiting}" if waiting > 1 else ""

    def _reply(self, reply: Reply) -> None:
        self._send(reply)
        self._settled(reply.question)

    def _settled(self, asked_id: str) -> None:
        """A question was answered, by whomever."""
        self._asked = deque(asked for asked in self._asked if _id_of(asked) != asked_id)
        if self.dialog and _id_of(self.dialog.asked) == asked_id:
            self.dialog = None
        self._next()
        self._changed()


def _id_of(asked: ApprovalAsked | QuestionAsked) -> str:
    return asked.id if isinstance(asked, QuestionAsked) else asked.tool_call_id
