from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory.document import (
    SiteKeys,
    adopt,
    build,
    load,
    public_keys,
    publish,
    read,
    sign,
)
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import (
    DirectoryAltered,
    DirectoryExpired,
    DirectoryForeign,
    DirectoryMissing,
    DirectoryOld,
    DirectoryUnreadable,
    SiteKeysMissing,
    SiteUnknown,
    SystemUnknown,
)
from kumobashi.directory.models import MunicipalityFile, SiteFile, SystemFile

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KEY = SigningKey.generate()
SITE_KEY = SigningKey.generate()
TOWN = MunicipalityFile.model_validate(
    {
        "kumobashi": 1,
        "municipality": {"code": "999997", "name": "架空市"},
        "network_model": "alpha",
        "contacts": {"it-desk": {"name": "情報政策課", "phone": "000-000-0001", "hours": "平日"}},
    }
)
SITE = SiteFile.model_validate(
    {
        "kumobashi": 1,
        "site": "hall",
        "name": "庁内",
        "kind": "on_premises",
        "zone": "mynumber",
        "role": "endpoint",
        "provider": "架空市",
        "jurisdiction": "JP",
        "url": "http://127.0.0.1:8740",
        "contact": "it-desk",
    }
)
SYSTEM = SystemFile.model_validate(
    {
        "kumobashi": 1,
        "system": "core",
        "name": "統合DB",
        "site": "hall",
        "kind": "standard",
        "contact": "it-desk",
        "store": {"kind": "postgresql", "dsn": "env:KUMO_DB"},
        "datasets": {"residents": {"layout": "resident-registry", "version": "1", "table": "t"}},
    }
)


def made(version: int = 1, valid_for: timedelta = timedelta(days=90)) -> Directory:
    keys = {"hall": SiteKeys(sign=(SITE_KEY.public,), seal=(SealKey.generate().recipient,))}
    return build(
        TOWN,
        {"hall": SITE},
        {"core": SYSTEM},
        keys,
        version=version,
        issued=NOW,
        valid_for=valid_for,
    )


def test_what_is_published_is_what_is_read(tmp_path: Path) -> None:
    directory = made()
    path = tmp_path / "directory.jws"

    publish(path, directory, KEY)

    found = load(path, trusted=KEY.public, now=NOW, municipality="999997", known=1)
    assert found == directory
    assert found.owner_of(SITE_KEY.kid) == "hall"
    assert found.owner_of("nobody") is None
    assert found.keys_of("hall") == {SITE_KEY.kid: SITE_KEY.public}
    assert found.contact_of("hall") is not None
    assert "KUMO_DB" not in path.read_text(encoding="ascii")


def test_another_key_or_one_changed_byte_is_refused() -> None:
    token = sign(made(), KEY)
    head, payload, signature = token.split(".")
    changed = ("A" if payload[40] != "A" else "B").join((payload[:40], payload[41:]))

    for text, key in ((token, SigningKey.generate()), (f"{head}.{changed}.{signature}", KEY)):
        with pytest.raises(DirectoryAltered):
            read(text, trusted=key.public, now=NOW)


def test_expired_old_and_foreign_ones_are_refused() -> None:
    token = sign(made(version=3), KEY)

    with pytest.raises(DirectoryExpired):
        read(token, trusted=KEY.public, now=NOW + timedelta(days=90))
    with pytest.raises(DirectoryOld):
        read(token, trusted=KEY.public, now=NOW, known=4)
    with pytest.raises(DirectoryForeign):
        read(token, trusted=KEY.public, now=NOW, municipality="999989")
    assert read(token, trusted=KEY.public, now=NOW, known=3).version == 3


def test_a_newer_form_is_refused_and_unknown_fields_do_no_harm() -> None:
    from kumobashi.crypto import jws
    from kumobashi.crypto.canonical import canonical, read_json
    from kumobashi.directory.document import TYP

    payload = jws.verify(sign(made(), KEY), {KEY.kid: KEY.public}, TYP).payload
    body = read_json(payload)
    assert isinstance(body, dict)

    def signed(**changes: object) -> str:
        return jws.sign(canonical({**body, **changes}), KEY, TYP)

    assert read(signed(later="x"), trusted=KEY.public, now=NOW).version == 1
    with pytest.raises(DirectoryUnreadable):
        read(signed(format=2), trusted=KEY.public, now=NOW)
    with pytest.raises(DirectoryUnreadable):
        read(signed(sites={"hall": {}}), trusted=KEY.public, now=NOW)


def test_a_gateway_keeps_its_last_good_copy(tmp_path: Path) -> None:
    offered, kept = tmp_path / "directory.jws", tmp_path / "var" / "directory.jws"

    def adopted(now: datetime = NOW) -> int:
        found = adopt(offered, kept, trusted=KEY.public, now=now, municipality="999997")
        return found.version

    with pytest.raises(DirectoryMissing):
        adopted()
    publish(offered, made(version=2), KEY)
    assert adopted() == 2
    publish(offered, made(version=1), KEY)  # a replay
    assert adopted() == 2
    publish(offered, made(version=9), SigningKey.generate())  # a forgery
    assert adopted() == 2
    offered.unlink()  # the centre is lost
    assert adopted() == 2
    with pytest.raises(DirectoryMissing):
        adopted(NOW + timedelta(days=90))
    publish(offered, made(3, timedelta(days=200)), KEY)
    assert adopted(NOW + timedelta(days=100)) == 3


def test_an_old_one_is_refused_even_after_the_copy_has_expired(tmp_path: Path) -> None:
    offered, kept = tmp_path / "directory.jws", tmp_path / "kept.jws"
    publish(kept, made(version=5), KEY)
    publish(offered, made(4, timedelta(days=400)), KEY)

    with pytest.raises(DirectoryOld):
        adopt(
            offered,
            kept,
            trusted=KEY.public,
            now=NOW + timedelta(days=100),
            municipality="999997",
        )


def test_unknown_names_and_missing_keys_say_so(tmp_path: Path) -> None:
    directory = made()

    with pytest.raises(SiteUnknown):
        directory.site("moon")
    with pytest.raises(SystemUnknown):
        directory.dataset("core", "moons")
    with pytest.raises(SiteKeysMissing):
        public_keys(tmp_path, {"hall": SITE})


def test_a_relay_can_read_it_without_the_bulk_engines() -> None:
    import subprocess
    import sys

    program = (
        "import sys, kumobashi.directory.document, kumobashi.routing.finding,"
        " kumobashi.storage.documents, kumobashi.policy.deciding\n"
        "print([m for m in ('duckdb', 'pyarrow', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
