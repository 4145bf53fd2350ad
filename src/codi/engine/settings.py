"""All settings, gathered from the parts that declare them. Only the engine sees the whole.

`extra={"project": ...}` on a key says what a trusted project may do with it: "set" it, "lower" it below the person's value, "raise" it above, make it
"stricter", or only switch it "on" or "off". Without it the key is the person's alone.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from codi.agent.limits import AgentSettings
from codi.agent.reviewer_settings import ReviewerSettings
from codi.agent.windows import ContextSettings, MemorySettings
from codi.commands.settings import UiSettings
from codi.credentials.settings import AuthSettings, SecretsSettings
from codi.policy.mode import Mode
from codi.providers.settings import ModelSettings, NetworkSettings, RetrySettings, ServiceSettings
from codi.workspace.ledger.coverage import UndoSettings
from codi.workspace.sandbox.settings import SandboxSettings

PROJECT = {"project": "set"}

SHORT_VARIABLES: dict[str, tuple[str, ...]] = {
    "CODI_MODEL": ("model", "default"),
    "CODI_PROVIDER": ("model", "provider"),
    "CODI_BASE_URL": ("model", "base_url"),
    "CODI_PROFILE": ("profile",),
    "CODI_OFFLINE": ("network", "offline"),
    "CODI_AUDIT": ("audit", "enabled"),
}
"""Variables of the environment with names of their own; all others are called after their key."""


class ToolSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[tools]"""

    profile: Annotated[
        Literal["auto", "full", "minimal", "nano"], Meta(description="a set of tools by size of model", extra=PROJECT)
    ] = "auto"
    disabled: Annotated[tuple[str, ...], Meta(description="tools that are not offered", extra=PROJECT)] = ()
    syntax_gate: Annotated[
        Literal["on", "warn", "off"], Meta(description="refuse an edit that breaks a file's syntax", extra=PROJECT)
    ] = "on"
    text_calls: Annotated[
        Literal["auto", "off"], Meta(description="read calls from the text of models that take no tools")
    ] = "auto"


class ShellSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[shell]"""

    path: Annotated[str, Meta(description="the shell, in place of bash")] = ""
    timeout_s: Annotated[
        int, Meta(ge=1, le=1800, description="seconds a command may take by default", extra=PROJECT)
    ] = 120
    env: Annotated[dict[str, str], Meta(description="variables that commands get", extra=PROJECT)] = field(
        default_factory=dict
    )


class PolicySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[policy]: rules such as run(npm test) or write(src/**)"""

    allow: Annotated[tuple[str, ...], Meta(description="what needs no approval", extra=PROJECT)] = ()
    ask: Annotated[tuple[str, ...], Meta(description="what is always asked for", extra=PROJECT)] = ()
    deny: Annotated[tuple[str, ...], Meta(description="what is never done", extra=PROJECT)] = ()
    dangerous: Annotated[
        tuple[str, ...],
        Meta(description="regular expressions of commands that only a person may allow", extra=PROJECT),
    ] = ()
    reviewer: ReviewerSettings = ReviewerSettings()


class TrustSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[trust]"""

    ask: Annotated[bool, Meta(description="ask at the start of a conversation about what a project brings")] = True
    inherit: Annotated[bool, Meta(description="what was accepted in a folder counts for projects within it")] = False


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[audit]"""

    enabled: Annotated[bool, Meta(description="keep a chained record of what is asked, decided and done")] = False


class WorkspaceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[workspace]"""

    extra_dirs: Annotated[tuple[str, ...], Meta(description="further directories to work in")] = ()
    protected: Annotated[
        tuple[str, ...], Meta(description="further paths whose change is always asked for", extra=PROJECT)
    ] = ()


class WebSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[web]"""

    engine: Annotated[
        Literal["auto", "brave", "google", "bing", "searxng", "duckduckgo"],
        Meta(description="where to search; auto takes the first that is set up, and the next when it fails"),
    ] = "auto"
    searxng_url: Annotated[str, Meta(description="the address of a SearXNG of one's own")] = ""
    duckduckgo: Annotated[bool, Meta(description="search with DuckDuckGo, which needs no key")] = False
    allow_private: Annotated[
        tuple[str, ...], Meta(description="hosts that may be fetched though their addresses are not public")
    ] = ()
    cache_ttl_s: Annotated[int, Meta(ge=0, description="seconds for which the results of a search are kept")] = 3600
    max_results: Annotated[int, Meta(ge=1, le=20, description="results of a search by default")] = 10


class SessionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[sessions]"""

    dir: Annotated[str, Meta(description="the folder of session files")] = ""
    title: Annotated[bool, Meta(description="let a small model find a title")] = True
    catalog: Annotated[bool, Meta(description="keep a database of the sessions, so that they are listed at once")] = (
        True
    )


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults are never changed; each layer makes a new value."""

    permission_mode: Annotated[Mode, Meta(description="what needs no approval", extra=PROJECT)] = "default"
    verify: Annotated[
        tuple[str, ...],
        Meta(description="commands that must pass before a turn that changed files ends", extra=PROJECT),
    ] = ()
    profile: Annotated[str, Meta(description="the profile that is laid over the other settings")] = ""
    model: ModelSettings = ModelSettings()
    providers: Annotated[
        dict[str, ServiceSettings],
        Meta(description="services of one's own, or other addresses of those that are known"),
    ] = field(default_factory=dict)
    models: Annotated[dict[str, dict[str, Any]], Meta(description="what is to be known of models", extra=PROJECT)] = (
        field(default_factory=dict)
    )
    tasks: Annotated[
        dict[str, str], Meta(description="models for fast, code, complex, summarize, title, vision, ...", extra=PROJECT)
    ] = field(default_factory=dict)
    roles: Annotated[dict[str, dict[str, str]], Meta(description="models for a role, by provider", extra=PROJECT)] = (
        field(default_factory=dict)
    )
    commands: Annotated[
        dict[str, dict[str, str]], Meta(description="the model, task or pipeline of a command", extra=PROJECT)
    ] = field(default_factory=dict)
    fallbacks: Annotated[
        dict[str, tuple[str, ...]], Meta(description="models that stand in for a named one", extra=PROJECT)
    ] = field(default_factory=dict)
    pipelines: Annotated[dict[str, dict[str, Any]], Meta(description="steps of several models", extra=PROJECT)] = field(
        default_factory=dict
    )
    profiles: Annotated[
        dict[str, dict[str, Any]],
        Meta(description="settings under a name, laid over the others by --profile", extra=PROJECT),
    ] = field(default_factory=dict)
    retry: RetrySettings = RetrySettings()
    agent: AgentSettings = AgentSettings()
    context: ContextSettings = ContextSettings()
    memory: MemorySettings = MemorySettings()
    tools: ToolSettings = ToolSettings()
    shell: ShellSettings = ShellSettings()
    web: WebSettings = WebSettings()
    policy: PolicySettings = PolicySettings()
    sandbox: SandboxSettings = SandboxSettings()
    workspace: WorkspaceSettings = WorkspaceSettings()
    trust: TrustSettings = TrustSettings()
    audit: AuditSettings = AuditSettings()
    secrets: SecretsSettings = SecretsSettings()
    sessions: SessionSettings = SessionSettings()
    ui: UiSettings = UiSettings()
    undo: UndoSettings = UndoSettings()
    auth: AuthSettings = AuthSettings()
    network: NetworkSettings = NetworkSettings()
