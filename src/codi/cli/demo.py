"""`codi demo`: the main job on a scripted model, with the real tools, in a scratch repository. Needs no key and no network."""

import os
from collections.abc import Sequence

from msgspec import structs

from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json
from codi.engine.places import Places
from codi.frontends.sanitiser import visible
from codi.lab.report import Report
from codi.lab.repository import REPOSITORIES

_DEFAULT = "fix-the-test"


def run(words: Sequence[str]) -> int:
    parser = Parser(
        prog="codi demo",
        description="The main job on a scripted model, with the real tools, in a scratch repository. Needs no key.",
        epilog=f"scenarios: {', '.join(REPOSITORIES)}",
    )
    parser.add_argument("name", nargs="?", default=_DEFAULT, metavar="NAME", help=f"the scenario ({_DEFAULT})")
    parser.add_argument("--server", type=int, metavar="PORT", help="serve the scenario to other programs until Ctrl-C")
    parser.add_argument("--keep", action="store_true", help="leave the scratch repository behind")
    add_general(parser)
    args = parser.parse_args(words)
    from codi.lab.demo import play, playable  # servers and subprocesses: not before they are wanted

    os.chdir(Places.at(args.cwd).cwd)
    script = playable(args.name)
    if args.server is not None:
        from codi.cli.serving import serve_script

        # Whoever tries it out will want to try again.
        return serve_script(structs.replace(script, loop=True), args.server, quiet=args.quiet)
    silent = args.json or args.quiet
    report = play(args.name, keep=args.keep, show=lambda line: None if silent else print(visible(line), flush=True))
    if args.json:
        print_json(report)
    else:
        _tell(report, keep=args.keep, quiet=args.quiet)
    return 0 if report.passed else 1


def _tell(report: Report, *, keep: bool, quiet: bool) -> None:
    if not quiet:
        print(f"\nwhat changed\n\n{visible(report.diff).rstrip() or '(nothing)'}\n")
    for check in report.checks:
        if not quiet or not check.passed:
            print(f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {visible(check.detail)}")
    if not quiet:
        print(f"\nsession     {report.session_file}")
        print(f"            codi sessions show {report.session_id}")
        if keep:
            print(f"repository  {report.repository}")
    print(f"{'PASS' if report.passed else 'FAIL'} demo {report.scenario} in {report.seconds:.1f} s")
    if not quiet:
        print(
            "\nWith a real model: set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, AZURE_OPENAI_API_KEY or\n"
            "OPENROUTER_API_KEY, or start a local server (ollama serve). Then, in a project of yours:\n"
            "  codi -p 'fix the failing test'\n"
            "  codi"
        )
