"""Settings from their layers: defaults, the person's file, the project's, the environment, flags; the later wins.

What is wrong is gathered first and told together, with file and line. A key that nobody knows is a warning, for a later
version may know it; a value that cannot be used ends the start.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from codi.engine import config_files
from codi.engine.config_files import BrokenFile, ConfigFile
from codi.engine.places import Places
from codi.engine.settings import SHORT_VARIABLES, Settings
from codi.engine.trust.how import UNTRUSTED, How, Obeying
from codi.protocol.errors import ConfigError
from codi.providers.wanted import Wanted

Name = Literal["default", "user", "project", "local", "environment", "flags"]
Path = tuple[str, ...]

PROJECT_LAYERS = ("project", "local")
UNITED = frozenset(
    [("policy", "allow"), ("policy", "ask"), ("policy", "deny"), ("policy", "dangerous"), ("secrets", "names")]
)
"""Lists to which each layer adds; all others replace the one of the layer below."""

_OTHER_VARIABLES = frozenset(
    f"CODI_{name}"
    for name in [
        "CREDENTIALS_KEY",
        "FDB_CLUSTER_FILE",
        "HISTORY_FILE",
        "HOME",
        "LEGACY",
        "LOG_LEVEL",
        "PASSPHRASE_FD",
        "PROJECT_DIR",
        "REQUIRE_POSTGRES",
        "SCRIPT",
        "STORE_KEY",
        "STORE_URL",
        "TELEMETRY",
        "TEST_POSTGRES_BIN",
    ]
)
"""Variables of codi that set no key."""


_NAMING = {name: path for name, path in SHORT_VARIABLES.items() if name not in ("CODI_OFFLINE", "CODI_AUDIT")}
"""Variables whose text is the value as it stands."""
_SPOKEN = {"flags": "the command line", "environment": "CODI_*"}

_SECRET_MARKS = (
    "sk-",
    "AIza",
    "gh",
    "xox",
    "AKIA",
    "glpat-",
    "BEGIN",
    "eyJ",
    "key",
    "KEY",
    "oken",
    "ecret",
    "assword",
    "earer",
)
"""Without one of these a text holds no secret that would be known as one."""


class Problem(Struct, frozen=True, order=True):
    """Something wrong. `told` is the whole line for a person; `line` is 0 where there is none."""

    file: str
    line: int
    told: str
    key: str = ""
    ends: bool = False
    """Nothing can be started with it."""
    strange: bool = False
    """Unknown to this version: a warning at a start, an error for who checks."""

    def __str__(self) -> str:
        return self.told


class Layer(Struct, frozen=True):
    """`tree` is as written, before variables are put in. `places` tell of values that stand in no file where they come from;
    `within` is the table of the file that was laid over the rest of it."""

    name: Name
    tree: Mapping[str, Any]
    file: ConfigFile | None = None
    places: Mapping[Path, str] = {}
    within: Path = ()

    def where(self, key: Path) -> str:
        """file:line, the variable, or the flag."""
        if self.file:
            return self.file.where((*self.within, *key))
        place = next((place for end in range(len(key), 0, -1) if (place := self.places.get(key[:end]))), "")
        if place or self.name != "flags":
            return place
        from codi.engine import keys  # only for who asks

        return keys.flag_of(key)

    def line_of(self, key: Path) -> int:
        return (self.file.line_of((*self.within, *key)) or 0) if self.file else 0

    def saying(self, tree: Mapping[str, Any]) -> "Layer":
        """The same layer with other words."""
        return Layer(self.name, tree, self.file, self.places, self.within)


class Look(Struct, frozen=True):
    """A place where a file was looked for."""

    layer: Name
    path: str
    state: Literal["read", "absent", "skipped", "broken"]
    reason: str = ""


class Loaded(Struct, frozen=True):
    """`layers` are those that say something, the lowest first."""

    settings: Settings
    warnings: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    looks: tuple[Look, ...] = ()

    def model_layers(self) -> list[tuple[str, Wanted]]:
        """What each layer says of the model, the nearest first."""
        said = []
        for layer in reversed(self.layers):
            table = layer.tree.get("model")
            if isinstance(table, Mapping):
                wanted = Wanted(*(str(table.get(key) or "") for key in ("default", "provider", "base_url")))
                if any((wanted.model, wanted.provider, wanted.base_url)):
                    said.append((_SPOKEN.get(layer.name, layer.where(("model",))), wanted))
        return said


def load(
    places: Places,
    env: Mapping[str, str],
    flags: Mapping[str, Any],
    pairs: Sequence[str],
    *,
    how: How = "pinned",
) -> Loaded:
    """`flags` are settings by dotted name, `pairs` KEY=VALUE texts, over which flags win. `how` says what of the project
    counts. Raises ConfigError with all that cannot be used."""
    survey = Survey(places, env, flags, pairs, how=how)
    survey.refuse()
    return survey.loaded()


class Survey:
    """All layers as they stand, and all that is wrong with them. Reading raises nothing. With `only`, that one file is
    looked at in place of those that lie where they should."""

    def __init__(
        self,
        places: Places,
        env: Mapping[str, str],
        flags: Mapping[str, Any],
        pairs: Sequence[str],
        *,
        how: How = "pinned",
        only: str | None = None,
    ) -> None:
        self.problems: list[Problem] = []
        self.looks: list[Look] = []
        self._env = env
        outside = [layer for layer in (self._environment(), self._flags(flags, pairs)) if layer.tree]
        files = self._files(places, how, outside) if only is None else [self._read("user", only)]
        files = [layer for layer in files if layer.tree]
        wanted = _profile_of([*files, *outside])
        self.layers = (*(self._with_profile(files, wanted) if wanted else files), *outside)
        self._tree = self._joined()
        self.problems.sort()

    def refuse(self) -> None:
        """Raise what prevents a start, all of it."""
        if found := [problem for problem in self.problems if problem.ends]:
            raise ConfigError("\nerror: ".join(map(str, found)), hint="Correct it; codi config check looks again.")

    def loaded(self) -> Loaded:
        try:
            settings = msgspec.convert(self._tree, Settings)
        except msgspec.ValidationError as error:
            raise ConfigError(f"the configuration: {error}", hint="codi config check") from error
        warnings = tuple(str(problem) for problem in self.problems if not problem.ends)
        return Loaded(settings, warnings, self.layers, tuple(self.looks))

    def _files(self, places: Places, how: How, outside: Sequence[Layer]) -> list[Layer]:
        """The layers that stand in files, each without what cannot be used."""
        own = self._file("user", places.home, "config")
        folder = os.path.join(places.root, ".codi")
        if not os.path.isdir(folder) or _is_same(folder, places.home):
            return [own]
        from codi.engine.trust.trust import Trust  # only for a project that brings something

        trust = Trust(places, how, inherit=_inherits((own, *outside)))
        stems: tuple[tuple[Name, str], ...] = (("project", "config"), ("local", "config.local"))
        layers = [own, *(self._project_file(name, folder, stem, trust) for name, stem in stems)]
        if notice := trust.notice():
            self.problems.append(Problem(folder, 0, notice))
        self.problems += (Problem(trust.store.path, 0, warning) for warning in trust.store.warnings)
        return layers

    def _project_file(self, name: Name, folder: str, stem: str, trust: Obeying) -> Layer:
        try:
            path = config_files.find(folder, stem)
            if path is None:
                self.looks.append(Look(name, os.path.join(folder, f"{stem}.toml"), "absent"))
                return Layer(name, {})
            file = trust.obeyed(path)
        except BrokenFile as error:
            if trust.hashes:
                return self._broken(name, error)
            path, file = error.path, None
        if file is None:
            self.looks.append(Look(name, path, "skipped", "--no-trust" if trust.how == "none" else UNTRUSTED))
            return Layer(name, {})
        return self._taken(name, file)

    def _file(self, name: Name, folder: str, stem: str) -> Layer:
        try:
            path = config_files.find(folder, stem)
        except BrokenFile as error:
            return self._broken(name, error)
        if path is None:
            self.looks.append(Look(name, os.path.join(folder, f"{stem}.toml"), "absent"))
            return Layer(name, {})
        return self._read(name, path)

    def _broken(self, name: Name, error: BrokenFile) -> Layer:
        self.looks.append(Look(name, error.path, "broken", str(error)))
        self.problems.append(Problem(error.path, error.line, str(error), ends=True))
        return Layer(name, {})

    def _read(self, name: Name, path: str) -> Layer:
        try:
            file = config_files.read(path)
        except BrokenFile as error:
            return self._broken(name, error)
        return self._taken(name, file)

    def _taken(self, name: Name, file: ConfigFile) -> Layer:
        self.looks.append(Look(name, file.path, "read"))
        if any(mark in file.text for mark in _SECRET_MARKS):
            from codi.engine import plain_secrets  # only for a text that may hold one

            for key in plain_secrets.keys_with_secrets(file.tree):
                self._tell(Layer(name, file.tree, file), key, plain_secrets.ADVICE)
        return self._checked(Layer(name, file.tree, file))

    def _checked(self, layer: Layer) -> Layer:
        """The layer without what cannot be used."""
        try:
            msgspec.convert(layer.tree, Settings)
            for table in dict(layer.tree.get("profiles") or {}).values():
                msgspec.convert({key: value for key, value in table.items() if key != "extends"}, Settings)
        except msgspec.ValidationError:
            return self._without_faults(layer)
        return layer

    def _without_faults(self, layer: Layer) -> Layer:
        from codi.engine import keys  # only for who must be told what is wrong

        tree = layer.tree
        for fault in keys.faults_in(tree):
            tree = keys.without(tree, fault.path)
            self._tell(layer, fault.path, fault.text, ends=not fault.unknown, strange=fault.unknown)
        return layer.saying(tree)

    def _environment(self) -> Layer:
        said = {
            name: text for name, text in self._env.items() if name.startswith("CODI_") and name not in _OTHER_VARIABLES
        }
        tree: dict[str, Any] = {}
        places: dict[Path, str] = {}
        for name in [name for name in _NAMING if name in said]:
            if text := said.pop(name):
                _put(tree, _NAMING[name], text)
                places[_NAMING[name]] = name
        if not said:
            return Layer("environment", tree, None, places)
        from codi.engine import keys  # only for who sets something by its long name

        known = {name: path for name, path in keys.variables().items() if path not in places}
        for name in [name for name in known if name in said]:
            path, text = known[name], said.pop(name)
            kind = keys.kind_at(path)
            if not text or kind is None:
                continue
            try:
                _put(tree, path, keys.value_from(text, kind))
            except ValueError as error:
                self.problems.append(Problem("", 0, f"{name}: {error}", keys.dotted(path), ends=True))
            places[path] = name
        for name in sorted(said):
            if name not in keys.variables():
                self.problems.append(Problem("", 0, f"{name}: {keys.unknown_variable(name)}", strange=True))
        return Layer("environment", tree, None, places)

    def _flags(self, flags: Mapping[str, Any], pairs: Sequence[str]) -> Layer:
        if not flags and not pairs:
            return Layer("flags", {})
        tree: dict[str, Any] = {}
        places: dict[Path, str] = {}
        if pairs:
            from codi.engine import keys  # only for who sets something by its name

            for pair in pairs:
                name, _, text = pair.partition("=")
                try:
                    path = keys.path_of(name)
                    _put(tree, path, keys.value_from(text, keys.known_kind_at(path)))
                    places[path] = f"--config {name}"
                except ValueError as error:
                    self.problems.append(Problem("", 0, f"--config {pair}: {error}", ends=True))
        for name, value in flags.items():
            _put(tree, path := tuple(name.split(".")), value)
            places.pop(path, None)
        layer = Layer("flags", tree, None, places)
        try:
            msgspec.convert(tree, Settings)
        except msgspec.ValidationError:
            layer = self._without_faults(layer)
        return layer

    def _with_profile(self, files: Sequence[Layer], name: str) -> list[Layer]:
        """Each layer, and just above it what stands in it under the profile and those that it extends."""
        tables = [dict(layer.tree.get("profiles") or {}) for layer in files]
        known = list(dict.fromkeys(each for table in tables for each in table))
        chain: list[str] = []
        at = name
        while at:
            if at in chain:
                self._refuse_profile(f"the profiles {' -> '.join([*chain, at])} extend each other in a circle")
                return list(files)
            if at not in known:
                listed = ", ".join(known) or "none"
                self._refuse_profile(f"unknown profile {at!r}; there are: {listed}")
                return list(files)
            chain.append(at)
            at = next((table[at]["extends"] for table in reversed(tables) if table.get(at, {}).get("extends")), "")
        laid: list[Layer] = []
        for layer, table in zip(files, tables, strict=True):
            laid.append(layer)
            for each in reversed(chain):
                if each in table:
                    tree = {key: value for key, value in table[each].items() if key != "extends"}
                    laid.append(Layer(layer.name, tree, layer.file, layer.places, ("profiles", each)))
        return laid

    def _refuse_profile(self, text: str) -> None:
        self.problems.append(Problem("", 0, text, ends=True))

    def _joined(self) -> dict[str, Any]:
        """One tree out of all layers; a project's is cut down to what a project may say."""
        tree: dict[str, Any] = {}
        layers = []
        disabled: list[Any] = []
        for layer in self.layers:
            if layer.name in PROJECT_LAYERS:
                layer = self._tightening(layer, tree)
            layers.append(layer)
            said = layer.tree
            if layer.file and "$" in layer.file.text:
                from codi.engine import substitution  # only for a file in which there is a dollar

                filled = substitution.filled(said, self._env)
                said = filled.tree
                for missing in filled.missing:
                    self._tell(layer, missing.key, missing.text)
                disabled += filled.missing
            _lay(tree, said, ())
        for each in disabled:
            _drop(tree, each.item)
            if each.instead is not None:
                _put(tree, each.item, each.instead)
        self.layers = tuple(layers)
        return tree

    def _tightening(self, layer: Layer, below: Mapping[str, Any]) -> Layer:
        from codi.engine import keys  # only for who has a trusted project

        tree = layer.tree
        for path, value in list(keys.leaves(tree)):
            if path[0] == "profiles":
                continue  # looked at when it is laid over
            kind = keys.kind_at(path)
            if kind and (refusal := keys.refusal_of_project(path, kind, value, below)):
                tree = keys.without(tree, path)
                self._tell(layer, path, f"{refusal}; ignored")
        return layer.saying(tree)

    def _tell(self, layer: Layer, key: Path, text: str, *, ends: bool = False, strange: bool = False) -> None:
        from codi.engine import keys  # only for who must be told what is wrong

        name, where = keys.dotted(key), layer.where(key)
        told = f"{where}: {text}" if layer.name == "flags" else f"{where}: {name}: {text}"
        file = layer.file.path if layer.file else ""
        self.problems.append(Problem(file, layer.line_of(key), told, name, ends=ends, strange=strange))


