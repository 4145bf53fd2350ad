"""`codi log`: what codi did beside the conversation; `codi log network` lists every connection that it made."""

from collections.abc import Sequence
from datetime import UTC, datetime

from codi.cli.flags import Parser, add_general
from codi.cli.moments import moment
from codi.cli.printing import print_json, print_table
from codi.engine.places import Places
from codi.insights.network_log import NetworkLog


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi log", description="What codi did beside the conversation.")
    parser.add_argument("action", choices=("network",), help="every connection: when, where, for what, how much")
    parser.add_argument("--since", metavar="T", help="a date, a time, or so long ago (12h, 7d)")
    add_general(parser)
    args = parser.parse_args(words)
    since = datetime.fromtimestamp(moment(args.since), UTC) if args.since else None
    lines = NetworkLog(Places.at(args.cwd).home).all(since)
    if args.json:
        for line in lines:
            print_json(line)
        return 0
    print_table(
        ("time", "host", "address", "port", "purpose", "asked by", "up", "down", "verdict"),
        (
            (
                f"{line.time:%Y-%m-%dT%H:%M:%SZ}",
                line.host,
                line.address,
                str(line.port),
                line.purpose,
                line.asked_by,
                str(line.up),
                str(line.down),
                line.verdict,
            )
            for line in lines
        ),
    )
    return 0
