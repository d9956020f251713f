"""Scopes of the profile: ``${provider}:${API call name}:${operation}``, one provider per token.

>>> (scope,) = read_scopes("031:app_submit/v10/jutogaishaatenabangofuban:Create")
>>> scope.provider, scope.api, scope.operation.value
('031', 'app_submit/v10/jutogaishaatenabangofuban', 'Create')
>>> str(scope)
'031:app_submit/v10/jutogaishaatenabangofuban:Create'
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kumobashi.calls.linkage.errors import ProvidersMixed, ScopeRefused

MOST_SCOPES: Final = 50  # of one token
_LARGEST: Final = 8192  # characters
_PROVIDER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_API: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~/-]{0,255}")


class Operation(StrEnum):
    """What a scope lets a client do."""

    CREATE = "Create"
    READ = "Read"
    UPDATE = "Update"
    DELETE = "Delete"


# The profile shows Read and Create, both asked by POST; the API call name says which of them it is.
OPERATIONS: Final = {
    "GET": frozenset({Operation.READ}),
    "HEAD": frozenset({Operation.READ}),
    "POST": frozenset({Operation.READ, Operation.CREATE}),
    "PUT": frozenset({Operation.UPDATE}),
    "PATCH": frozenset({Operation.UPDATE}),
    "DELETE": frozenset({Operation.DELETE}),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """One operation of one API call of one provider."""

    provider: str  # business number, or the name of a system that has none
    api: str  # service/version/name
    operation: Operation

    def __str__(self) -> str:
        return f"{self.provider}:{self.api}:{self.operation}"


def read_scopes(text: str) -> tuple[Scope, ...]:
    """Return the scopes of a request, each once, in their order.

    Raises:
        ScopeRefused: none, too many, or one in another form.
        ProvidersMixed: scopes of two providers.
    """
    pieces = list(dict.fromkeys(text.split(" "))) if 0 < len(text) <= _LARGEST else []
    if not 0 < len(pieces) <= MOST_SCOPES:
        raise ScopeRefused(reason=f"1–{MOST_SCOPES}")
    found = tuple(_read(piece) for piece in pieces)
    if len({scope.provider for scope in found}) > 1:
        raise ProvidersMixed
    return found


def _read(text: str) -> Scope:
    parts = text.split(":")
    if (
        len(parts) != 3  # noqa: PLR2004 - provider, API call name, operation
        or not _PROVIDER.fullmatch(parts[0])
        or not _API.fullmatch(parts[1])
        or parts[2] not in set(Operation)
    ):
        raise ScopeRefused(reason="provider:api:operation")
    return Scope(parts[0], parts[1], Operation(parts[2]))
