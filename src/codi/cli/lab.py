"""`codi lab`: scripted model servers, and the scenarios that they play."""

import os
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json, print_table
from codi.engine.places import Places
from codi.lab.library import scenario, scenario_names, script_named
from codi.lab.repository import REPOSITORIES
from codi.providers.script import in_order


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi lab", description="Scripted models behind real wire formats, for trying and testing.")
    actions = parser.add_subparsers(dest="action", metavar="list|serve|check", required=True)
    listing = actions.add_parser("list", help="the scenarios that ship with codi")
    serving = actions.add_parser("serve", help="serve a scenario on loopback until Ctrl-C")
    serving.add_argument("scenario", metavar="SCENARIO", help="a name of the list, or a YAML or JSON file")
    serving.add_argument("--port", type=int, default=0, metavar="N", help="0 takes a free one (0)")
    serving.add_argument("--lenient", action="store_true", help="validate nothing, answer as fast as possible")
    checking = actions.add_parser("check", help="say whether a scenario can be played")
    checking.add_argument("scenario", metavar="SCENARIO")
    for each in (listing, serving, checking):
        add_general(each)
    args = parser.parse_args(words)
    os.chdir(Places.at(args.cwd).cwd)
    if args.action == "serve":
        from codi.cli.serving import serve_script  # a server: not before it is wanted

        return serve_script(script_named(args.scenario), args.port, strict=not args.lenient, quiet=args.quiet)
    return _list(args) if args.action == "list" else _check(args)


def _list(args: Any) -> int:
    scripts = [(name, scenario(name)) for name in scenario_names()]
    if args.json:
        for name, script in scripts:
            print_json({"name": name, "description": script.description, "demo": name in REPOSITORIES})
    else:
        print_table(["scenario", "what the model does"], ([name, script.description] for name, script in scripts))
    return 0


def _check(args: Any) -> int:
    script = script_named(args.scenario)  # raises, naming file and step
    steps = len(in_order(script.steps)) + sum(len(in_order(branch.steps)) for branch in script.branches)
    if args.json:
        print_json({"scenario": args.scenario, "ok": True, "steps": steps, "branches": len(script.branches)})
    else:
        print(f"{args.scenario}: {steps} {'step' if steps == 1 else 'steps'}, nothing to complain of")
    return 0
