"""Asking the person what a model wants to know, and waiting for the answer. One question stands at a time."""

from uuid import uuid4

import anyio

from codi.agent.record import Record
from codi.protocol.events import QuestionAsked
from codi.protocol.ops import Reply
from codi.tools.ask_person import AskPerson


class Questions:
    def __init__(self, record: Record) -> None:
        self._record = record
        self._turn = anyio.Lock()
        self._open: str | None = None
        self._answered = anyio.Event()
        self._reply: Reply | None = None

    async def ask(self, asked: AskPerson) -> Reply:
        """Keep the question, show it, and wait until it is answered."""
        async with self._turn:
            self._open, self._answered, self._reply = uuid4().hex[:8], anyio.Event(), None
            self._record.keep(
                QuestionAsked(
                    id=self._open,
                    question=asked.question,
                    options=asked.options,
                    multiple=asked.multiple,
                    free_text=asked.free_text,
                )
            )
            try:
                await self._answered.wait()
            finally:
                self._open = None
            assert self._reply is not None
            return self._reply

    def answer(self, reply: Reply) -> bool:
        """Bring an answer to the open question; False if that one is not being asked."""
        if self._open != reply.question or self._reply is not None:
            return False
        self._reply = reply
        self._answered.set()
        return True
