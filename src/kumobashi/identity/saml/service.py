"""How one provider knows this console, and what people approved of that provider."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A console as one provider knows it; SAML calls it a service provider."""

    provider: str  # id in the workspace
    entity: str  # our entityID, which is the address of our metadata
    back: str  # where answers come in
    parted: str  # where signing out comes in
    issuer: str  # entityID of the provider, as it was approved
    certificates: frozenset[str]  # SHA-256 of those that were approved, in hexadecimal
    described_by: str | None = None  # SHA-256 of the certificate that signs the metadata
    subject: str | None = None  # the attribute that names people for good; none: the NameID
    shown: str = "displayName"  # the attribute that pages call people by
    contexts: tuple[str, ...] = ()  # how people have to be recognised, if the provider is told
    is_encrypted: bool = False  # assertions may come encrypted to our keys
