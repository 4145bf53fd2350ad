"""Receives a person before the engine is loaded: the settings, the session and the model that will answer are known at once, and
what only an answer needs is loaded meanwhile."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, cached_property
from importlib import import_module
from typing import Any

import anyio
from anyio import to_thread

from codi.commands.settings import UiSettings
from codi.engine.arriving import Arriving
from codi.engine.beginning import Beginning, beginning_of
from codi.engine.garbage import begin_to_collect
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.engine.shelf import Shelf
from codi.engine.trust.trust import Trust


class Reception:
    """Takes what an engine takes, and makes one when it is needed."""

    def __init__(
        self,
        places: Places,
        settings: Settings,
        options: Options,
        env: Mapping[str, str] = os.environ,
        warnings: Sequence[str] = (),
    ) -> None:
        self._places = places
        self._settings = settings
        self._options = options
        self._env = env
        self._warnings = warnings
        self.shelf = Shelf(places, settings.sessions)
        self._loading = anyio.Lock()
        self._hurry = anyio.Event()
        self.arrived = anyio.Event()
        """Set when there is an engine, and a conversation with it."""

    @property
    def ui(self) -> UiSettings:
        return self._settings.ui

    @property
    def theme_folders(self) -> list[str]:
        """Where theme files are."""
        return Trust(self._places, self._options.trust, inherit=self._settings.trust.inherit).theme_folders()

    def is_secret(self, text: str) -> bool:
        """Whether a text holds what looks like a secret, and so is not to be kept in plain."""
        return bool(self._detectors.spans(text.encode(errors="replace")))

    @cached_property
    def _detectors(self) -> Any:
        return import_module("codi.credentials.detectors").Detectors(self._settings.secrets.detectors)

    @cached_property
    def engine(self) -> Any:
        return _engine()(self._places, self._settings, self._options, self._env, self._warnings)

    async def loaded(self) -> Any:
        """The engine; what is still to be loaded of it is loaded beside the event loop."""
        async with self._loading:
            if "engine" not in self.__dict__:
                await to_thread.run_sync(_engine, abandon_on_cancel=True)
            return self.engine

    def hurry(self) -> None:
        """Load the engine now: what a frontend shows first is shown, so nobody waits for the interpreter."""
        self._hurry.set()

    @asynccontextmanager
    async def open(self, session_id: str | None = None, beginning: Beginning | None = None) -> AsyncIterator[Any]:
        """A conversation, as an engine opens it. It is there before the engine is, which is loaded when somebody is in
        a `hurry`: what is said to it waits that long. `beginning` is what there is of a new one already."""
        if beginning is None and "engine" not in self.__dict__:
            beginning = beginning_of(self._places, self._settings, self._options, self._env, session_id)
        if beginning is None:
            # Here somebody may have to be asked, which is done while no frontend has the terminal.
            async with self.engine.open(session_id) as conversation:
                self.arrived.set()
                yield conversation
            return
        arriving, left = Arriving(beginning), anyio.Event()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._arrive, arriving, beginning, left)
                yield arriving
                left.set()
                if not self.arrived.is_set():
                    tasks.cancel_scope.cancel()
        finally:
            beginning.session.close()

    async def _arrive(self, arriving: Arriving, beginning: Beginning, left: anyio.Event) -> None:
        await self._hurry.wait()
        engine = await self.loaded()
        async with engine.open(beginning=beginning) as conversation:
            arriving.arrived(conversation)
            self.arrived.set()
            await to_thread.run_sync(_load_http, abandon_on_cancel=True)
            await left.wait()


@cache
def _engine() -> Any:
    engine = import_module("codi.engine.engine").Engine
    begin_to_collect()
    return engine


def _load_http() -> None:
    import_module("codi.providers.assembly").load_http()
