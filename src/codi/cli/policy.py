"""`codi policy`: what is allowed, why, and the rules that say so."""

import sys
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import MODES, Parser, add_general


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi policy", description="The rules: shown, tried, added and removed.")
    actions = parser.add_subparsers(
        dest="action", metavar="list|explain|test|check|add|rm|export|import", required=True
    )
    listing = actions.add_parser("list", help="the rules that are kept, and those of repository, settings and flags")
    what = listing.add_mutually_exclusive_group()
    what.add_argument("--sets", action="store_true", help="the named sets of rules")
    what.add_argument("--rules", action="store_true", help="those that are in force apart from those that are not")
    explain = actions.add_parser(
        "explain", help="each simple command of a line, the rules that matched, and what decided"
    )
    test = actions.add_parser(
        "test", help="whether a command is allowed: exit status 0, 3 if it asks, 1 if it is denied"
    )
    for each in (explain, test):
        each.add_argument("command", metavar="CMD")
    check = actions.add_parser("check", help="lines {cmd, cwd?} in, one verdict a line out")
    check.add_argument("--jsonl", action="store_true", required=True, help="as JSON lines")
    add = actions.add_parser("add", help="keep a rule, such as 'run(npm test)', 'write(src/**)' or 'run(@run-tests)'")
    add.add_argument("rule", metavar="RULE")
    decision = add.add_mutually_exclusive_group()
    for name in ("allow", "ask", "deny"):
        decision.add_argument(f"--{name}", dest="decision", action="store_const", const=name, default="allow")
    scope = add.add_mutually_exclusive_group()
    scope.add_argument("--project", dest="scope", action="store_const", const="project", help="in this project alone")
    scope.add_argument("--user", dest="scope", action="store_const", const="user", default="user", help="everywhere")
    add.add_argument(
        "--regex", action="store_true", help="RULE is a regular expression of commands to ask about or deny"
    )
    add.add_argument("--match", action="append", default=[], metavar="EXAMPLE", help="what it must cover")
    add.add_argument("--not-match", action="append", default=[], metavar="EXAMPLE", help="what it must not cover")
    add.add_argument("--why", default="", metavar="TEXT")
    add.add_argument("--expires", default="", metavar="DATE")
    remove = actions.add_parser("rm", help="take a rule away")
    remove.add_argument("id", metavar="ID")
    export = actions.add_parser("export", help="the rules that are kept, as a file for import")
    bring = actions.add_parser("import", help="keep the rules of an exported file")
    bring.add_argument("file", metavar="F|-")
    for each in (listing, explain, test, check, add, remove, export, bring):
        each.add_argument(
            "--mode", "--permission-mode", dest="permission_mode", choices=MODES, help="as if in this mode"
        )
        if each in (listing, explain, test, check):
            each.add_argument("--allow", dest="allowing", action="append", default=[], metavar="RULE")
            each.add_argument("--deny", dest="denying", action="append", default=[], metavar="RULE")
        each.add_argument("--trust-project", action="store_true", help="as if the project were trusted")
        add_general(each)
    args = parser.parse_args(words)
    from codi.cli import policy_work  # the rules and all they need: not before it is wanted

    work: Any = getattr(policy_work, {"list": "list_all", "import": "bring"}.get(args.action, args.action))
    return int(work(args, sys.stdin.buffer if sys.stdin else None))
