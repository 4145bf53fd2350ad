"""The scenarios that ship with codi."""

from importlib.resources import files

from codi.protocol.errors import ConfigError
from codi.providers.script import Script, decode_script, read_script

_SCENARIOS = files("codi.lab") / "scenarios"


def scenario_names() -> list[str]:
    """In alphabetical order."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _SCENARIOS.iterdir() if entry.name.endswith(".yaml"))


def scenario(name: str) -> Script:
    """A scenario by its name; raises ConfigError."""
    if name not in scenario_names():
        raise ConfigError(f"there is no scenario {name}", hint=f"Choose one of: {', '.join(scenario_names())}.")
    return decode_script((_SCENARIOS / f"{name}.yaml").read_bytes(), where=f"{name}.yaml")


def script_named(name: str) -> Script:
    """A scenario by its name, or else the script in a file; raises ConfigError."""
    return scenario(name) if name in scenario_names() else read_script(name)