def _profile_of(layers: Sequence[Layer]) -> str:
    """The profile that is wanted; a project does not choose it."""
    named = (layer.tree.get("profile") for layer in reversed(layers) if layer.name not in PROJECT_LAYERS)
    return next((name for name in named if isinstance(name, str) and name), "")


def _inherits(layers: Sequence[Layer]) -> bool:
    """What the person says of projects within projects; a later layer wins."""
    said = [
        table["inherit"]
        for layer in layers
        if isinstance(table := layer.tree.get("trust"), Mapping) and "inherit" in table
    ]
    return bool(said) and said[-1] is True


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _lay(tree: dict[str, Any], over: Mapping[str, Any], path: Path) -> None:
    """Lay one tree over another, table by table."""
    for key, value in over.items():
        place = (*path, key)
        if isinstance(value, Mapping):
            inner = tree.get(key)
            tree[key] = dict(inner) if isinstance(inner, Mapping) else {}
            _lay(tree[key], value, place)
        elif place in UNITED:
            tree[key] = list(dict.fromkeys([*tree.get(key, ()), *value]))
        else:
            tree[key] = value


def _put(tree: dict[str, Any], path: Path, value: Any) -> None:
    *tables, key = path
    for part in tables:
        tree = tree.setdefault(part, {})
    tree[key] = value


def _drop(tree: dict[str, Any], path: Path) -> None:
    *tables, key = path
    for part in tables:
        tree = tree.get(part, {})
    tree.pop(key, None)
