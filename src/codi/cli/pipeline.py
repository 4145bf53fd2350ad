"""`codi models run` and `codi pipeline`: several models, one after the other, over a text or files."""

from collections.abc import Sequence

from codi.cli.flags import Parser, add_general


def run(words: Sequence[str], prog: str = "codi pipeline") -> int:
    parser = Parser(
        prog=prog,
        description="Run a pipeline of the model map. Without a name: those that there are.",
        epilog="INPUT is a text, a file, a folder, a pattern, or - for standard input.",
    )
    add = parser.add_argument
    add("name", nargs="?", default="", metavar="PIPELINE")
    add("input", nargs="*", default=[], metavar="INPUT")
    add("--provider", default="", metavar="P", help="the service in whose context roles are understood")
    add("-m", "--model", default="", metavar="M", help="the model that answers where the map names none")
    add("--all", action="store_true", help="all files in one run, as usual")
    add("--iterative", action="store_true", help="one run for each file, then a summary")
    add("--concurrency", type=int, default=4, metavar="N", help="files at once (4)")
    add("--triage", action="store_true", help="score the files first, and look deep where it matters")
    add("--triage-only", action="store_true", help="print the scores and stop")
    add("--no-cache", action="store_true", help="ask again for files that were looked at already")
    add("-y", "--yes", action="store_true", help="accept what steps with tools ask, except what is dangerous")
    add("--max-cost", type=float, metavar="USD", help="the most that it may cost")
    add("--max-cost-unknown", choices=("ok",), help="allow a model without a price under --max-cost")
    add("--trust-project", action="store_true", help="read the model map of the project too")
    add_general(parser)
    args = parser.parse_args(words)
    from codi.cli import pipeline_work  # all of codi: not before it is wanted

    return pipeline_work.work(args)
