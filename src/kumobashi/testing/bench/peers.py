"""The ways that people use today, each as something that can be run once more and timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kumobashi.testing.bench import machine
from kumobashi.testing.bench.databases import Databases
from kumobashi.testing.bench.processes import free_port, serving_module
from kumobashi.testing.bench.results import Timing


class SoapWay(NamedTuple):
    """One way of calling the service."""

    way: str
    per_call: int  # rows
    at_once: int  # calls
    rows: int  # sent; more are extrapolated


_SOAP_WAYS = (
    SoapWay("soap_row", 1, 1, 1_500),
    SoapWay("soap_200", 200, 1, 8_000),
    SoapWay("soap_row_four_at_once", 1, 4, 3_000),
    SoapWay("soap_200_four_at_once", 200, 4, 16_000),
)
_DLT_ROWS = 400_000
_PREPARED_FOR_DLT = """
create unlogged table prepared_flat as
select token, base_date, sex, birth_ym, town_code, has_spouse,
  array_to_string(household_ages, ' ') as household_ages,
  array_to_string(child_birth_yms, ' ') as child_birth_yms,
  tax_exempt, nhi_insured, child_allowance, child_support_allowance, public_assistance
from prepared limit {rows}
"""


class SoapPeer:
    """Some prepared rows, so many a call."""

    def __init__(self, databases: Databases, url: str, way: SoapWay) -> None:
        self.way = way.way
        self._databases = databases
        self._url = url
        self._called = way
        names = databases.ask(
            databases.source,
            "select attname::text from pg_attribute where attrelid = 'prepared'::regclass"
            " and attnum > 0 order by attnum",
        )
        self._columns = [str(name) for (name,) in names]
        texts = ", ".join(f"{name}::text" for name in self._columns)
        found = databases.ask(databases.source, f"select {texts} from prepared limit {way.rows}")
        self._rows = [[None if v is None else str(v) for v in row] for row in found]

    def run(self, number: int) -> Timing:
        """Send the rows; the receiving table is empty before."""
        from kumobashi.testing.bench.soap import send  # noqa: PLC0415 - lxml is not everywhere

        self._databases.do(self._databases.target, "truncate soap_rows")
        seconds = send(
            self._url,
            self._columns,
            self._rows,
            per_call=self._called.per_call,
            at_once=self._called.at_once,
        )
        arrived = self._databases.ask(self._databases.target, "select count(*) from soap_rows")
        assert arrived == [(len(self._rows),)]
        return Timing(
            way=self.way,
            round=number,
            seconds=seconds,
            rows=len(self._rows),
            load=machine.load(),
        )


@contextmanager
def soap_peers(databases: Databases) -> Iterator[list[SoapPeer]]:
    """Run the receiving service and give the SOAP peers."""
    databases.do(databases.target, "create table soap_rows (like notice_attributes)")
    port = free_port()
    module = "kumobashi.testing.bench.soap_service"
    with serving_module(module, port, databases.target):
        url = f"http://127.0.0.1:{port}/"
        yield [SoapPeer(databases, url, way) for way in _SOAP_WAYS]


class DltPeer:
    """dlt copies the prepared table; its lists are texts, which it can carry."""

    way = "dlt"

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases = databases
        self._folder = folder
        databases.do(databases.source, _PREPARED_FOR_DLT.format(rows=_DLT_ROWS))
        self._rows = int(
            str(databases.ask(databases.source, "select count(*) from prepared_flat")[0][0])
        )

    def run(self, number: int) -> Timing:
        """Copy the table once more."""
        from kumobashi.testing.bench.dlt_peer import copy_table  # noqa: PLC0415 - likewise

        source, target = self._databases.source, self._databases.target
        seconds = copy_table(source, target, "prepared_flat", self._folder)
        arrived = self._databases.ask(target, "select count(*) from dlt_bench.prepared_flat")
        assert arrived == [(self._rows,)]
        return Timing(
            way=self.way, round=number, seconds=seconds, rows=self._rows, load=machine.load()
        )
