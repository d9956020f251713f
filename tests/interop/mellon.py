"""Apache with mod_auth_mellon: somebody else's console at the same provider; both are Debian's."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kumobashi.testing.saml_provider import key_of
from kumobashi.testing.town import free_ports
from tests.interop.simplesaml import Peer, is_open
from tests.peers.running import running
from tools import debian_programs

PACKAGES = ("apache2-bin", "libapache2-mod-auth-mellon")
MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_mellon")
_CONF = """\
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
DocumentRoot {folder}/www
{user}
{modules}
<Location />
  MellonEnable info
  MellonEndpointPath /mellon
  MellonSecureCookie Off
  MellonSPPrivateKeyFile {folder}/sp.key
  MellonSPCertFile {folder}/sp.crt
  MellonIdPMetadataFile {folder}/idp.xml
</Location>
<Location /in>
  MellonEnable auth
  AuthType Mellon
  Require valid-user
</Location>
"""


@dataclass(frozen=True, slots=True)
class Other:
    """Another console that runs."""

    address: str


@contextmanager
def served(peer: Peer) -> Iterator[Other]:
    """Run it, known to ``peer``."""
    try:
        apache = debian_programs.unpacked("apache", *PACKAGES)
    except debian_programs.ProgramMissing as error:
        pytest.skip(str(error))
    # Apache reads its files as nobody where root runs the tests.
    with tempfile.TemporaryDirectory(prefix="mellon-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (port,) = free_ports(1)
        installed = apache.root / "usr/lib/apache2/modules"
        loads = [f"LoadModule {name}_module {installed}/mod_{name}.so" for name in MODULES]
        user = "User nobody\nGroup nogroup" if os.getuid() == 0 else ""
        text = _CONF.format(folder=folder, port=port, modules="\n".join(loads), user=user)
        (folder / "www/in").mkdir(parents=True)
        (folder / "www/in/page.txt").write_text("inside\n", encoding="ascii")
        (folder / "apache.conf").write_text(text, encoding="utf-8")
        key = key_of("mellon")
        plain = key.key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
        (folder / "sp.key").write_bytes(plain)
        (folder / "sp.crt").write_bytes(key.certificate.public_bytes(Encoding.PEM))
        (folder / "idp.xml").write_bytes(peer.describe())
        command: list[str | Path] = [apache.path, "-f", folder / "apache.conf", "-D", "FOREGROUND"]
        log = folder / "out.log"
        environment = apache.starts()
        paths = [str(apache.root / "usr/lib"), environment.get("LD_LIBRARY_PATH", "")]  # lasso
        environment["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
        with running(command, log, lambda: is_open(port), environment):
            address = f"http://127.0.0.1:{port}"
            peer.know("other", httpx.get(f"{address}/mellon/metadata").raise_for_status().content)
            yield Other(address)
