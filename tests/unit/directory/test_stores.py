"""A cloud of jobs as a workspace names it: encrypted, without secrets, within what clouds take."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from kumobashi.directory.store_models import JobsStore, Store

GOOD: dict[str, Any] = {
    "kind": "jobs",
    "url": "https://cloud.example.jp/api/v1",
    "token_url": "https://cloud.example.jp/token",
    "client_id": "file:private/public-cloud/jobs.id",
    "client_secret": "env:JOBS_SECRET",
}


def read(**changes: Any) -> Any:
    return TypeAdapter(Store).validate_python(GOOD | changes)


def test_a_cloud_of_jobs_is_read_with_the_limits_that_clouds_publish() -> None:
    store = read(limits={"upload_rows": 100_000})

    assert isinstance(store, JobsStore)
    assert (store.limits.upload_bytes, store.limits.upload_rows) == (100_000_000, 100_000)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8790/api", "http://localhost:1", "http://[::1]:9"]
)
def test_only_this_machine_is_spoken_to_unencrypted(url: str) -> None:
    assert read(url=url, token_url=url).url == url


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://cloud.example.jp/api/v1"},
        {"token_url": "http://127.0.0.1.example.jp/token"},
        {"url": "https://user:secret@cloud.example.jp/"},
        {"url": "https://cloud.example.jp/?key=secret"},
        {"url": "ftp://cloud.example.jp/"},
        {"client_secret": "correct horse battery staple"},
        {"limits": {"upload_bytes": 10}},
        {"limits": {"unknown": 1}},
        {"patience_seconds": 0},
        {"charset": "cp932"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_would_be_unsafe_or_is_unknown_is_a_mistake(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as failure:
        read(**changes)
    assert "correct horse" not in str(failure.value.errors(include_input=False))
