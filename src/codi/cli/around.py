"""What a conversation is given of the world around it."""

import os

from codi.cli.beside import beside
from codi.cli.mentions import Mentions
from codi.cli.names import KnownNames
from codi.engine.engine import Engine
from codi.engine.places import Places
from codi.frontends.answers import Answering
from codi.frontends.tui.history import History
from codi.frontends.tui.surroundings import Surroundings


def surroundings(engine: Engine, places: Places, names: KnownNames, answering: Answering | None) -> Surroundings:
    kept = os.environ.get("CODI_HISTORY_FILE") or f"{places.home}/history"
    history = History(kept, places.cwd, engine.is_secret)
    mentions = Mentions(places.cwd, places.root, lambda: names.of("file"))
    return Surroundings(
        places.cwd,
        beside,
        history,
        names.of,
        names.refresh,
        mentions.found_in,
        engine.ui,
        answering,
        engine.theme_folders,
    )
