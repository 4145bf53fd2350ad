"""The work behind `codi pipeline`: the input gathered, the runs made, what they said and cost printed."""

import sys
from collections import Counter
from typing import Any

import anyio
from msgspec import structs, to_builtins
from msgspec.json import encode

from codi.cli import loop
from codi.cli.flags import how_trusted
from codi.cli.printing import print_json, print_table
from codi.cli.start import host_for
from codi.engine.assembly import Assembly
from codi.engine.engine import Engine
from codi.engine.pipeline_cache import PipelineCache
from codi.engine.pipeline_inputs import Piece, files_in, pieces_of, together
from codi.engine.pipeline_runs import Ran, Runner, Served
from codi.engine.pipelines import Step, pipeline_of
from codi.engine.places import Places
from codi.engine.triage import Score, scored
from codi.frontends.answers import nobody, yes
from codi.frontends.headless import run_prompts
from codi.frontends.outcome import Outcome
from codi.frontends.sanitiser import visible
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.ops import Prompt

_LOOKING = ("read", "grep", "glob", "list", "tree", "recall")
_BATCH = 15
_SUMMARY = "Sum up what was found in these files, the most important first. Name the files.\n\n{}"


def work(args: Any) -> int:
    places = Places.at(args.cwd)
    flags = {
        "model.default": args.model or None,
        "agent.max_cost": args.max_cost,
        "agent.max_cost_unknown": True if args.max_cost_unknown else None,
    }
    set_here = {name: value for name, value in flags.items() if value is not None}
    engine = host_for(places, set_here, how=how_trusted(args))
    tables = engine.tables
    if not args.name:
        rows = [(name, str(table.get("description", ""))) for name, table in tables.pipelines.items()]
        if args.json:
            for name, description in rows:
                print_json({"name": name, "description": description})
        else:
            print_table(("pipeline", "description"), rows)
        return 0
    if args.name not in tables.pipelines:
        known = ", ".join(tables.pipelines) or "none"
        raise UsageError(f"there is no pipeline {args.name!r}", hint=f"There are: {known}.")
    return loop.run(_Work(engine, places, args).run)


class StepFailed(CodiError):
    """The agent did not come to a good end in a step; the exit status is that of such a turn."""

    code = "step"


