"""A conversation as far as it is there before the engine: its session, and the model that will answer."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from codi.engine.choosing import Choosing, NotAtHand
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.engine.shelf import Shelf
from codi.engine.version import VERSION
from codi.protocol.errors import CodiError, SessionError
from codi.protocol.events import Entry, SessionImported, TurnEnded, TurnStarted
from codi.providers.choice import Choice
from codi.sessions import folds, paths
from codi.sessions.jsonl import JsonlStore
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session
from codi.sessions.version3 import seconds_of


class Beginning(Struct, frozen=True):
    """Whoever goes on from here closes the session."""

    session: Session
    choice: Choice


def beginning_of(
    places: Places, settings: Settings, options: Options, env: Mapping[str, str], session_id: str | None = None
) -> Beginning | None:
    """What there is of a conversation without an engine; None where it takes one to open it. Raises CodiError."""
    choosing, shelf = Choosing(places, settings, options, env), Shelf(places, settings.sessions)
    if session_id is None:
        with suppress(NotAtHand):
            choice = choosing.choice()
            if choosing.is_key_at_hand(choice):
                return Beginning(new_session(places, shelf, options), choice)
        return None
    session = stored_session(places, shelf, options, session_id)
    if is_at_rest(path := session.path()):
        with suppress(NotAtHand, CodiError):  # what is amiss with the model that it had, the engine settles
            choice = choosing.choice(model_of(path, options))
            if choosing.is_key_at_hand(choice):
                return Beginning(session, choice)
    session.close()
    return None


def new_session(places: Places, shelf: Shelf, options: Options) -> Session:
    """Raises SessionError where the id that this start names is another's."""
    if options.keep:
        return Session(JsonlStore.new(shelf.folder, places.cwd, at=time.time(), session_id=new_id(shelf, options)))
    return Session(MemoryStore(new_id(shelf, options) or paths.uuid7(time.time()), places.cwd))


def stored_session(places: Places, shelf: Shelf, options: Options, text: str) -> Session:
    """The session that is meant by a path, the beginning of an id, or a name. Raises CodiError."""
    store = JsonlStore.open(shelf.path_of(text))
    if not os.path.isdir(store.cwd) and not options.cwd_given:
        store.close()
        raise SessionError(
            f"Stored session working directory does not exist: {store.cwd}", hint="Name another with --cwd DIR."
        )
    return Session(store)


def model_of(path: Sequence[Entry], options: Options) -> str:
    """The model that the session had, unless this start names one."""
    before = None if options.model_given else folds.model(path)
    return f"{before.provider}/{before.model_id}" if before else ""


def is_at_rest(path: Sequence[Entry]) -> bool:
    """Whether the session can be shown before the engine has looked at it: nothing was left unfinished that it takes up, and no
    other agent's model is to be tried first."""
    facts = [entry.fact for entry in path]
    newest = next((fact for fact in reversed(facts) if isinstance(fact, TurnStarted | TurnEnded)), None)
    is_foreign = any(isinstance(fact, SessionImported) for fact in facts)
    return not isinstance(newest, TurnStarted) and not is_foreign and not folds.open_approvals(path)


def new_id(shelf: Shelf, options: Options) -> str | None:
    """The id that this start gives to a new session. Raises SessionError where another has it."""
    wanted = options.session_id
    if wanted and any(session.id == wanted for session in shelf.sessions(everywhere=True)):
        raise SessionError(f"there is a session {wanted} already", hint=f"Go on in it: --session {wanted}.")
    return wanted


def began(session: Session) -> float:
    """When the session began."""
    store = session.store
    told = seconds_of(store.header.timestamp) if isinstance(store, JsonlStore) else None
    return time.time() if told is None else told


def greeting_of(choice: Choice | None) -> str:
    """Who answers, and why."""
    return f"codi {VERSION}, {choice.model} ({choice.reason})" if choice else ""
