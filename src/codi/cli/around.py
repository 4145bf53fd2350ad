"""What a conversation is given of the world around it."""

import os

from codi.cli.attachments import picture_of
from codi.cli.beside import beside, instead
from codi.cli.failures import keep_if_possible
from codi.cli.mentions import Mentions
from codi.cli.names import KnownNames
from codi.engine.places import Places
from codi.engine.reception import Reception
from codi.frontends.answers import Answering
from codi.frontends.tui.history import History
from codi.frontends.tui.surroundings import Surroundings


def surroundings(reception: Reception, places: Places, names: KnownNames, answering: Answering | None) -> Surroundings:
    kept = os.environ.get("CODI_HISTORY_FILE") or f"{places.home}/history"
    history = History(kept, places.cwd, reception.is_secret)
    mentions = Mentions(places.cwd, places.root, lambda: names.of("file"))
    return Surroundings(
        places.cwd,
        beside,
        history,
        names.of,
        names.refresh,
        mentions.found_in,
        reception.ui,
        answering,
        reception.theme_folders,
        picture_of,
        keep_if_possible,
        instead=instead,
    )
