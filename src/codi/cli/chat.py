"""`codi` without a subcommand: talk, or run one shot and print the answer."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
from anyio import to_thread

from codi.cli import loop
from codi.cli.attachments import prompt_with_files
from codi.cli.beside import beside
from codi.cli.flags import check, how_trusted, is_interactive, parser, settings_of, text_or_file
from codi.cli.main import trace_of
from codi.cli.mentions import Mentions
from codi.cli.names import KnownNames
from codi.cli.start import host_for
from codi.cli.stopping import Ended, Stopping, cancel_when_ended, leave_when_ended
from codi.cli.words import COMMANDS
from codi.engine.engine import Engine
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.version import VERSION
from codi.frontends.answers import Answering, nobody, yes
from codi.frontends.chat import chat
from codi.frontends.headless import run_prompts
from codi.frontends.json_lines import print_events, write_line
from codi.frontends.outcome import Outcome
from codi.frontends.print_once import print_once
from codi.frontends.trust_by_line import ask_by_line
from codi.frontends.tui.app import App
from codi.frontends.tui.history import History
from codi.frontends.tui.opening import Opening
from codi.frontends.tui.surroundings import Surroundings
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.ops import Prompt
from codi.protocol.trusting import TrustAsked
from codi.providers.assembly import load_http
from codi.wire.characters import without_halves


def run(words: Sequence[str], opening: Opening | None = None) -> int:
    args = parser(COMMANDS).parse_args(words)
    if args.version:
        print(f"codi {VERSION}")
        return 0
    check(args)
    if args.endpoint_id:
        os.environ["RUNPOD_ENDPOINT_ID"] = args.endpoint_id
    if args.models:  # what runs beside this program cycles through the same
        os.environ["CODI_MODEL_FAVOURITES"] = args.models
    places = Places.at(args.cwd)
    interactive = is_interactive(args)
    if interactive and how_trusted(args) == "pinned" and not args.print_prompt:
        _ask_about_project(places, args, opening)
    engine = _engine(args, places, words)
    if args.print_prompt:
        print("\n\n".join(f"# from: {part.origin}\n{part.tagged}" for part in loop.run(engine.prompt_parts)))
        return 0
    prompts = _prompts(args, interactive)
    if not interactive and not prompts:
        raise UsageError("there is no prompt", hint="Say what to do: codi -p 'fix the failing test'.")
    target = _target(args, engine)
    if opening and engine.ui.mode == "plain":
        opening.withdraw()
        opening = None
    leave_when_ended()
    try:
        if interactive:
            return loop.run(_talk, engine, target, prompts, opening, places, yes if args.yes else None)
        return loop.run(_run_shot, engine, target, prompts, args, places)
    except BaseExceptionGroup as group:
        raise _alone(group) from None


def _ask_about_project(places: Places, args: Any, opening: Opening | None) -> None:
    """Before anything of a project counts. The prompt that was painted makes room meanwhile."""
    from codi.cli.trusting import ask_about  # only where somebody can be asked

    def ask(asked: TrustAsked) -> Sequence[int]:
        if opening is None:
            return ask_by_line(asked)
        opening.withdraw()
        try:
            return ask_by_line(asked)
        finally:
            opening.begin()

    ask_about(places, settings_of(args), args.config, ask)


def _alone(error: BaseException) -> BaseException:
    """What went wrong, without the groups around it."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _engine(args: Any, places: Places, words: Sequence[str]) -> Engine:
    named = {pair.partition("=")[0].strip() for pair in args.config}
    options = Options(
        keep=not args.no_session,
        name=without_halves(args.name),
        session_id=args.session_id,
        tools=() if args.no_tools else _names(args.tools),
        without_tools=_names(args.exclude_tools) or (),
        allow=tuple(args.allow),
        deny=tuple(args.deny),
        system_prompt=None if args.system_prompt is None else text_or_file(args.system_prompt),
        append_system_prompt=tuple(text_or_file(text) for text in args.append_system_prompt),
        context_files=not args.no_context_files,
        api_key=args.api_key,
        require_evidence=args.require_evidence,
        model_given=bool(args.model or args.provider or args.base_url or "model.default" in named),
        thinking_given=args.thinking is not None or "model.thinking" in named,
        mode_given=args.permission_mode is not None or "permission_mode" in named,
        record=os.path.abspath(args.record) if args.record else "",
        replay=os.path.abspath(args.replay) if args.replay else "",
        cwd_given=args.cwd is not None,
        someone_answers=is_interactive(args),
        flags=tuple(word.partition("=")[0] for word in words if word.startswith("--")),
    )
    return host_for(places, settings_of(args), options, pairs=args.config, how=how_trusted(args))


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _target(args: Any, engine: Engine) -> str | None:
    """The session that is meant; None for a new one."""
    if args.go_on:
        return engine.newest()
    if args.fork is not None:
        return engine.fork(args.fork)
    if args.resume == "":
        raise UsageError("--resume needs to know which session", hint="codi sessions lists them; -c takes the newest.")
    named: str | None = args.resume or args.session
    return named


