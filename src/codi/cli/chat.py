"""`codi` without a subcommand: talk, or run one shot and print the answer."""

import signal
import sys
from collections.abc import Sequence
from typing import Any

import anyio

from codi.cli.attachments import prompt_with_files
from codi.cli.flags import check, is_interactive, parser, settings_of, text_or_file
from codi.cli.main import COMMANDS
from codi.cli.start import host_for
from codi.engine.engine import Engine
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.version import VERSION
from codi.frontends.answers import nobody, yes
from codi.frontends.chat import chat
from codi.frontends.headless import run_prompts
from codi.frontends.json_lines import print_events, write_line
from codi.frontends.outcome import Outcome
from codi.frontends.print_once import print_once
from codi.protocol.conversation import Conversation
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.ops import Interrupt, Prompt

_TWICE_S = 2.0


def run(words: Sequence[str]) -> int:
    args = parser(COMMANDS).parse_args(words)
    if args.version:
        print(f"codi {VERSION}")
        return 0
    check(args)
    places = Places.at(args.cwd)
    engine = _engine(args, places, words)
    if args.print_prompt:
        print("\n\n".join(f"# from: {part.origin}\n{part.tagged}" for part in anyio.run(engine.prompt_parts)))
        return 0
    interactive = is_interactive(args)
    prompts = _prompts(args, interactive)
    if not interactive and not prompts:
        raise UsageError("there is no prompt", hint="Say what to do: codi -p 'fix the failing test'.")
    target = _target(args, engine)
    if interactive:
        return anyio.run(_talk, engine, target, prompts)
    return anyio.run(_run_shot, engine, target, prompts, args, places)


def _engine(args: Any, places: Places, words: Sequence[str]) -> Engine:
    named = {pair.partition("=")[0].strip() for pair in args.config}
    options = Options(
        keep=not args.no_session,
        name=args.name,
        tools=() if args.no_tools else _names(args.tools),
        without_tools=_names(args.exclude_tools) or (),
        allow=tuple(args.allow),
        deny=tuple(args.deny),
        system_prompt=None if args.system_prompt is None else text_or_file(args.system_prompt),
        append_system_prompt=tuple(text_or_file(text) for text in args.append_system_prompt),
        context_files=not args.no_context_files,
        api_key=args.api_key,
        model_given=bool(args.model or args.provider or args.base_url or "model.default" in named),
        thinking_given=args.thinking is not None or "model.thinking" in named,
        mode_given=args.permission_mode is not None or "permission_mode" in named,
        cwd_given=args.cwd is not None,
        flags=tuple(word.partition("=")[0] for word in words if word.startswith("--")),
    )
    return host_for(places, settings_of(args), options, pairs=args.config, trusted=args.trust_project)


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _target(args: Any, engine: Engine) -> str | None:
    """The session that is meant; None for a new one."""
    if args.go_on:
        return engine.newest()
    if args.fork:
        return engine.fork(args.fork)
    if args.resume == "":
        raise UsageError("--resume needs to know which session", hint="codi sessions lists them; -c takes the newest.")
    named: str | None = args.resume or args.session
    return named


def _prompts(args: Any, interactive: bool) -> list[Prompt]:
    """What was said on the command line, files and standard input included. The files go with the first prompt."""
    texts = [*(args.shot or []), *(word for word in args.prompt if not word.startswith("@") and word != "-")]
    files = [word[1:] for word in args.prompt if word.startswith("@") and len(word) > 1]
    piped = "" if interactive or (sys.stdin is None or sys.stdin.isatty()) else sys.stdin.read()
    if piped.strip():
        texts[:1] = [f"{texts[0]}\n{piped}" if texts else piped]
    if files:
        texts = texts or [""]
    prompts = [Prompt(text) for text in texts]
    if files:
        prompts[0] = prompt_with_files(prompts[0].text, files)
    return prompts


async def _talk(engine: Engine, target: str | None, prompts: Sequence[Prompt]) -> int:
    async with engine.open(target) as conversation:
        await chat(conversation, conversation.greeting, prompts)
    return 0


async def _run_shot(engine: Engine, target: str | None, prompts: Sequence[Prompt], args: Any, places: Places) -> int:
    outcome = Outcome(require_permission=args.require_permission == "yes")
    form = args.output_format or {"json": "stream-json"}.get(args.mode, "text")
    answering = yes if args.yes else nobody
    session_id, session_file, killed = "", None, 0
    try:
        async with engine.open(target) as conversation, anyio.create_task_group() as tasks:
            session_id = conversation.session_id
            signals = _Signals(conversation, tasks.cancel_scope, outcome)
            tasks.start_soon(signals.watch)
            outcome.warnings += [*engine.warnings, *conversation.warnings]
            if args.verbose:
                print(conversation.greeting, file=sys.stderr)
            if form == "stream-json":
                await print_events(conversation, prompts, answering, outcome, places.cwd)
            elif form == "json":
                await run_prompts(conversation, prompts, answering, outcome.hear)
            else:
                for warning in conversation.warnings:
                    print(f"warning: {warning}", file=sys.stderr)
                await print_once(conversation, prompts, answering, outcome, quiet=args.quiet)
            session_file = conversation.session_file
            tasks.cancel_scope.cancel()
        killed = signals.killed_by
    except CodiError as error:
        if form == "text" or error.exit_status == 2:
            raise
        outcome.fail(str(error), error.hint, error.code)
    if form != "text":
        write_line(outcome.as_json(session_id=session_id, session_file=session_file, cwd=places.cwd))
    else:
        _tell_end(outcome)
    return 128 + killed if killed else outcome.exit_status


def _tell_end(outcome: Outcome) -> None:
    if outcome.kind == "permission":
        print(
            "error: a permission was needed and nobody could give it\nhint: Allow it with --allow RULE, or everything that is "
            "not dangerous with -y.",
            file=sys.stderr,
        )
    elif outcome.kind in ("error", "limit") and outcome.reason:
        print(f"error: {outcome.reason}\nhint: {outcome.hint}", file=sys.stderr)


class _Signals:
    """The first SIGINT interrupts the turn, a second within two seconds ends codi; SIGTERM and SIGHUP end it in good order."""

    def __init__(self, conversation: Conversation, everything: anyio.CancelScope, outcome: Outcome) -> None:
        self.killed_by = 0
        self._conversation = conversation
        self._everything = everything
        self._outcome = outcome

    async def watch(self) -> None:
        last = -_TWICE_S
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            async for number in signals:
                if number != signal.SIGINT:
                    self.killed_by = number
                    self._everything.cancel()
                elif anyio.current_time() - last < _TWICE_S:
                    self._outcome.interrupted()
                    self._everything.cancel()
                else:
                    last = anyio.current_time()
                    self._outcome.interrupted()
                    await self._conversation.send(Interrupt())
