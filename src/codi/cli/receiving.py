"""From the words of a command line to a reception."""

from collections.abc import Mapping, Sequence
from typing import Any

from codi.cli.settling import Settled, settled
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
    """With what `settled` takes."""
    return reception_of(places, settled(places, flags, options, pairs, how))


def reception_of(places: Places, start: Settled) -> Reception:
    return Reception(places, start.settings, start.options, warnings=start.warnings)
