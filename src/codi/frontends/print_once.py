"""`codi -p "..."`: prompts go in, the answer to the last comes out on standard output, and nothing else does."""

import sys
from collections.abc import Sequence

from codi.frontends.answers import Answering
from codi.frontends.headless import run_prompts
from codi.frontends.outcome import Outcome, question_of
from codi.frontends.sanitiser import visible
from codi.protocol.conversation import Conversation
from codi.protocol.events import ApprovalAsked, CallStartDelta, Entry, Event, StatusDelta
from codi.protocol.ops import Prompt


async def print_once(
    conversation: Conversation,
    prompts: Sequence[Prompt],
    answering: Answering,
    outcome: Outcome,
    *,
    quiet: bool = False,
) -> None:
    """Print the answer. Progress goes to standard error, unless `quiet`."""

    def hear(event: Event) -> None:
        outcome.hear(event)
        if quiet:
            return
        match event:
            case CallStartDelta(tool=tool, arguments=arguments) if sys.stderr.isatty():
                what = next((str(value) for value in arguments.values()), "")
                print(visible(f"· {tool} {what}".splitlines()[0][:100]), file=sys.stderr)
            case Entry(fact=ApprovalAsked() as asked):
                print(visible(question_of(asked)).lstrip("\n"), file=sys.stderr)
            case StatusDelta(kind="retry" | "warning" | "fallback", text=text):
                print(visible(f"warning: {text}"), file=sys.stderr)
            case StatusDelta(kind="waiting", text=text, hint=hint) if hint or sys.stderr.isatty():
                print(visible(text), file=sys.stderr)

    await run_prompts(conversation, prompts, answering, hear)
    if outcome.answer:
        print(visible(outcome.answer) if sys.stdout.isatty() else outcome.answer, flush=True)
    for mark in [] if quiet else outcome.proof.marks():
        print(visible(mark), file=sys.stderr)