class _Work:
    def __init__(self, engine: Engine, places: Places, args: Any) -> None:
        self._engine = engine
        self._places = places
        self._args = args
        self._table = engine.tables.pipelines[args.name]
        self._pipeline = pipeline_of(args.name, self._table)
        self._parts: Assembly = engine.parts
        self._runner = Runner(self._parts, self._pipeline, self._act, provider=args.provider)
        self._cache = PipelineCache(f"{places.home}/cache/pipelines")
        self._served: list[Served] = []
        self._errors: list[tuple[str, str]] = []

    async def run(self) -> int:
        try:
            return await self._run()
        finally:
            await self._parts.aclose()

    async def _run(self) -> int:
        args = self._args
        given = " ".join(args.input)
        if given in ("", "-") and not sys.stdin.isatty():
            given = sys.stdin.read()
        files = files_in(given, self._places.cwd) if given else None
        if files is None and (args.iterative or args.triage or args.triage_only):
            raise UsageError("there are no files to look at", hint="Name a file, a folder or a pattern.")
        scores: list[Score] = []
        if files is not None and (args.triage or args.triage_only):
            scores = await self._scores(files)
            if args.triage_only:
                return self._print_scores(scores)
            files = [score.path for score in scores]
        if files is not None and (args.iterative or scores):
            result = await self._each(files, {score.path: score for score in scores})
        elif files is not None:
            pieces = [piece for path in files for piece in pieces_of(path, self._places.cwd)]
            ran = [await self._runner.run(text) for text in together(pieces)]
            self._served += [step for one in ran for step in one.steps]
            result = "\n\n".join(one.result for one in ran)
        else:
            one = await self._runner.run(given)
            self._served += one.steps
            result = one.result
        self._print(result, scores)
        return 1 if self._errors else 0

    async def _scores(self, files: list[str]) -> list[Score]:
        first = []
        for path in files:
            try:
                first.append(pieces_of(path, self._places.cwd)[0])
            except UsageError as error:
                self._errors.append((path, str(error)))

        async def ask(prompt: str) -> str:
            served = await self._runner.ask(self._parts.map.for_task("fast"), "triage", prompt)
            self._served.append(served)
            return served.text

        return await scored(first, ask)

    async def _each(self, files: list[str], scores: dict[str, Score]) -> str:
        """One run for each file, a few at once; what goes wrong with one is told at the end."""
        found: dict[str, str] = {}
        slots = anyio.CapacityLimiter(max(self._args.concurrency, 1))

        async def look(path: str) -> None:
            async with slots:
                try:
                    found[path] = await self._of_file(path, scores.get(path))
                except CodiError as error:
                    self._errors.append((path, str(error)))
                    if error.exit_status == 124:
                        raise

        async with anyio.create_task_group() as tasks:
            for path in files:
                tasks.start_soon(look, path)
        told = [f"## {path}\n\n{found[path]}" for path in files if path in found]
        return await self._summed_up(told)

    async def _of_file(self, path: str, score: Score | None) -> str:
        depth = score.depth if score else "normal"
        instead = {"deep": self._parts.map.for_task("complex"), "quick": self._parts.map.for_task("fast")}.get(
            depth, ""
        )
        texts = []
        for piece in pieces_of(path, self._places.cwd):
            ran = await self._looked_at(piece, instead)
            texts.append(ran.result)
        return "\n\n".join(texts)

    async def _looked_at(self, piece: Piece, instead: str) -> Ran:
        models = encode([self._parts.tables.models, self._parts.tables.roles, self._parts.tables.tasks]).decode()
        said = (encode(self._table).decode(), models, self._args.provider, instead)
        key = self._cache.key(piece.name, piece.text, *said)
        ran = None if self._args.no_cache else self._cache.get(key)
        if ran is None:
            ran = await self._runner.run(piece.told, piece.path, instead=instead)
            self._served += ran.steps
            self._cache.put(key, ran)
        return ran

    async def _summed_up(self, told: list[str]) -> str:
        """The results as they are, and where there are many a summary of them before."""
        whole = "\n\n".join(told)
        if len(told) < 2:
            return whole
        model = self._parts.map.for_task("summarize", "fast")
        batches = [told[begin : begin + _BATCH] for begin in range(0, len(told), _BATCH)]
        sums = []
        for batch in batches:
            served = await self._runner.ask(model, "summary", _SUMMARY.format("\n\n".join(batch)))
            self._served.append(served)
            sums.append(served.text)
        if len(sums) > 1:
            served = await self._runner.ask(model, "summary of summaries", _SUMMARY.format("\n\n".join(sums)))
            self._served.append(served)
            sums = [served.text]
        return f"# Summary\n\n{sums[0]}\n\n{whole}"

    async def _act(self, model: str, step: Step, prompt: str) -> Served:
        """Let the agent do it, with the tools of the step, or with those that only look."""
        tools = step.tools if isinstance(step.tools, tuple) else _LOOKING
        engine = self._engine.beside(model, tools, max_steps=step.max_iterations)
        outcome = Outcome()
        async with engine.open() as conversation:
            await run_prompts(conversation, [Prompt(prompt)], yes if self._args.yes else nobody, outcome.hear)
            origin = conversation.origin
        told = outcome.as_json(session_id="", session_file=None, cwd=self._places.cwd)
        if outcome.kind != "done":
            missing = (
                "a permission was needed and nobody could give it" if outcome.kind == "permission" else outcome.reason
            )
            failed = StepFailed(f"step {step.name or step.output}: {missing}", hint=outcome.hint or "Allow it with -y.")
            failed.exit_status = outcome.exit_status
            raise failed
        cost = told["usage"]["cost"]
        return Served(
            step.name or step.output,
            told["answer"],
            f"{origin.provider}/{origin.model}",
            told["usage"]["totalTokens"],
            cost["total"] if cost else None,
        )

    def _print_scores(self, scores: list[Score]) -> int:
        if self._args.json:
            for score in scores:
                print_json({**to_builtins(score), "priority": score.priority, "depth": score.depth})
        else:
            head = ("file", "risk", "complexity", "importance", "priority", "depth", "why")
            print_table(head, [_cells(score) for score in scores])
        for path, error in self._errors:
            print(f"error: {path}: {error}", file=sys.stderr)
        return 1 if self._errors else 0

    def _print(self, result: str, scores: list[Score]) -> None:
        costs = [one.cost for one in self._served]
        total = None if None in costs else sum(cost for cost in costs if cost)
        if self._args.json:
            print_json(
                {
                    "pipeline": self._args.name,
                    "result": result,
                    "steps": [structs.asdict(one) for one in self._served],
                    "cost": total,
                    "triage": [{**to_builtins(score), "priority": score.priority} for score in scores],
                    "errors": [{"file": path, "error": error} for path, error in self._errors],
                }
            )
            return
        print(visible(result))
        for path, error in self._errors:
            print(f"error: {path}: {error}", file=sys.stderr)
        if not self._args.quiet:
            for line in _told(self._served):
                print(line, file=sys.stderr)


def _told(served: list[Served]) -> list[str]:
    """A line for each step and the model that served it, and one for all."""
    sums: dict[tuple[str, str], list[Served]] = {}
    for one in served:
        sums.setdefault((one.step, one.model), []).append(one)
    lines = [f"{step}: {model}, {_sum(group)}" for (step, model), group in sums.items()]
    times = Counter(one.step for one in served)
    return [*lines, f"{sum(times.values())} requests, {_sum(served)}"]


def _sum(served: list[Served]) -> str:
    known = [one.cost for one in served if one.cost is not None]
    unknown = len(known) < len(served)
    cost = f"${sum(known):.4f}" if not unknown else f">= ${sum(known):.4f} (+ unknown)" if known else "price unknown"
    return f"{sum(one.tokens for one in served)} tokens, {cost}"


def _cells(score: Score) -> tuple[str, ...]:
    numbers = (score.risk, str(score.complexity), str(score.importance), f"{score.priority:g}", score.depth)
    return (score.path, *numbers, score.why)
