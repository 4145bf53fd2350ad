"""Running a pipeline over an input: each step asks its model, or acts as the agent does."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from codi.engine.assembly import Assembly
from codi.engine.pipelines import Pipeline, Step, filled, holds
from codi.protocol.errors import UsageError
from codi.protocol.messages import user
from codi.providers import catalog as prices
from codi.providers.provider import Request, complete

_ROLE = "You are one step of a pipeline. Answer with what the step asks for and with nothing else."


class Served(Struct, frozen=True):
    """What a step said, and who said it for how much; an unknown cost is None."""

    step: str
    text: str
    model: str
    tokens: int
    cost: float | None


class Ran(Struct, frozen=True):
    result: str
    steps: tuple[Served, ...]


Act = Callable[[str, Step, str], Awaitable[Served]]
"""Lets the agent work with a model on a prompt, as a step says it."""


class Runner:
    """`provider` is the context in which roles are understood; `instead` the model that serves every step, where one does."""

    def __init__(self, parts: Assembly, pipeline: Pipeline, act: Act, *, provider: str = "") -> None:
        self._parts = parts
        self._pipeline = pipeline
        self._act = act
        self._provider = provider or pipeline.provider

    async def run(self, text: str, file: str = "", *, instead: str = "") -> Ran:
        """Take the steps in order. Raises CodiError where one fails."""
        values = {"input": text, "file": file}
        served: list[Served] = []
        last = ""
        for at, step in enumerate(self._pipeline.steps, 1):
            if step.condition and not holds(step.condition, values):
                values.setdefault(step.output or f"step{at}", "")
                continue
            name = step.name or step.output or f"step {at}"
            said = [await self._one(name, step, item, instead) for item in self._items(step, values)]
            served += said
            last = "\n\n".join(one.text for one in said)
            if step.output:
                values[step.output] = last
        return Ran(filled(self._pipeline.result, values) if self._pipeline.result else last, tuple(served))

    async def ask(self, model: str, name: str, prompt: str) -> Served:
        """One question to one model."""
        parts = self._parts
        choice = await parts.choice(model)
        named = parts.map.models.get(choice.name)
        provider = parts.provider(choice)
        request = Request(
            system=(_ROLE,),
            messages=(user(prompt),),
            max_output=named.longest if named else parts.settings.model.max_output,
            temperature=named.temperature if named else parts.settings.model.temperature,
        )
        reply = await complete(provider, request)
        paid = prices.cost(reply.usage, provider.model.prices)
        return Served(name, reply.message.text, choice.model, reply.usage.total, paid.total if paid else None)

    async def _one(self, name: str, step: Step, values: Mapping[str, str], instead: str) -> Served:
        prompt = filled(step.prompt, values)
        model = instead or step.model or await self._of_role(step.role)
        return await (self._act(model, step, prompt) if step.tools else self.ask(model, name, prompt))

    def _items(self, step: Step, values: Mapping[str, str]) -> list[dict[str, str]]:
        if not step.foreach:
            return [dict(values)]
        lines = [line.strip() for line in values.get(step.foreach, "").splitlines()]
        return [{**values, "item": line} for line in lines if line]

    async def _of_role(self, role: str) -> str:
        provider = self._provider or (await self._parts.choice()).service
        if model := self._parts.map.for_role(role, provider):
            return model
        raise UsageError(f"no model has the role {role!r} with {provider}", hint="codi models map check")
