"""From the words of a command line to settings, their warnings told."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from codi.cli.asking import who_asks
from codi.engine.layers import load
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.engine.trust.how import How


class Settled(Struct, frozen=True):
    """What this start goes by."""

    settings: Settings
    options: Options
    warnings: Sequence[str]


def settled(places: Places, flags: Mapping[str, Any], options: Options, pairs: Sequence[str], how: How) -> Settled:
    """`flags` are settings by dotted name, `pairs` texts KEY=VALUE. Warnings of the configuration go to standard error."""
    loaded = load(places, os.environ, flags, pairs, how=how)
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    options = structs.replace(options, trust=how, said_of_model=tuple(loaded.model_layers()), ask_secret=who_asks())
    return Settled(loaded.settings, options, loaded.warnings)
