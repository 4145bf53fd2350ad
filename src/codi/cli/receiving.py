"""From the words of a command line to a reception: settings loaded, warnings told."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from codi.cli.asking import who_asks
from codi.engine.layers import load
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.reception import Reception
from codi.engine.trust.how import How


def reception_for(
    places: Places,
    flags: Mapping[str, Any],
    options: Options = Options(),
    *,
    pairs: Sequence[str] = (),
    how: How = "pinned",
) -> Reception:
    """`flags` are settings by dotted name, `pairs` texts KEY=VALUE. Warnings of the configuration go to standard error."""
    loaded = load(places, os.environ, flags, pairs, how=how)
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    options = structs.replace(options, trust=how, said_of_model=tuple(loaded.model_layers()), ask_secret=who_asks())
    return Reception(places, loaded.settings, options, warnings=loaded.warnings)
