"""A new conversation as far as it is there before the engine: its session, and the model that will answer."""

import time

from msgspec import Struct

from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.engine.version import VERSION
from codi.protocol.errors import SessionError
from codi.providers.choice import Choice
from codi.sessions import paths
from codi.sessions.jsonl import JsonlStore
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session
from codi.sessions.version3 import seconds_of


class Beginning(Struct, frozen=True):
    """Whoever goes on from here closes the session."""

    session: Session
    choice: Choice


def new_session(places: Places, shelf: Shelf, options: Options) -> Session:
    """Raises SessionError where the id that this start names is another's."""
    if options.keep:
        return Session(JsonlStore.new(shelf.folder, places.cwd, at=time.time(), session_id=new_id(shelf, options)))
    return Session(MemoryStore(new_id(shelf, options) or paths.uuid7(time.time()), places.cwd))


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
