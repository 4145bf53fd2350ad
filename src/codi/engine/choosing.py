"""Which model is meant: flags, environment, settings, the model map and the surroundings are asked, in their order."""

import os
from collections.abc import Mapping, Sequence

from msgspec import structs

from codi.credentials.safe import Safe
from codi.engine.living_map import LivingMap
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.providers.choice import Choice, LocalServer, Probe, smart_default
from codi.providers.presets import presets
from codi.providers.wanted import Wanted


class NotAtHand(Exception):
    """No model can be told without asking servers of this machine."""


def _asks_nobody(servers: Sequence[tuple[str, str]]) -> Sequence[LocalServer]:
    raise NotAtHand


class Choosing:
    """`of_files` is the model map, and what is known of models."""

    def __init__(self, places: Places, settings: Settings, options: Options, env: Mapping[str, str]) -> None:
        self._settings = settings
        self._options = options
        self._env = env
        self._safe = Safe(places.home, env)
        self.of_files = LivingMap(places, settings, env, options.trust)

    def choice(self, model: str = "", probe: Probe = _asks_nobody) -> Choice:
        """The model to ask: the one named here, else what flags, environment, settings and surroundings say. `probe` asks servers
        of this machine, and may take its time; without one NotAtHand is raised where they would have to be asked."""
        of = self._settings.model
        if said := self._options.stand_in:
            return Choice(
                service=said.origin.provider,
                model_id=said.origin.model,
                api="scripted",
                base_url="",
                reason="it says again what it said",
            )
        if named := self.of_files.map.find(model or of.default):
            choice = self._chosen(named.wanted, probe)
            thinking = named.level or choice.thinking or named.model.thinking
            found = structs.replace(choice, name=named.name, thinking=thinking)
            return structs.replace(found, base_url=named.model.base_url) if named.model.base_url else found
        return self._chosen(model, probe)

    def is_key_at_hand(self, choice: Choice) -> bool:
        """Whether no store must be opened for the key of a model, and so nobody can be asked for a passphrase."""
        kept_by_name = self._options.api_key or self._env.get(choice.key_variable or "", "").strip()
        return bool(kept_by_name) or choice.api == "scripted"

    def _chosen(self, model: str, probe: Probe) -> Choice:
        of = self._settings.model
        script = self._script(model or of.default)
        if script:
            return Choice(
                service="scripted", model_id=script, api="scripted", base_url="", reason="a script plays the model"
            )

        as_one = ("the configuration", Wanted(of.default, of.provider, of.base_url))
        return smart_default(
            self._env,
            model=model or None,
            layers=self._options.said_of_model or [as_one],
            known=presets(self._settings.providers),
            catalog=self.of_files.catalog,
            logins=self._safe.services(),
            probe=probe,
        )

    def _script(self, named: str) -> str:
        """The script that plays the model: what `scripted/PATH` names, or else `CODI_SCRIPT`, which gives way to a model that
        is named for this start. Empty where none does."""
        service, _, path = named.partition("/")
        set_up = self._env.get("CODI_SCRIPT", "")
        if service == "scripted" and path:
            return set_up if set_up and not self._options.model_given else os.path.abspath(path)
        return "" if named and self._options.model_given else os.path.abspath(set_up) if set_up else ""
