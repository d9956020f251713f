"""The migrations of the state stand in one row, each behind the one before."""

from importlib import import_module
from importlib.resources import files

from kumobashi.exchange.migrating import migrations


def test_each_comes_behind_the_one_before_it() -> None:
    before = None
    for number, when in migrations():
        package = "kumobashi.exchange.migrations.versions"
        (name,) = [one for one in _names() if one.startswith(f"{number}_{when}_")]
        module = import_module(f"{package}.{name}")
        assert (module.revision, module.down_revision) == (number, before), name
        before = number


def _names() -> list[str]:
    folder = files("kumobashi.exchange") / "migrations" / "versions"
    return [path.name.removesuffix(".py") for path in folder.iterdir() if path.name[:4].isdigit()]
