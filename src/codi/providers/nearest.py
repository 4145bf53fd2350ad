"""Names of models near to one that a service does not know."""

from codi.protocol.errors import CodiError, NotFound
from codi.providers.provider import Provider


async def with_nearest(error: NotFound, provider: Provider) -> NotFound:
    """The error with the nearest names that the service lists as its hint; the error itself where it lists none."""
    try:
        ids = [entry.id for entry in await provider.models()]
    except CodiError:
        return error  # what went wrong first is what the person should read
    from difflib import get_close_matches  # only for those who mistype

    wanted = provider.model.id
    near = get_close_matches(wanted, ids, n=3, cutoff=0.4) or sorted(ids)[:3]
    if not near or wanted in ids:
        return error
    return NotFound(
        f'model "{wanted}" not found at {provider.model.service}',
        hint=f"Choose one of {', '.join(near)}; `codi models` lists all.",
        status=error.status,
    )
