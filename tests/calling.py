"""Calls that a scripted model makes, carried out by the installed program; and a program that is no almighty root."""

import ctypes
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import Codi, says

EVERYTHING = ("--permission-mode", "full-access")

_DROP_FROM_BOUNDS = 24  # PR_CAPBSET_DROP of prctl(2)
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of capabilities(7)


def results(codi: Codi, lab: Callable[..., Any], *calls: dict[str, Any], **more: Any) -> list[str]:
    """One turn in which these calls are made, one a step: the text of each result, "ERROR: " before that of an error."""
    lab([*(says("", each) for each in calls), says("Done.")])
    run = codi.json("go", *EVERYTHING, "--max-turns", "0", **more)
    assert run.status == 0, run
    lines = [json.loads(line) for line in Path(run.result["sessionFile"]).read_text().split("\n") if line]
    told = [message for line in lines if (message := line.get("message", {})).get("role") == "toolResult"]
    assert len(told) == len(calls), run
    return [("ERROR: " if each["isError"] else "") + each["content"][0]["text"] for each in told]


def without_override() -> None:
    """Run in a child before the program: from there on the modes of files hold, for root as well."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in _OVERRIDES:
            if libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")
