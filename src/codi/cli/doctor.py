"""`codi doctor`: what works here, what is missing and how to get it, what is broken and how to mend it."""

from collections.abc import Sequence

from codi.cli.flags import Parser, add_general


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi doctor", description="What works here, what is missing, and what is broken.")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    parser.add_argument("--sandbox", choices=("off", "auto", "require"), help="as it would be with this flag")
    add_general(parser)
    args = parser.parse_args(words)
    from codi.cli import health  # all of codi: not before it is wanted

    return health.tell(args)
