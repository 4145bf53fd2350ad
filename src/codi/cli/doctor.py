"""`codi doctor`: what works here, what is missing and how to get it, what is broken and how to mend it."""

from collections.abc import Sequence

from codi.cli.flags import Parser, add_general


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi doctor", description="What works here, what is missing, and what is broken.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--fix", action="store_true", help="mend what can be mended")
    what.add_argument("--health", action="store_true", help="the checks alone, as without any flag")
    what.add_argument("--features", action="store_true", help="each feature: active, available or unavailable, and why")
    parser.add_argument("--sandbox", choices=("off", "auto", "require"), help="as it would be with this flag")
    add_general(parser)
    args = parser.parse_args(words)
    if args.features:
        from codi.cli import features  # all of codi: not before it is wanted

        return features.tell(args)
    from codi.cli import health  # as above

    return health.tell(args)
