"""Pipelines of the model map: steps of several models, each given what the ones before it found."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from codi.protocol.errors import ConfigError, UsageError

_VARIABLE = re.compile(r"\{(\w+)\}")
GIVEN = ("input", "file", "item")
"""Variables that every step knows: what the pipeline was given, the file it lies in, and what a `foreach` stands at."""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`condition` is a variable that must hold something, or with `!` before it nothing. With `tools` the step acts as the agent
    does; True stands for those that only look. `foreach` runs it for each line of a variable."""

    name: str = ""
    model: str = ""
    role: str = ""
    prompt: str = ""
    output: str = ""
    condition: str = ""
    tools: bool | tuple[str, ...] = False
    max_iterations: int | None = None
    foreach: str = ""
    description: str = ""


class Pipeline(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`result` is a template for what comes out; without one it is the last step's output."""

    steps: tuple[Step, ...]
    description: str = ""
    provider: str = ""
    result: str = ""


def pipeline_of(name: str, table: Mapping[str, Any]) -> Pipeline:
    """Raises ConfigError for a table that is none."""
    try:
        return msgspec.convert(table, Pipeline)
    except msgspec.ValidationError as error:
        raise ConfigError(f"pipelines.{name}: {error}", hint="codi models map check") from error


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its variables, once: what is put in is not looked at again. Raises UsageError for an unknown one."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise UsageError(f"unknown variable {{{found[1]}}}", hint=f"Known are {', '.join(values)}.")
        return values[found[1]]

    return _VARIABLE.sub(value, template)


def variables_in(template: str) -> list[str]:
    return _VARIABLE.findall(template)


def holds(condition: str, values: Mapping[str, str]) -> bool:
    name = condition.removeprefix("!")
    said = values.get(name, "").strip().lower() not in ("", "false", "no", "none", "0")
    return said != condition.startswith("!")


def faults_of(pipeline: Pipeline) -> Iterator[tuple[int, str, bool]]:
    """What is wrong with its steps: which step, what, and whether it is a mistake or may be meant so."""
    known = set(GIVEN)
    if not pipeline.steps:
        yield -1, "it has no steps", True
    for at, step in enumerate(pipeline.steps):
        if bool(step.model) == bool(step.role):
            yield at, "a step names one of model and role", True
        if not step.prompt.strip():
            yield at, "it has no prompt", True
        used = [
            *variables_in(step.prompt),
            *(name.removeprefix("!") for name in (step.condition, step.foreach) if name),
        ]
        for name in used:
            if name not in known:
                yield at, f"{{{name}}} is not defined by a step before it", True
        if step.output in known - set(GIVEN):
            yield at, f"the output {step.output} is there already", False
        known.add(step.output)
    for name in variables_in(pipeline.result):
        if name not in known:
            yield -1, f"result: {{{name}}} is not defined by any step", True
