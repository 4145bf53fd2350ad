"""Being asked for permission in a plain conversation: what is wanted is shown whole, and every answer is a word."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from codi.frontends.answers import MOST_RISK, Answering
from codi.frontends.approval_text import escaped, shown_approval
from codi.frontends.sanitiser import visible
from codi.protocol.conversation import Conversation
from codi.protocol.effects import Allow, Deny
from codi.protocol.events import ApprovalAsked, Event, RuleTriedDelta
from codi.protocol.ops import Answer, TryRule


class ApprovalChat:
    """`line` asks the person something, `show` shows a text to its end or is told no, `hear` gets what happens meanwhile.
    `answering` says yes for them where it is not dangerous."""

    def __init__(
        self,
        conversation: Conversation,
        events: AsyncIterator[Event],
        line: Callable[[str], Awaitable[str | None]],
        show: Callable[[str], Awaitable[bool]],
        hear: Callable[[Event], None],
        answering: Answering | None,
    ) -> None:
        self._conversation = conversation
        self._events = events
        self._line = line
        self._show = show
        self._hear = hear
        self._answering = answering

    async def ask(self, asked: ApprovalAsked) -> Answer:
        if self._answering and asked.risk < MOST_RISK:
            return self._answering(asked)
        call, offers = asked.tool_call_id, asked.offers
        who = os.environ.get("LOGNAME") or os.environ.get("USER")
        no = Answer(call, Deny(by="person"), binding=asked.binding, who=who)
        if not await self._show(shown_approval(asked)):
            return no
        yes = replace(no, verdict=Allow(by="person"))
        risky = asked.risk >= MOST_RISK
        kept = ", for this [s]ession, [a]lways" if offers else ""
        question = (
            f"{'yes (the whole word)' if risky else '[y]es'}, [N]o{kept}, [e]dit, e[x]it the turn, or say why not: "
        )
        while True:
            answer = (await self._line(question) or "").strip()
            match answer.lower():
                case "yes":
                    return await self._once(asked, yes)
                case "y" if not risky:
                    return await self._once(asked, yes)
                case "s" | "session" if offers:
                    return replace(yes, rule=offers[0])
                case "a" | "always" if offers:
                    if with_rule := await self._always(asked, yes):
                        return with_rule
                case "e" | "edit":
                    if edited := await self._edited(asked, yes):
                        return edited
                case "x" | "exit":
                    return replace(no, abort=True)
                case "d":
                    why = (await self._line("why not: ") or "").strip()
                    return replace(no, verdict=Deny(why, by="person"))
                case "" | "n" | "no":
                    return no
                case "y" | "s" | "a":
                    print(
                        "type the whole word yes" if answer.lower() == "y" else "no rule is kept for a call like this"
                    )
                case _:
                    return replace(no, verdict=Deny(answer, by="person"))

    async def _once(self, asked: ApprovalAsked, yes: Answer) -> Answer:
        """Yes, and whether the rule is wanted that now suggests itself."""
        if asked.suggested is None:
            return yes
        print(visible(f"you allowed this before; the rule {asked.suggested} would do it from now on in this project"))
        keep = (await self._line("keep the rule? [y]es, [N]o (it is not offered again): ") or "").strip().lower()
        if keep in ("y", "yes"):
            return replace(yes, rule=asked.suggested, remember="project")
        return replace(yes, refused=True)

    async def _always(self, asked: ApprovalAsked, yes: Answer) -> Answer | None:
        """Yes, with a rule that the person may change first; None to go back."""
        text = (await self._line(visible(f"the rule, Enter for {asked.offers[0]}: ")) or "").strip() or asked.offers[0]
        await self._conversation.send(TryRule(text))
        async for event in self._events:
            if isinstance(event, RuleTriedDelta):
                break
            self._hear(event)
        else:
            return None
        if event.problem:
            print(visible(f"error: {event.problem}"))
            return None
        for match in event.matches:
            print(visible(f"  would also have allowed: {match}"))
        match (await self._line("keep it for this [p]roject, for the [u]ser everywhere, [N]o: ") or "").strip().lower():
            case "p" | "project" | "y":
                return replace(yes, rule=text, remember="project")
            case "u" | "user":
                return replace(yes, rule=text, remember="user")
        return None

    async def _edited(self, asked: ApprovalAsked, yes: Answer) -> Answer | None:
        """Yes to other arguments; None to go back."""
        now = msgspec.json.encode(asked.arguments).decode()
        line = (
            await self._line(visible(f"{escaped(now)}\nthe arguments instead, as JSON (Enter: back): ")) or ""
        ).strip()
        if not line:
            return None
        try:
            return replace(yes, changed=msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError) as error:
            print(visible(f"error: these are no arguments: {error}"))
            return None
