"""SimpleSAMLphp as the provider of a municipality, with OpenLDAP behind it; both are Debian's."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kumobashi.testing.saml_provider import key_of
from kumobashi.testing.town import free_ports
from tests.peers.entrances import have
from tests.peers.running import running
from tools import debian_programs

PHP = ("simplesamlphp", "php8.2-cli", "php8.2-mbstring", "php8.2-ldap", "php8.2-xml")
WANTED = ("mbstring", "ldap")  # of PHP, beyond what every PHP has
ROOT = "dc=city,dc=example"
PEOPLE = {
    "hanako": ("運用 花子", "情報政策課"),
    "taro": ("監査 太郎", "監査委員事務局"),
    "jiro": ("道路 次郎", "道路課"),
}
SECRET = "a word of this test"
KNOWN = ("console", "other")
_NOBODY = '<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>'
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass(frozen=True, slots=True)
class Peer:
    """A provider that runs, and the folder of its metadata about others."""

    address: str
    folder: Path

    def describe(self) -> bytes:
        """Return what it says of itself."""
        said = httpx.get(f"{self.address}saml2/idp/metadata.php", timeout=30)
        return said.raise_for_status().content

    def know(self, name: str, metadata: bytes) -> None:
        """Tell it about a console, by the console's own metadata."""
        (self.folder / f"{name}.xml").write_bytes(metadata)


@contextmanager
def directory(folder: Path) -> Iterator[str]:
    """Run OpenLDAP with the people of this test."""
    slapd = have("slapd", "slapd")
    folder.mkdir()
    (folder / "data").mkdir()
    schemas = slapd.root / "etc/ldap/schema"
    lines = [
        *(f"include {schemas}/{name}.schema" for name in ("core", "cosine", "inetorgperson")),
        f"modulepath {slapd.root / 'usr/lib/ldap'}",
        "moduleload back_mdb",
        "database mdb",
        "maxsize 10485760",
        f'suffix "{ROOT}"',
        f"directory {folder / 'data'}",
    ]
    conf, people = folder / "slapd.conf", folder / "people.ldif"
    conf.write_text("\n".join(lines) + "\n", encoding="utf-8")
    entries = [f"dn: {ROOT}\nobjectClass: dcObject\nobjectClass: organization\no: city\ndc: city\n"]
    entries += [
        f"dn: uid={uid},{ROOT}\nobjectClass: inetOrgPerson\nuid: {uid}\nsn: {shown}\ncn: {shown}\n"
        f"displayName: {shown}\nou: {office}\nuserPassword: {SECRET}\n"
        for uid, (shown, office) in PEOPLE.items()
    ]
    people.write_text("\n".join(entries), encoding="utf-8")
    add: list[str | Path] = [slapd.path, "-T", "add", "-f", conf, "-l", people]
    subprocess.run(add, env=slapd.starts(), check=True, capture_output=True)
    (port,) = free_ports(1)
    address = f"ldap://127.0.0.1:{port}"
    serve: list[str | Path] = [slapd.path, "-f", conf, "-h", address, "-d", "0"]
    with running(serve, folder / "slapd.log", lambda: is_open(port), slapd.starts()):
        yield address


@contextmanager
def provider(folder: Path, ldap: str, **more: object) -> Iterator[Peer]:
    """Run SimpleSAMLphp by PHP's own server, recognising whoever the directory knows.

    ``more`` goes into its settings as a provider.
    """
    try:
        php = debian_programs.unpacked("php", *PHP)
    except debian_programs.ProgramMissing as error:
        pytest.skip(str(error))
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}/"
    known = _configured(folder, address, ldap, php.root / "usr/share/simplesamlphp", more)
    www = php.root / "usr/share/simplesamlphp/www"
    command: list[str | Path] = [php.path, *_extensions(php), "-d", "display_errors=0"]
    command += ["-d", f"session.save_path={folder}", "-S", f"127.0.0.1:{port}", "-t", www]
    environment = php.starts() | {"SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config")}
    with running(command, folder / "php.log", lambda: is_open(port), environment):
        yield Peer(address, known)


def _extensions(php: debian_programs.Program) -> list[str]:
    listed = subprocess.run(
        [php.path, "-m"], env=php.starts(), capture_output=True, text=True, check=True
    )
    missing = [name for name in WANTED if name not in listed.stdout.split()]
    found = [next(php.root.glob(f"usr/lib/php/*/{name}.so")) for name in missing]
    return [word for path in found for word in ("-d", f"extension={path}")]


def _configured(
    folder: Path, address: str, ldap: str, installed: Path, more: dict[str, object]
) -> Path:
    config, known = folder / "config", folder / "config" / "metadata"
    known.mkdir(parents=True)
    for name in KNOWN:
        (known / f"{name}.xml").write_text(_NOBODY, encoding="utf-8")
    certificates = folder / "cert"
    certificates.mkdir()
    key = key_of("simplesaml")
    plain = key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (certificates / "idp.key").write_bytes(plain)
    (certificates / "idp.crt").write_bytes(key.certificate.public_bytes(Encoding.PEM))
    _written(
        config,
        "config",
        {
            "baseurlpath": address,
            "certdir": f"{certificates}/",
            "loggingdir": f"{folder}/",
            "datadir": f"{folder}/",
            "tempdir": f"{folder}/temp",
            "metadatadir": f"{known}/",
            "attributenamemapdir": f"{installed.parents[2]}/etc/simplesamlphp/attributemap/",
            "logging.handler": "file",
            "logging.level": 7,
            "secretsalt": "a salt of this test",
            "technicalcontact_email": "nobody@city.example.jp",
            "auth.adminpassword": "none of this test",
            "enable.saml20-idp": True,
            "store.type": "phpsession",
            "session.cookie.secure": False,
            "session.phpsession.savepath": str(folder),
            "session.phpsession.cookiename": "PEER",
            "language.default": "ja",
            "language.available": ["ja", "en"],
            "timezone": "UTC",
            "metadata.sources": [
                {"type": "flatfile"},
                *({"type": "xml", "file": str(known / f"{name}.xml")} for name in KNOWN),
            ],
        },
    )
    _written(
        config,
        "authsources",
        {
            "people": {
                0: "ldap:LDAP",
                "hostname": ldap,
                "enable_tls": False,
                "attributes": ["uid", "displayName", "ou"],
                "dnpattern": f"uid=%username%,{ROOT}",
                "search.enable": False,
            }
        },
        name="config",
    )
    _written(
        known,
        "saml20-idp-hosted",
        {
            f"{address}saml2/idp/metadata.php": {
                "host": "__DEFAULT__",
                "privatekey": "idp.key",
                "certificate": "idp.crt",
                "auth": "people",
                "redirect.sign": True,
                "redirect.validate": True,
                "validate.logout": True,
                "sign.logout": True,
                "NameIDFormat": _PERSISTENT,
                "authproc": {"3": {"class": "saml:PersistentNameID", "attribute": "uid"}},
            }
            | more
        },
        name="metadata",
    )
    return known


def _written(folder: Path, file: str, said: dict[Any, Any], name: str = "config") -> None:
    """Write an array of PHP; its values come from JSON beside it, so that nothing is quoted."""
    held = folder / f"{file}.json"
    held.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    code = f"<?php\n${name} = json_decode(file_get_contents('{held}'), true);\n"
    (folder / f"{file}.php").write_text(code, encoding="utf-8")


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as asking:
        asking.settimeout(1)
        return asking.connect_ex(("127.0.0.1", port)) == 0
