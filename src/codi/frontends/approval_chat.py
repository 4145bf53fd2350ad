"""Being asked for permission in a plain conversation: what is wanted is shown whole, and every answer is a word."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from codi.frontends.answers import MOST_RISK, Answering
from codi.frontends.approval_text import escaped, shown_approval
from codi.protocol.effects import Allow, Deny
from codi.protocol.events import ApprovalAsked, Event, RuleTriedDelta
from codi.protocol.ops import Answer, Op, TryRule


class ApprovalChat:
    """`line` asks the person something, `say` prints, `show` shows a text to its end or is told no, `answer` sends an op that only
    looks and gives what is told of it. `answering` says yes for the person where it is not dangerous."""

    def __init__(
        self,
        *,
        line: Callable[[str], Awaitable[str | None]],
        say: Callable[[str], object],
        show: Callable[[str], Awaitable[bool]],
        answer: Callable[[Op], Awaitable[Event]],
        answering: Answering | None,
    ) -> None:
        self._line = line
        self._say = say
        self._show = show
        self._look = answer
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
        kept = ", s for this session, a always" if offers else ""
        yes_word = "yes (the whole word)" if risky else "y"
        question = f"Approve: {yes_word} or n (Enter: n){kept}, e edit, v view, x end the turn, or say why not: "
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
                case "v" | "view":
                    await self._show(shown_approval(asked))
                case "e" | "edit":
                    if edited := await self._edited(asked, yes):
                        return edited
                case "x" | "exit":
                    return replace(no, abort=True)
                case "d":
                    why = (await self._line("Why not: ") or "").strip()
                    return replace(no, verdict=Deny(why, by="person"))
                case "" | "n" | "no":
                    return no
                case "y" | "s" | "a":
                    self._say(
                        "type the whole word yes" if answer.lower() == "y" else "no rule is kept for a call like this"
                    )
                case _:
                    return replace(no, verdict=Deny(answer, by="person"))

    async def _once(self, asked: ApprovalAsked, yes: Answer) -> Answer:
        """Yes, and whether the rule is wanted that now suggests itself."""
        if asked.suggested is None:
            return yes
        self._say(f"you allowed this before; the rule {asked.suggested} would do it from now on in this project")
        keep = (await self._line("Keep the rule: y or n (Enter: n, it is not offered again): ") or "").strip().lower()
        if keep in ("y", "yes"):
            return replace(yes, rule=asked.suggested, remember="project")
        return replace(yes, refused=True)

    async def _always(self, asked: ApprovalAsked, yes: Answer) -> Answer | None:
        """Yes, with a rule that the person may change first; None to go back."""
        text = (await self._line(f"The rule (Enter: {asked.offers[0]}): ") or "").strip() or asked.offers[0]
        tried = await self._look(TryRule(text))
        if not isinstance(tried, RuleTriedDelta) or tried.problem:
            self._say(f"error: {tried.problem if isinstance(tried, RuleTriedDelta) else 'the rule was not tried'}")
            return None
        for match in tried.matches:
            self._say(f"  would also have allowed: {match}")
        match (
            (await self._line("Keep it: p for this project, u for you everywhere, or n (Enter: n): ") or "")
            .strip()
            .lower()
        ):
            case "p" | "project" | "y":
                return replace(yes, rule=text, remember="project")
            case "u" | "user":
                return replace(yes, rule=text, remember="user")
        return None

    async def _edited(self, asked: ApprovalAsked, yes: Answer) -> Answer | None:
        """Yes to other arguments; None to go back."""
        now = msgspec.json.encode(asked.arguments).decode()
        line = (await self._line(f"{escaped(now)}\nThe arguments instead, as JSON (Enter: back): ") or "").strip()
        if not line:
            return None
        try:
            return replace(yes, changed=msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError) as error:
            self._say(f"error: these are no arguments: {error}")
            return None
