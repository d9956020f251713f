"""PHP's SoapClient asks through a real gateway with nothing but the description we serve."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.town import Town
from tests.peers.entrances import have
from tests.scenario.test_soap import PATH, SITE, _Ledger, system, town
from tools import debian_programs

__all__ = ["system", "town"]  # fixtures
pytestmark = [pytest.mark.interop, pytest.mark.slow]
SCRIPT = Path(__file__).parent / "others/ask.php"
PACKAGES = ("php8.2-cli", "php8.2-soap")


def ask(town: Town, version: str, year: str = "2026", token: str | None = None) -> dict[str, Any]:
    """Run the client; return what it understood."""
    php = have("php", *PACKAGES)
    words: list[str | Path] = [php.path]
    if "soap" not in subprocess.run([php.path, "-m"], env=php.starts(), capture_output=True,
                                    text=True, check=True).stdout.split():  # fmt: skip
        php = debian_programs.unpacked("php", *PACKAGES)
        (extension,) = php.root.glob("usr/lib/php/*/soap.so")
        words = [php.path, "-n", "-d", f"extension={extension}"]
    own = (town.folder / f"private/{SITE}/systems/arrears.token").read_text("ascii").strip()
    words += [SCRIPT, f"{town.door(SITE)}{PATH}?wsdl", token or own, version, year]
    done = subprocess.run(words, env=php.starts(), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_it_reads_our_description_and_understands_the_answer(
    town: Town, system: tuple[int, type[_Ledger]], version: str
) -> None:
    system[1].asked.clear()
    system[1].answer.clear()

    found = ask(town, version)

    assert found["amounts"] == [1200, 80]
    assert any("listPayments" in line for line in found["functions"])
    (asked,) = system[1].asked
    assert b">2026<" in asked["body"]
    assert "urn:list" in f"{asked['action']}{asked['type']}"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_refusal_is_a_fault_with_code_and_side(
    town: Town, system: tuple[int, type[_Ledger]], version: str
) -> None:
    system[1].asked.clear()

    found = ask(town, version, token="wrong")

    assert "業務システムを確かめられません" in found["fault"]
    assert "call.system_unproven" in json.dumps(found["detail"])
    assert "asker" in json.dumps(found["detail"])
    assert system[1].asked == []
