"""From settings to parts: who thinks, what may be done, and where."""

import os
from collections.abc import Callable, Mapping

from codi.agent.context_files import ContextFiles, context_files
from codi.agent.instructions import Part, Surroundings, instructions, prompt_of
from codi.agent.mind import Mind
from codi.credentials.environment import EnvironmentKey
from codi.credentials.source import SourceKey
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.policy.modes import Mode, policy_of
from codi.policy.policy import Policy
from codi.policy.rules import parse_rule
from codi.policy.territory import Territory
from codi.protocol.errors import ConfigError, CredentialError
from codi.protocol.messages import Cost, Level, Usage
from codi.protocol.tooling import ToolSpec
from codi.providers import catalog as catalogue
from codi.providers.assembly import provider_for
from codi.providers.catalog import Catalog
from codi.providers.choice import Choice, Wanted, key_missing, smart_default
from codi.providers.presets import presets
from codi.providers.provider import Credential, ModelEntry, Provider
from codi.providers.resilient import Resilient


class Assembly:
    """The parts that one start of codi is made of. Nothing here does anything; it only chooses and joins."""

    def __init__(self, places: Places, settings: Settings, options: Options, env: Mapping[str, str]) -> None:
        self.places = places
        self.settings = settings
        self.options = options
        self.territory = Territory(
            root=places.cwd,
            home=os.path.expanduser("~"),
            codi_home=places.home,
            extra_dirs=tuple(os.path.realpath(os.path.expanduser(folder)) for folder in settings.workspace.extra_dirs),
            protected=settings.workspace.protected,
        )
        self._env = env
        self._catalog = Catalog.load(os.path.join(places.home, "models.toml"), settings.models)

    # who thinks

    def choice(self, model: str = "") -> Choice:
        """The model to ask: the one named here, else what flags, environment, settings and surroundings say."""
        of = self.settings.model
        config = Wanted(of.default or None, of.provider or None, of.base_url or None)
        known = presets({name: own for name, own in self._own_providers().items()})
        return smart_default(
            self._env, model=model or None, config=config, known=known, catalog=self._catalog, probe=local_servers
        )
