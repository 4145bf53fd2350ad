"""What one start of codi asks for, beyond what is set for good."""

from collections import deque
from collections.abc import Callable, Mapping

from msgspec import Struct

from codi.engine.trust.how import How
from codi.protocol.messages import ToolResult
from codi.providers.provider import Provider
from codi.providers.wanted import Wanted


class Options(Struct, frozen=True, kw_only=True):
    keep: bool = True
    """False: the session is kept in memory alone."""
    name: str | None = None
    session_id: str | None = None
    """The id of a new session or of a fork; None for one that is made."""
    tools: tuple[str, ...] | None = None
    """Exactly these; None for what the profile offers."""
    without_tools: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    system_prompt: str | None = None
    append_system_prompt: tuple[str, ...] = ()
    context_files: bool = True
    trust: How = "pinned"
    """What of the project is obeyed."""
    api_key: str | None = None
    ask_secret: Callable[[str], str] | None = None
    """Asks the person for something that is not shown while it is typed; None where there is nobody."""
    said_of_model: tuple[tuple[str, Wanted], ...] = ()
    """What each layer of the configuration says of the model, the nearest first; empty for what the settings say as one."""
    require_evidence: bool = False
    """A turn does not end well with a claim that nothing backs."""
    model_given: bool = False
    """The model was named for this start, so that a resumed session does not keep its own."""
    thinking_given: bool = False
    mode_given: bool = False
    cwd_given: bool = False
    someone_answers: bool = False
    """A person sits at the frontend, whom a model may ask."""
    stand_in: Provider | None = None
    """Answers in place of a model that is chosen."""
    recorded_results: Mapping[str, deque[ToolResult]] | None = None
    """What tools answer instead of doing anything; None for tools that work."""
    record: str = ""
    """The file into which is taken down what models answer."""
    replay: str = ""
    """The file from which they are answered, without a network."""
    flags: tuple[str, ...] = ()