def _prompts(args: Any, interactive: bool) -> list[Prompt]:
    """What was said on the command line, files and standard input included. The files go with the first prompt."""
    words = [*(args.shot or []), *(word for word in args.prompt if not word.startswith("@") and word != "-")]
    texts: list[str] = [text for text in without_halves(words) if text.strip()]
    files = [word[1:] for word in args.prompt if word.startswith("@") and len(word) > 1]
    piped = "" if interactive or (sys.stdin is None or sys.stdin.isatty()) else _standard_input()
    if piped.strip():
        texts[:1] = [f"{texts[0]}\n{piped}" if texts else piped]
    if files:
        texts = texts or [""]
    prompts = [Prompt(text) for text in texts]
    if files:
        prompts[0] = prompt_with_files(prompts[0].text, files)
    return prompts


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode("utf-8-sig", errors="replace")


async def _talk(
    engine: Engine,
    target: str | None,
    prompts: Sequence[Prompt],
    opening: Opening | None,
    places: Places,
    answering: Answering | None,
) -> int:
    ended = Ended()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_when_ended, ended, tasks.cancel_scope)
        if opening:
            await _in_terminal(engine, target, prompts, opening, places, answering)
        else:
            async with engine.open(target) as conversation:
                for warning in conversation.warnings:
                    print(f"warning: {warning}", file=sys.stderr)
                await chat(conversation, conversation.greeting, prompts, answering)
        tasks.cancel_scope.cancel()
    return 128 + ended.signal if ended.signal else 0


async def _in_terminal(
    engine: Engine,
    target: str | None,
    prompts: Sequence[Prompt],
    opening: Opening,
    places: Places,
    answering: Answering | None,
) -> None:
    """One conversation after the other, as the person goes from one to the next."""
    kept = os.environ.get("CODI_HISTORY_FILE") or f"{places.home}/history"
    history = History(kept, places.cwd, engine.is_secret)
    names = KnownNames(engine, places)
    mentions = Mentions(places.cwd, places.root, lambda: names.of("file"))
    around = Surroundings(
        places.cwd,
        beside,
        history,
        names.of,
        names.refresh,
        mentions.found_in,
        engine.ui,
        answering,
        engine.theme_folders,
    )
    going: str | None = target or ""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(names.learn)
        is_first = True
        while going is not None:
            async with engine.open(going or None) as conversation:
                if is_first:  # it begins when the application first waits, and all is painted
                    tasks.start_soon(partial(to_thread.run_sync, load_http, abandon_on_cancel=True))
                    is_first = False
                app = App(opening, conversation, around, greeting=conversation.greeting)
                await app.run(prompts)
            going, prompts = app.next, ()
        tasks.cancel_scope.cancel()


async def _run_shot(engine: Engine, target: str | None, prompts: Sequence[Prompt], args: Any, places: Places) -> int:
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
