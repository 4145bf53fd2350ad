"""`codi` without a subcommand: talk, or run one shot and print the answer."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from codi.cli.flags import check, how_trusted, is_interactive, parser, settings_of, text_or_file
from codi.cli.leaving import leave_when_ended
from codi.cli.painted import Painted
from codi.cli.settling import Settled, settled
from codi.cli.words import COMMANDS
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.trust.manifest import manifest
from codi.engine.version import VERSION
from codi.frontends.answers import yes
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.ops import Prompt
from codi.protocol.trusting import TrustAsked
from codi.wire.characters import without_halves


def run(words: Sequence[str], opening: Painted | None = None) -> int:
    args = parser(COMMANDS).parse_args(words)
    if args.version:
        print(f"codi {VERSION}")
        return 0
    check(args)
    if args.endpoint_id:
        os.environ["RUNPOD_ENDPOINT_ID"] = args.endpoint_id
    _give_on(args)
    if args.models:  # what runs beside this program cycles through the same
        os.environ["CODI_MODEL_FAVOURITES"] = args.models
    places = Places.at(args.cwd)
    interactive = is_interactive(args)
    if interactive and how_trusted(args) == "pinned" and not args.print_prompt:
        _ask_about_project(places, args, opening)
    start = _settled(args, places, words)
    if args.print_prompt:
        from codi.cli import loop
        from codi.cli.receiving import reception_of

        reception = reception_of(places, start)
        print("\n\n".join(f"# from: {part.origin}\n{part.tagged}" for part in loop.run(reception.engine.prompt_parts)))
        return 0
    prompts = _prompts(args, interactive)
    if not interactive and not prompts:
        raise UsageError("there is no prompt", hint="Say what to do: codi -p 'fix the failing test'.")
    if opening and (args.ui == "plain" or (args.ui is None and start.settings.ui.mode == "plain")):
        opening.withdraw()
        opening = None
    leave_when_ended()
    above: list[str] | None = None
    beginning = None
    if opening:
        if not args.quiet:
            from codi.cli.header import header

            above = header(places, with_files=not args.no_context_files)
        if not _goes_on(args):
            from codi.engine.beginning import beginning_of, greeting_of

            beginning = beginning_of(places, start.settings, start.options, os.environ)
            if beginning and above is not None:
                opening.greet("\n".join([greeting_of(beginning.choice), *above]))
    # Who is greeted need not wait for these.
    from codi.cli import loop
    from codi.cli.receiving import reception_of

    reception = reception_of(places, start)
    command = _choosing(args, reception, asks=interactive and not prompts)
    target = None if command else _target(args, reception)
    try:
        # Each way to talk loads its own frontend, and none of the others.
        if not interactive:
            from codi.cli.shot import run_shot

            return loop.run(run_shot, reception.engine, target, prompts, args, places)
        answering = yes if args.yes else None
        if opening is None:
            from codi.cli.talk import talk

            return loop.run(talk, reception, target, prompts, places, answering, command)
        terminal = import_module("codi.cli.terminal").talk
        status: int = loop.run(
            terminal, reception, target, prompts, opening, places, answering, above, beginning, command
        )
        return status
    except BaseExceptionGroup as group:
        raise _alone(group) from None


def _give_on(args: Any) -> None:
    """What a flag says of the interface holds also for what runs beside this program, which /reload asks what is set."""
    given = dict(pair.split("=", 1) for pair in args.config if pair.startswith("ui.") and "=" in pair)
    if args.theme:
        given["ui.theme"] = args.theme
    for name, value in given.items():
        os.environ[f"CODI_{name.replace('.', '_').upper()}"] = value


def _ask_about_project(places: Places, args: Any, opening: Painted | None) -> None:
    """Before anything of a project counts. The prompt that was painted makes room meanwhile."""
    if not manifest(places):
        return
    # Only where there is something to ask about.
    from codi.cli.trusting import ask_about
    from codi.frontends.trust_by_line import ask_by_line

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


def _settled(args: Any, places: Places, words: Sequence[str]) -> Settled:
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
    return settled(places, settings_of(args), options, args.config, how_trusted(args))


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _choosing(args: Any, reception: Any, *, asks: bool) -> str:
    """The command that lets the person choose the session, where none was named or several are meant; empty where there is
    nothing to choose, or nobody who could."""
    if not asks or args.resume is None:
        return ""
    if args.resume == "":
        return "/resume"
    from codi.sessions.resume import SeveralMatch  # for who names a session

    try:
        reception.shelf.path_of(args.resume)
    except SeveralMatch:
        return f"/resume {args.resume}"
    except CodiError:
        pass  # told where it is opened
    return ""


def _goes_on(args: Any) -> bool:
    """Whether a session that there is already is meant."""
    return args.go_on or any(named is not None for named in (args.fork, args.resume, args.session))


def _target(args: Any, reception: Any) -> str | None:
    """The session that is meant; None for a new one."""
    if args.go_on:
        newest: str = reception.shelf.newest()
        return newest
    if args.fork is not None:
        fork: str = reception.engine.fork(args.fork)
        return fork
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
        from codi.cli.attachments import prompt_with_files

        prompts[0] = prompt_with_files(prompts[0].text, files)
    return prompts


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode("utf-8-sig", errors="replace")
