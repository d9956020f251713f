"""The services of systems, with what their documents say put beside what the files say.

What comes out is what the directory holds: names, kinds, versions, operations and the digest of the
document. Addresses of systems and the names of files stay behind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from kumobashi.directory.entries import InterfaceEntry, OperationEntry, ServiceEntry
from kumobashi.directory.models import Dataset, SystemFile
from kumobashi.directory.service_models import AnswerFile, InterfaceFile, OperationFile, ServiceFile
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.interfaces import (
    DocumentedOperation,
    InterfaceDocument,
    InterfaceUnreadable,
)
from kumobashi.storage.mistakes import Path

Documents = Mapping[str, InterfaceDocument | InterfaceUnreadable]
Services = Mapping[str, Mapping[str, ServiceEntry]]  # by system, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOperation:
    """One operation that an online link uses, of one version."""

    version: str
    name: str
    method: str
    path: str
    request: tuple[str, ...]  # items that the asking system gives
    answer: AnswerFile
    last_day: date | None = None  # of the version


def services_of(system: SystemFile, documents: Documents) -> dict[str, ServiceEntry]:
    """Return the services of a system that was checked, as the directory has them."""
    return {
        name: ServiceEntry(
            name=service.name,
            kind=service.kind,
            interfaces={
                version: InterfaceEntry(
                    operations=dict(_operations(interface, documents)),
                    document=_digest(interface, documents),
                    last_day=interface.last_day,
                )
                for version, interface in service.versions.items()
            },
            test_only=service.test_only,
        )
        for name, service in system.services.items()
    }


def layouts_named(system: SystemFile) -> Iterator[tuple[Path, Dataset | AnswerFile]]:
    """Give what names a version of a layout in a system's file, with the path of that version."""
    for key, dataset in system.datasets.items():
        yield ("datasets", key, "version"), dataset
    for name, service in system.services.items():
        for version, interface in service.versions.items():
            for operation, asked in interface.operations.items():
                at = ("services", name, "versions", version, "operations", operation)
                yield (*at, "answer", "version"), asked.answer


def asked_by(call: CallFile, service: ServiceFile, entry: ServiceEntry) -> Iterator[AskedOperation]:
    """Give the operations that an online link uses, in the order of its versions."""
    for version in call.versions:
        for name, operation in service.versions[version].operations.items():
            if call.operations is None or name in call.operations:
                asked = entry.interfaces[version].operations[name]
                yield AskedOperation(
                    version=version,
                    name=name,
                    method=asked.method,
                    path=asked.path,
                    request=operation.request,
                    answer=operation.answer,
                    last_day=service.versions[version].last_day,
                )


def documented(
    interface: InterfaceFile, name: str, documents: Documents
) -> DocumentedOperation | None:
    """Return what the document of an interface says of an operation, if it was read and does."""
    held = documents.get(interface.document) if interface.document else None
    return held.operations.get(name) if isinstance(held, InterfaceDocument) else None


def asked_as(
    operation: OperationFile, said: DocumentedOperation | None
) -> tuple[str | None, str | None]:
    """Return method and path: as the file says, else as the document does."""
    return (
        operation.method or (said.method if said else None),
        operation.path or (said.path if said else None),
    )


def _operations(
    interface: InterfaceFile, documents: Documents
) -> Iterator[tuple[str, OperationEntry]]:
    for name, operation in interface.operations.items():
        method, path = asked_as(operation, documented(interface, name, documents))
        if method is not None and path is not None:  # otherwise it is a mistake, told already
            yield name, OperationEntry(method=method, path=path)


def _digest(interface: InterfaceFile, documents: Documents) -> str | None:
    held = documents.get(interface.document) if interface.document else None
    return held.digest if isinstance(held, InterfaceDocument) else None
