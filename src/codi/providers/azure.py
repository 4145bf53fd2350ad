"""OpenAI's models at Azure: the same two formats at other addresses, under names that the customer gave.

A deployment is a model under a name of the customer's. The older interface has a path for each deployment and is dated by
`api-version`; the newer one, under `/openai/v1`, names the deployment in the body and speaks the Responses format.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from msgspec import Struct

from codi.protocol.errors import ConfigError
from codi.protocol.events import Delta
from codi.providers.openai_chat import OpenAIChat
from codi.providers.openai_compat import Compat
from codi.providers.openai_endpoint import Endpoint
from codi.providers.openai_responses import OpenAIResponses
from codi.providers.provider import Credential, ModelEntry, Reply, Request
from codi.providers.transport import Transport

API_VERSION = "2024-10-21"
"""The last dated version of the older interface that is generally available."""

OLDER_INTERFACE = Compat(
    developer_role=True,
    max_tokens_field="by_model",
    strict=True,
    temperature_fixed="thinking",
    parallel_tool_calls=True,
    stop_limit=4,
)
"""What the older interface accepts of what OpenAI does: it keeps no copies and knows no cache keys."""


class AzureAddress(Struct, frozen=True, kw_only=True):
    """Where a model is found: the transport leads to `base_url`, and to it belong the paths of `endpoint`."""

    base_url: str
    endpoint: Endpoint
    speaks_responses: bool


def azure_address(env: Mapping[str, str], model: str) -> AzureAddress:
    """The address of `model` by the variables AZURE_OPENAI_BASE_URL or _ENDPOINT, else _RESOURCE_NAME, and _API_VERSION and
    _DEPLOYMENT_NAME_MAP. A base URL may also lead to a deployment or to its `/chat/completions`; it is taken as it stands,
    its query included."""
    said = env.get("AZURE_OPENAI_BASE_URL") or env.get("AZURE_OPENAI_ENDPOINT") or _of_resource(env)
    url = urlsplit(said if "://" in said else f"https://{said}")
    path = url.path.rstrip("/")
    query = dict(parse_qsl(url.query))
    version = env.get("AZURE_OPENAI_API_VERSION", "")
    if version:
        query["api-version"] = version
    deployment = deployments_of(env.get("AZURE_OPENAI_DEPLOYMENT_NAME_MAP", "")).get(model, model)

    speaks_responses = False
    to_chat, to_models = "/chat/completions", "/models"
    for ending in ("/chat/completions", "/responses"):
        if path.endswith(ending):
            path = path.removesuffix(ending)
            speaks_responses = ending == "/responses"
    if path.endswith("/openai/v1"):
        speaks_responses = speaks_responses or not url.path.rstrip("/").endswith("/chat/completions")
    elif not speaks_responses:
        query.setdefault("api-version", API_VERSION)
        path, named, given = path.partition("/deployments/")
        if named:
            to_chat = f"/deployments/{given}/chat/completions"
        elif path.endswith("/models"):  # the inference endpoint of a Foundry resource
            to_models = ""
        else:
            path = path.removesuffix("/openai") + "/openai"
            to_chat = f"/deployments/{quote(deployment, safe='')}/chat/completions"
    tail = f"?{urlencode(query)}" if query else ""
    return AzureAddress(
        base_url=urlunsplit((url.scheme, url.netloc, path, "", "")),
        endpoint=Endpoint(
            path=("/responses" if speaks_responses else to_chat) + tail,
            models_path=to_models + tail,
            served_as=deployment,
            key_header="api-key",
            deployed_by="AZURE_OPENAI_DEPLOYMENT_NAME_MAP",
        ),
        speaks_responses=speaks_responses,
    )


def deployments_of(text: str) -> dict[str, str]:
    """`model=deployment,…` as a mapping."""
    pairs = (pair.partition("=") for pair in text.split(","))
    return {model.strip(): name.strip() for model, _, name in pairs if model.strip() and name.strip()}


class Azure:
    """`transport` leads to the base URL of the address."""

    def __init__(
        self,
        model: ModelEntry,
        credential: Credential,
        transport: Transport,
        *,
        address: AzureAddress,
        compat: Compat = OLDER_INTERFACE,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        endpoint = address.endpoint
        self._spoken: OpenAIChat | OpenAIResponses
        if address.speaks_responses:
            self._spoken = OpenAIResponses(model, credential, transport, endpoint=endpoint, handoff=handoff)
        else:
            self._spoken = OpenAIChat(model, credential, transport, compat=compat, endpoint=endpoint, handoff=handoff)
        self.model = model
        self.origin = self._spoken.origin

    def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        return self._spoken.stream(request)

    async def models(self) -> Sequence[ModelEntry]:
        return await self._spoken.models()

    async def count(self, request: Request) -> int | None:
        return await self._spoken.count(request)


def _of_resource(env: Mapping[str, str]) -> str:
    name = env.get("AZURE_OPENAI_RESOURCE_NAME", "").strip()
    if not name:
        raise ConfigError(
            "the address of Azure OpenAI is not set",
            hint="Set AZURE_OPENAI_BASE_URL (or AZURE_OPENAI_ENDPOINT), or AZURE_OPENAI_RESOURCE_NAME.",
        )
    return f"https://{name}.openai.azure.com"
