"""The model map as its files say it, and said anew when they change."""

import os
from collections.abc import Mapping

from codi.engine.config_files import FORMS
from codi.engine.model_map import ModelMap
from codi.engine.model_map_files import files_of, tables_of
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.engine.trust.how import How
from codi.providers.catalog import Catalog

_STEMS = ("config", "config.local")


class LivingMap:
    """`tables` is the map as it is written, `map` as it is used, `catalog` what is known of models."""

    def __init__(self, places: Places, settings: Settings, env: Mapping[str, str], how: How) -> None:
        self._places = places
        self._env = env
        self._how = how
        self._stamps = self._stamped()
        self._take(settings)

    def read_again(self) -> bool:
        """Take up what changed; False where nothing did. Raises ConfigError, and then all is as it was."""
        if (stamps := self._stamped()) == self._stamps:
            return False
        from codi.engine.layers import load  # for a start that has read its settings in a shorter way

        self._stamps = stamps
        settings = load(self._places, self._env, {}, (), how=self._how).settings
        self._take(settings)
        return True

    def _take(self, settings: Settings) -> None:
        self._inherit = settings.trust.inherit
        tables = tables_of(settings, self._places, self._trusts)
        known = Catalog.load(os.path.join(self._places.home, "models.toml"), tables.models)
        self.map, self.tables, self.catalog = ModelMap.of(tables), tables, known

    def _trusts(self, name: str, content: bytes) -> bool:
        from codi.engine.trust.manifest import item_of_map  # for the few projects that bring a map
        from codi.engine.trust.trust import Trust

        return Trust(self._places, self._how, inherit=self._inherit).accepts(item_of_map(name, content))

    def _stamped(self) -> tuple[object, ...]:
        folders = (self._places.home, os.path.join(self._places.root, ".codi"))
        paths = [os.path.join(folder, f"{stem}.{form}") for folder in folders for stem in _STEMS for form in FORMS]
        paths += [*files_of(self._places), os.path.join(self._places.home, "models.toml")]
        return tuple(map(_stamp, paths))


def _stamp(path: str) -> tuple[int, int, int] | None:
    """By which a file is known to have changed."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
