"""What the interface is given of the world around it: it asks nobody itself."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from codi.commands.settings import UiSettings
from codi.frontends.answers import Answering
from codi.frontends.desk import Beside
from codi.frontends.tui.history import History


class Surroundings(Struct, frozen=True):
    """`beside` runs a subcommand of `codi`. `names` are those of a kind (`file`, `model`, `session`) that are known by now;
    `refresh` says that they may have changed. `themes` are the folders of theme files, those of the project last."""

    cwd: str
    beside: Beside
    history: History
    names: Callable[[str], Sequence[str]]
    refresh: Callable[[], object]
    ui: UiSettings = UiSettings()
    answering: Answering | None = None
    themes: Sequence[str] = ()
