"""Object storage with the interface of S3: meets ``RemotePlace``.

An object appears whole or not at all. That one is not written over another's is up to the storage
(``If-None-Match: *``); some ignore the condition and overwrite, so it is tried before anything is
written, once in the life of a process.
"""

import hashlib
import importlib
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from kumobashi.conversion.errors import FileChanged
from kumobashi.conversion.remote.errors import ConditionIgnored, NameTaken, PackageMissing
from kumobashi.conversion.remote.places import WAITING, Listed
from kumobashi.kernel import new_id
from kumobashi.storage.errors import FolderUnreachable

_SECONDS: Final = 30
_WHOLE: Final = 64 << 20  # bytes that are sent in one request; more goes in parts
_PIECE: Final = 8 << 20
_tried: set[tuple[str, str, str]] = set()  # places that honour the condition


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """A bucket, or what lies below a prefix in it."""

    system: str
    name: str  # what people call the system
    endpoint: str
    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    key_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    is_whole_at_once: bool = True

    @property
    def label(self) -> str:
        """The bucket and the prefix."""
        return f"s3:{self.bucket}/{self.prefix}".rstrip("/")

    @contextmanager
    def opened(self) -> Iterator["_Bucket"]:
        """Give the bucket; nothing is asked of it before it is used."""
        try:
            library = importlib.import_module("obstore")
            stores = importlib.import_module("obstore.store")
        except ImportError:
            raise PackageMissing(kind="S3", extra="objects") from None
        store = stores.S3Store(
            self.bucket,
            prefix=self.prefix or None,
            endpoint=self.endpoint,
            region=self.region,
            access_key_id=self.key_id,
            secret_access_key=self.secret_key,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": self.endpoint.startswith("http://"),
                "timeout": timedelta(seconds=_SECONDS),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=_SECONDS)},
        )
        try:
            yield _Bucket(self, library, store)
        except library.exceptions.BaseError as error:
            raise self._unreachable(type(error).__name__) from None
        except (FileNotFoundError, PermissionError) as error:  # no such bucket
            raise self._unreachable(type(error).__name__) from None

    def _unreachable(self, reason: str) -> FolderUnreachable:
        words = {"PermissionDeniedError": "not permitted", "UnauthenticatedError": "key refused"}
        return FolderUnreachable(
            system=self.system,
            name=self.name,
            folder=self.label,
            reason=words.get(reason, "no answer"),
        )


@dataclass(frozen=True)
class _Bucket:
    place: ObjectStorage
    obstore: Any  # the module: imported when it is needed
    store: Any

    def listed(self) -> Sequence[Listed]:
        found = self.obstore.list_with_delimiter(self.store)["objects"]
        return [
            Listed(
                name=str(one["path"]),
                size=int(one["size"]),
                version=str(one["e_tag"]),
                modified=one["last_modified"],
            )
            for one in found
        ]

    def fetch(self, file: Listed, target: Path) -> None:
        try:
            found = self.obstore.get(self.store, file.name, options={"if_match": file.version})
            with target.open("wb") as writing:
                for piece in found.stream(min_chunk_size=_PIECE):
                    writing.write(piece)
        except (FileNotFoundError, self.obstore.exceptions.PreconditionError):
            raise FileChanged(file=file.name) from None
        if target.stat().st_size != file.size:
            raise FileChanged(file=file.name)

    def put(self, source: Path, name: str, ours: Container[str] = ()) -> None:
        self._try_the_condition()
        try:
            self._put_new(source, name)
        except self.obstore.exceptions.AlreadyExistsError:
            pass
        else:
            return
        # It must be replaced as it was looked at, or not at all.
        seen = str(self.obstore.head(self.store, name)["e_tag"])
        there = self.digest(name)
        with source.open("rb") as reading:
            if hashlib.file_digest(reading, "sha256").hexdigest() == there:
                return
        if there not in ours:
            place = self.place
            raise NameTaken(system=place.system, name=place.name, place=place.label, file=name)
        only = {"e_tag": seen}
        self.obstore.put(self.store, name, source, mode=only, use_multipart=False)

    def digest(self, name: str) -> str | None:
        whole = hashlib.sha256()
        try:
            for piece in self.obstore.get(self.store, name).stream(min_chunk_size=_PIECE):
                whole.update(piece)
        except FileNotFoundError:
            return None
        return whole.hexdigest()

    def remove(self, name: str) -> None:
        self.obstore.delete(self.store, name)

    def _put_new(self, source: Path, name: str) -> None:
        if source.stat().st_size <= _WHOLE:
            self.obstore.put(self.store, name, source, mode="create", use_multipart=False)
            return
        # Too large for one request: in parts the name is looked at before, not with it.
        try:
            self.obstore.head(self.store, name)
        except FileNotFoundError:
            with source.open("rb") as reading:
                self.obstore.put(
                    self.store,
                    name,
                    reading,
                    use_multipart=True,
                    chunk_size=_PIECE,
                    max_concurrency=2,
                )
        else:
            raise self.obstore.exceptions.AlreadyExistsError(name)

    def _try_the_condition(self) -> None:
        place = self.place
        key = (place.endpoint, place.bucket, place.prefix)
        if key in _tried:
            return
        name = f"{WAITING}/condition-{new_id()}"
        self.obstore.put(self.store, name, b"1", mode="create")
        try:
            self.obstore.put(self.store, name, b"2", mode="create")
        except self.obstore.exceptions.AlreadyExistsError:
            _tried.add(key)
        else:
            raise ConditionIgnored(system=place.system, name=place.name, place=place.label)
        finally:
            self.obstore.delete(self.store, name)
