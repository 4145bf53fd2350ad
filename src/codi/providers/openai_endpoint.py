"""Where a service of OpenAI's formats listens, under which name it knows the model, and how it is shown the key."""

from typing import Literal

from msgspec import Struct

from codi.protocol.errors import NotFound
from codi.protocol.messages import Origin
from codi.providers.nearest import with_nearest
from codi.providers.provider import Credential, ModelEntry, Provider


class Endpoint(Struct, frozen=True, kw_only=True):
    """Paths are appended to the base URL and may end with a query."""

    path: str
    models_path: str = "/models"
    served_as: str = ""
    """The model's name at this service, where that is not its id."""
    key_header: Literal["authorization", "api-key"] = "authorization"

    deployed_by: str = ""
    """What maps models to names of the customer's own, where the service knows them by no other. Its list does not tell these."""

    def name_of(self, model: ModelEntry) -> str:
        return self.served_as or model.id

    async def headers(self, credential: Credential) -> dict[str, str]:
        """The header that shows the key; none where no key is needed."""
        secret = await credential.secret()
        if secret is None:
            return {}
        # Azure takes keys in a header of their own, and Entra's tokens, which are JWTs, as a bearer.
        is_token = secret.startswith("eyJ") and secret.count(".") == 2
        if self.key_header == "api-key" and not is_token:
            return {"api-key": secret}
        return {"authorization": f"Bearer {secret}"}

    async def explained(self, error: NotFound, provider: Provider) -> NotFound:
        """The error with a hint at names that the service does know."""
        if not self.deployed_by:
            return await with_nearest(error, provider)
        name = self.name_of(provider.model)
        hint = f"Check that {name} is deployed; {self.deployed_by} maps a model to the name of its deployment."
        return NotFound(str(error), hint=hint, status=error.status)


def origin_of(api: str, model: ModelEntry) -> Origin:
    return Origin(api=api, provider=model.service, model=model.id)
