"""One run without a person: the prompts go in, the answer is printed, and the exit status tells how it went."""

import sys
from collections.abc import Sequence
from typing import Any

import anyio

from codi.cli.main import trace_of
from codi.cli.stopping import Stopping
from codi.engine.engine import Engine
from codi.engine.places import Places
from codi.frontends.answers import nobody, yes
from codi.frontends.headless import run_prompts
from codi.frontends.outcome import Outcome
from codi.frontends.print_once import print_once
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.ops import Prompt


async def run_shot(engine: Engine, target: str | None, prompts: Sequence[Prompt], args: Any, places: Places) -> int:
    outcome = Outcome(require_permission=args.require_permission == "yes")
    form = args.output_format or {"json": "stream-json"}.get(args.mode, "text")
    answering = yes if args.yes else nobody
    stopping = Stopping()
    async with anyio.create_task_group() as tasks:
        await tasks.start(stopping.watch, tasks.cancel_scope)
        try:
            async with engine.open(target) as conversation:
                stopping.conversation = conversation
                outcome.warnings += [*engine.warnings, *conversation.warnings]
                origin = conversation.origin
                outcome.model = {"provider": origin.provider, "id": origin.model, "thinking": conversation.thinking}
                if args.verbose:
                    print(conversation.greeting, file=sys.stderr)
                if form == "stream-json":
                    from codi.frontends.json_lines import print_events

                    await print_events(conversation, prompts, answering, outcome, places.cwd)
                elif form == "json":
                    await run_prompts(conversation, prompts, answering, outcome.hear)
                else:
                    for warning in conversation.warnings:
                        print(f"warning: {warning}", file=sys.stderr)
                    await print_once(conversation, prompts, answering, outcome, quiet=args.quiet)
        except CodiError as error:
            if error.exit_status == UsageError.exit_status:
                raise
            if args.debug:
                print(trace_of(error), end="", file=sys.stderr)
            outcome.fail(str(error), error.hint, error.code)
        tasks.cancel_scope.cancel()
    if stopping.interrupted:
        outcome.interrupted(stopping.signal)
    if form != "text":
        told = stopping.conversation
        session_id, session_file = (told.session_id, told.session_file) if told else ("", None)
        from codi.frontends.json_lines import write_line

        write_line(outcome.as_json(session_id=session_id, session_file=session_file, cwd=places.cwd))
    _tell_end(outcome)
    return outcome.exit_status


def _tell_end(outcome: Outcome) -> None:
    if outcome.kind == "permission":
        print(
            "error: a permission was needed and nobody could give it\nhint: Allow it with --allow RULE, or everything that is "
            "not dangerous with -y.",
            file=sys.stderr,
        )
    elif outcome.kind in ("error", "limit", "unbacked") and outcome.reason:
        print(f"error: {outcome.reason}\nhint: {outcome.hint}", file=sys.stderr)
