"""The SOAP peer: envelopes of one or many rows, written and read by lxml.

It is treated kindly: the rows it sends are prepared already, connections stay open, and both ends
use fast asynchronous libraries. A synchronous linkage waits for each answer; how much several calls
under way at once would help is measured beside it.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

import aiohttp

from kumobashi.testing.bench.errors import PipelineFailed

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
OURS = "urn:kumobashi:bench"
_HEADERS = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"{OURS}:put"'}
Row = Sequence[str | None]


def envelope(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Return one call."""
    from lxml import etree  # noqa: PLC0415 - only in the environment of the benchmark

    top = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE, "k": OURS})
    put = etree.SubElement(etree.SubElement(top, f"{{{ENVELOPE}}}Body"), f"{{{OURS}}}put")
    for row in rows:
        person = etree.SubElement(put, f"{{{OURS}}}row")
        for name, value in zip(columns, row, strict=True):
            field = etree.SubElement(person, name)
            if value is None:
                field.set("nil", "true")
            else:
                field.text = value
    written: bytes = etree.tostring(top, xml_declaration=True, encoding="utf-8")
    return written


def read(call: bytes) -> list[tuple[str | None, ...]]:
    """Return the rows of a call, each in the order of its columns."""
    from lxml import etree  # noqa: PLC0415 - likewise

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return [
        tuple(None if field.get("nil") else field.text or "" for field in person)
        for person in etree.fromstring(call, parser).iter(f"{{{OURS}}}row")
    ]


def send(
    url: str, columns: Sequence[str], rows: Sequence[Row], *, per_call: int, at_once: int
) -> float:
    """Send all rows, so many a call and so many calls at once, and return the seconds.

    Raises:
        PipelineFailed: the service answered no.
    """
    return asyncio.run(_send(url, columns, list(_groups(rows, per_call)), at_once))


async def _send(
    url: str, columns: Sequence[str], groups: list[Sequence[Row]], at_once: int
) -> float:
    waiting = iter(groups)

    async def caller(session: aiohttp.ClientSession) -> None:
        for rows in waiting:  # shared: each call is taken by one of the callers
            body = envelope(columns, rows)
            async with session.post(url, data=body, headers=_HEADERS) as answer:
                says = await answer.text()
                if answer.status != 200:  # noqa: PLR2004 - OK
                    raise PipelineFailed(way="soap", says=says[:300])

    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.perf_counter()
        await asyncio.gather(*(caller(session) for _ in range(at_once)))
        return time.perf_counter() - began


def _groups(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]
