"""What the interface is given of the world around it: it asks nobody itself."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from codi.commands.settings import UiSettings
from codi.frontends.answers import Answering
from codi.frontends.desk import Beside
from codi.frontends.tui.history import History
from codi.protocol.messages import Image


class Mentioned(Struct, frozen=True):
    """The files that a text mentions: what is put before it, and images beside it. With a `complaint` nothing is sent."""

    text: str = ""
    images: tuple[Image, ...] = ()
    complaint: str = ""


class Surroundings(Struct, frozen=True):
    """`beside` runs a subcommand of `codi`, `instead` one that has the terminal for as long as it runs; its status. `names` are those of a kind (`file`, `model`, `session`) that are known by now;
    `refresh` says that they may have changed. `mentioned` reads the files that a text mentions, off the event loop. `themes` are the
    folders of theme files, those of the project last. `picture` makes of a file an image that a model can be shown, or says why not;
    it takes up to seconds. `log` keeps a text for whoever looks into what went wrong, without secrets, and says where."""

    cwd: str
    beside: Beside
    history: History
    names: Callable[[str], Sequence[str]]
    refresh: Callable[[], object]
    mentioned: Callable[[str], Mentioned]
    ui: UiSettings = UiSettings()
    answering: Answering | None = None
    themes: Sequence[str] = ()
    picture: Callable[[bytes], Image | str] = lambda content: "no pictures can be sent"
    log: Callable[[str], str] = lambda text: "no log"
    instead: Callable[[Sequence[str]], int] = lambda words: 1
