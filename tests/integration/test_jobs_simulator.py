"""The simulated cloud by itself: what it lets through, what it refuses, and how it says so."""

import csv
import http.client
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from kumobashi.conversion.jobs.asking import ask_rows
from kumobashi.conversion.jobs.cloud import Session
from kumobashi.testing.jobs_cloud.cloud import ROOT
from kumobashi.testing.jobs_cloud.running import RunningCloud, jobs_cloud
from kumobashi.testing.jobs_cloud.settings import CLIENT_ID, CLIENT_SECRET
from tests.integration.test_jobs_tables import SETTINGS

pytestmark = pytest.mark.slow
WISH = {"object": "t", "operation": "upsert", "externalIdFieldName": "key"}


class Client:
    """A program that knows nothing of ours."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        _, said, _ = self.send("POST", "/token", urlencode(form).encode(), token="")
        self.token = said["access_token"]

    def send(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        line = http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=20)
        bearer = self.token if token is None else token
        line.request(method, ROOT + path, body, {"Authorization": f"Bearer {bearer}"})
        answer = line.getresponse()
        said, headers = answer.read(), dict(answer.getheaders())
        line.close()
        is_json = headers.get("Content-Type") == "application/json" and said
        return answer.status, json.loads(said) if is_json else said.decode(), headers

    def made(self, **wish: str) -> str:
        status, said, _ = self.send("POST", "/jobs/ingest", json.dumps(WISH | wish).encode())
        assert status == 200, said
        return str(said["id"])

    def move(self, job: str, state: str) -> int:
        body = json.dumps({"state": state}).encode()
        return self.send("PATCH", f"/jobs/ingest/{job}", body)[0]

    def ended(self, job: str) -> dict[str, Any]:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            _, said, _ = self.send("GET", f"/jobs/ingest/{job}")
            if said["state"] in {"JobComplete", "Failed", "Aborted"}:
                return dict(said)
            time.sleep(0.02)
        raise AssertionError("it never ends")

    def rows(self, job: str, which: str) -> list[dict[str, str]]:
        _, text, _ = self.send("GET", f"/jobs/ingest/{job}/{which}")
        return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with jobs_cloud(tmp_path / "cloud", SETTINGS) as running:
        yield Client(running)


def test_a_job_takes_rows_once_and_moves_as_its_states_allow(client: Client) -> None:
    job = client.made()
    assert client.send("GET", f"/jobs/ingest/{job}/successfulResults")[0] == 400
    assert client.send("PUT", f"/jobs/ingest/{job}/batches", b"key,name\na,x\n")[0] == 201
    status, said, _ = client.send("PUT", f"/jobs/ingest/{job}/batches", b"key,name\nb,y\n")
    assert (status, said[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert client.send("DELETE", f"/jobs/ingest/{job}")[0] == 409

    assert client.move(job, "UploadComplete") == 200
    told = client.ended(job)

    assert (told["state"], told["numberRecordsProcessed"]) == ("JobComplete", 1)
    assert client.move(job, "UploadComplete") == client.move(job, "Aborted") == 409
    assert client.send("PUT", f"/jobs/ingest/{job}/batches", b"key\nc\n")[0] == 409
    assert client.send("DELETE", f"/jobs/ingest/{job}")[0] == 204
    assert client.send("GET", f"/jobs/ingest/{job}")[0] == 404


def test_every_row_is_judged_by_itself(client: Client) -> None:
    job = client.made()
    body = "key,name,born\na,甲,2001-12-31\n,乙,\nb,丙,2001-13-01\na,丁,\nc," + "長" * 21 + ",\n"
    client.send("PUT", f"/jobs/ingest/{job}/batches", body.encode())
    client.move(job, "UploadComplete")

    told = client.ended(job)

    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (5, 4)
    (taken,) = client.rows(job, "successfulResults")
    assert (taken["key"], taken["sky__Created"]) == ("a", "true")
    refused = {row["sky__Error"].split(":")[0] for row in client.rows(job, "failedResults")}
    assert refused == {
        "MISSING_ARGUMENT", "INVALID_TYPE_ON_FIELD_IN_RECORD", "DUPLICATE_VALUE", "STRING_TOO_LONG"
    }  # fmt: skip
    assert client.rows(job, "unprocessedrecords") == []


def test_an_empty_field_leaves_what_is_there_and_the_sign_for_empty_takes_it_away(
    client: Client,
) -> None:
    client.cloud.give("t", [{"key": "a", "name": "甲", "born": "2001-12-31"}])
    job = client.made()
    client.send("PUT", f"/jobs/ingest/{job}/batches", b"key,name,born\na,,#N/A\n")
    client.move(job, "UploadComplete")
    client.ended(job)

    (row,) = client.cloud.rows("t")
    assert (row["name"], row["born"]) == ("甲", None)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"object": "no"}, "INVALIDENTITY"),
        ({"operation": "hardDelete"}, "INVALIDJOB"),
        ({"externalIdFieldName": "name"}, "INVALIDJOB"),
        ({"contentType": "XML"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(
    client: Client, wish: dict[str, str], code: str
) -> None:
    status, said, _ = client.send("POST", "/jobs/ingest", json.dumps(WISH | wish).encode())
    assert (status, said[0]["errorCode"]) == (400, code)


def test_nobody_gets_in_without_a_token_that_still_counts(tmp_path: Path) -> None:
    with jobs_cloud(tmp_path / "c", SETTINGS.with_limits(token_seconds=0.3)) as cloud:
        client = Client(cloud)
        assert client.send("GET", "/jobs/ingest")[0] == 200
        assert client.send("GET", "/jobs/ingest", token="made up")[0] == 401
        time.sleep(0.4)
        assert client.send("GET", "/jobs/ingest")[0] == 401


def test_limits_are_kept(tmp_path: Path) -> None:
    few = SETTINGS.with_limits(
        upload_bytes=100, row_characters=60, columns=3, open_jobs=2, jobs_a_day=4, listed_jobs=1
    )
    with jobs_cloud(tmp_path / "c", few) as cloud:
        client = Client(cloud)
        first, second = client.made(), client.made()
        status, said, _ = client.send("POST", "/jobs/ingest", json.dumps(WISH).encode())
        assert (status, said[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
        for body, code in ((b"k" * 101, 413), (b"key\n" + b"k" * 61, 400), (b"a,b,c,d\n", 400)):
            assert client.send("PUT", f"/jobs/ingest/{first}/batches", body)[0] == code
        client.move(first, "Aborted")
        client.move(second, "Aborted")
        client.made()
        client.made()
        status, said, _ = client.send("POST", "/jobs/ingest", json.dumps(WISH).encode())
        assert (status, said[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
        seen, path = 0, "/jobs/ingest"
        while path:
            _, said, _ = client.send("GET", path)
            seen += len(said["records"])
            path = f"/jobs/ingest?locator={said['nextLocator']}" if said["nextLocator"] else ""
        assert seen == 4


def test_jobs_that_stay_open_end_and_old_results_are_forgotten(tmp_path: Path) -> None:
    short = SETTINGS.with_limits(open_seconds=0.3, results_seconds=0.5)
    with jobs_cloud(tmp_path / "c", short) as cloud:
        client = Client(cloud)
        job = client.made()
        assert client.ended(job)["state"] == "Aborted"
        end = time.monotonic() + 10
        while client.send("GET", f"/jobs/ingest/{job}")[0] != 404:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_what_was_told_is_there_after_a_power_cut(client: Client) -> None:
    job = client.made()
    client.send("PUT", f"/jobs/ingest/{job}/batches", b"key,name\na,x\n")
    client.move(job, "UploadComplete")
    client.cloud.kill()
    client.cloud.start()

    assert client.ended(job)["state"] == "JobComplete"
    assert [row["key"] for row in client.cloud.rows("t")] == ["a"]


@pytest.mark.parametrize("on_every_page", [True, False])
def test_pages_with_and_without_names_above_them_are_the_same_rows(
    tmp_path: Path, on_every_page: bool
) -> None:
    settings = replace(SETTINGS.with_limits(page_rows=7), names_on_every_page=on_every_page)
    rows: list[dict[str, str | None]] = [
        {"key": f"{n:02}", "name": 'あ,"い"\nう' if n % 2 else None} for n in range(20)
    ]
    with jobs_cloud(tmp_path / "c", settings) as cloud:
        cloud.give("t", rows)
        target = tmp_path / "all.csv"

        assert ask_rows(Session(cloud.cloud()), "t", ("key", "name"), target) == 20

    with target.open(encoding="utf-8", newline="") as lines:
        found = [(row["key"], row["name"] or None) for row in csv.DictReader(lines)]
    assert found == [(row["key"], row["name"]) for row in rows]
