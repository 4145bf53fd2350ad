"""From the words of a command line to a host."""

from collections.abc import Mapping, Sequence
from typing import Any

from codi.cli.receiving import reception_for
from codi.engine.engine import Engine
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.trust.how import How


def host_for(
    places: Places,
    flags: Mapping[str, Any],
    options: Options = Options(),
    *,
    pairs: Sequence[str] = (),
    how: How = "pinned",
) -> Engine:
    """With what `reception_for` takes."""
    engine: Engine = reception_for(places, flags, options, pairs=pairs, how=how).engine
    return engine
