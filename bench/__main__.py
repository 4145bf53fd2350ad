"""`python -m bench [NAME...]`: run the benchmarks and print a line for each bound."""

import sys
from importlib import import_module

NAMES = (
    "start",
    "loop",
    "context",
    "wire",
    "sessions",
    "tools",
    "ledger",
    "secrets",
    "policy",
    "sandbox",
    "interface",
    "endurance",
)


def main() -> int:
    wanted = sys.argv[1:] or list(NAMES)
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"unknown benchmark {unknown[0]}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in wanted:
        import_module(f"bench.{name}").run()
    return 0


sys.exit(main())
