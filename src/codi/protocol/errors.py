"""Errors meant for the person.

CodiError                 something the person can mend; always carries a hint
+-- UsageError            the command line asks for something that does not exist
+-- ConfigError           a setting is missing or wrong
+-- CredentialError       a key is missing or was refused
|   +-- KeyRefused        the service refused it
+-- LimitReached          a limit that the person set was reached
+-- ProviderError         the model's service refused or failed
|   +-- RateLimited       try again after `retry_after_s`
|   +-- Overloaded        the service is busy, try again
|   +-- QuotaExhausted    a usage limit that takes more than minutes to pass
|   +-- CircuitOpen       it failed too often, and is left alone for a while
|   +-- ServerFailed      the service failed with a 5xx of its own
|   +-- NetworkError      the service cannot be reached
|   +-- StreamCut         the answer ended before its end mark
|   +-- IdleTimeout       nothing was heard for too long
|   +-- MalformedAnswer   the service answered something that is no answer
|   +-- ContextOverflow   the conversation is longer than the model's window
|   +-- BadRequest        the service does not accept the request
|   |   +-- ToolsUnsupported  because it has tools, and the model takes none
|   +-- NotFound          the service does not know the model
|   +-- Refused           the service will not answer this
+-- SessionError          a session cannot be read or written
+-- WorkspaceError        files or processes cannot be reached, or may not be

An error meant for the model is no exception: it is a ToolResult with is_error set.
Anything else that is raised is a bug in codi.
"""


class CodiError(Exception):
    """`str(error)` is one line that says what and where; `hint` says what to do now; `code` is for programs."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CodiError):
    code = "usage"
    exit_status = 2


class ConfigError(CodiError):
    code = "config"
    exit_status = 2


class CredentialError(CodiError):
    code = "credential"


class KeyRefused(CredentialError):
    pass


class LimitReached(CodiError):
    """`limit` names which: steps, time, cost or tokens."""

    code = "limit"
    exit_status = 124

    def __init__(self, message: str, *, hint: str, limit: str) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class ProviderError(CodiError):
    """`retriable` says whether the same request may succeed a moment later; `status` is HTTP's, where there was one."""

    code = "provider"
    retriable = False

    def __init__(
        self, message: str, *, hint: str, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after_s = retry_after_s


class RateLimited(ProviderError):
    code = "rate_limited"
    retriable = True


class Overloaded(ProviderError):
    code = "overloaded"
    retriable = True


class QuotaExhausted(ProviderError):
    code = "quota_exhausted"


class CircuitOpen(ProviderError):
    code = "circuit_open"


class ServerFailed(ProviderError):
    code = "server_failed"
    retriable = True


class NetworkError(ProviderError):
    code = "network"
    retriable = True


class StreamCut(ProviderError):
    code = "stream_cut"
    retriable = True


class IdleTimeout(ProviderError):
    code = "idle_timeout"
    retriable = True


class MalformedAnswer(ProviderError):
    code = "malformed_answer"


class ContextOverflow(ProviderError):
    code = "context_overflow"


class BadRequest(ProviderError):
    code = "bad_request"


class ToolsUnsupported(BadRequest):
    code = "tools_unsupported"


class NotFound(ProviderError):
    code = "model_not_found"


class Refused(ProviderError):
    code = "refused"


class SessionError(CodiError):
    code = "session"


class WorkspaceError(CodiError):
    code = "workspace"
