"""System prompt and tools within their share of a small window: fewer tools first, then less of the instruction files."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from codi.agent.context_files import ContextFile, ContextFiles
from codi.agent.counting import Counter, tokens_of
from codi.agent.windows import ContextSettings, tier_of
from codi.protocol.errors import ConfigError
from codi.tools.toolbox import Profile, Toolbox

_SMALLER: tuple[Profile, ...] = ("minimal", "nano")
_CUT = "\n[The rest of this file was left out: the model's window is too small.]"
_LEAST = 200
_LEAST_TALK = 1024
"""Tokens without which nothing can be talked about."""


class Fitted(Struct, frozen=True):
    """`files` are the instructions as they lie on the disk, of which the system prompt may hold less; `notices` say what had to
    go."""

    toolbox: Toolbox
    files: ContextFiles
    system: str
    notices: tuple[str, ...] = ()


def fitted(
    toolbox: Toolbox,
    files: ContextFiles,
    system_of: Callable[[Toolbox, ContextFiles], str],
    window: int,
    settings: ContextSettings,
    *,
    tools_are_given: bool = False,
) -> Fitted:
    """As much as has room in a model's window. `tools_are_given`: the person named the tools, and all of them stay. Raises
    ConfigError where even the least leaves no room to talk."""
    tier = tier_of(window, settings)
    most = tier.system
    counter = Counter()
    notices: list[str] = []
    whole = files

    def is_too_much() -> bool:
        return _tokens(counter, toolbox, system_of(toolbox, files)) > most

    for profile in () if tools_are_given else _SMALLER:
        if is_too_much() and len(smaller := toolbox.in_profile(profile).tools) < len(toolbox.tools) and smaller:
            toolbox = toolbox.in_profile(profile)
            notices.append(f"the window of {window} tokens is small: the tools of the profile {profile} are offered")
    while is_too_much() and any(len(file.text) > _LEAST for file in files.files):
        longest = max(files.files, key=lambda file: len(file.text))
        shorter = ContextFile(longest.path, longest.text.removesuffix(_CUT)[: len(longest.text) // 2] + _CUT)
        if len(shorter.text) >= len(longest.text):
            break
        files = replace(files, files=tuple(shorter if file is longest else file for file in files.files))
        notice = f"{longest.path} is sent in part: the window of {window} tokens is small"
        if notice not in notices:
            notices.append(notice)
    if is_too_much():
        parts = {f"the tool {spec.name}": counter.tools([spec]) for spec in toolbox.specs}
        parts |= {file.path: tokens_of(file.text) for file in files.files}
        parts["the system prompt"] = tokens_of(system_of(Toolbox([]), ContextFiles(())))
        biggest = max(parts, key=lambda name: parts[name])
        used = _tokens(counter, toolbox, system_of(toolbox, files))
        said = f"system prompt and tools have ~{used} tokens, more than their share ({most}) of the window of {window}"
        what = f"the biggest part is {biggest} (~{parts[biggest]} tokens)"
        if used > tier.window - tier.reserve - _LEAST_TALK:
            hint = f"{what[0].upper()}{what[1:]}. Choose a model with a larger window, or fewer tools (--tools)."
            raise ConfigError(said, hint=hint)
        notices.append(f"{said}; {what}")
    return Fitted(toolbox, whole, system_of(toolbox, files), tuple(notices))


def _tokens(counter: Counter, toolbox: Toolbox, system: str) -> int:
    return tokens_of(system) + counter.tools(toolbox.specs)
