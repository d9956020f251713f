"""Own time sources: whether each server of ``KUMO_CLOCK_SOURCES`` answers, and ours agrees."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from kumobashi.cli.checkup.checks import Check, State, failed, words
from kumobashi.cli.checkup.clocks import Reading, of_source
from kumobashi.kernel import KumobashiError
from kumobashi.monitoring.clocks import Skew
from kumobashi.monitoring.ntp import ask
from kumobashi.service.settings import read_settings

Ask = Callable[[Sequence[str]], Iterable[tuple[str, Skew]]]
_NAME = words("時刻の元", "Time sources")
_SETTING = "KUMO_CLOCK_SOURCES"


def checks(folder: Path, sites: Sequence[str], *, asking: Ask = ask) -> Iterator[Check]:
    """Ask every server once; nothing is said where none is named, or no site is kept here."""
    if not sites:
        return
    try:
        servers = read_settings(folder, sites[0]).clock_sources
    except KumobashiError as error:
        yield failed("doctor.time_source", _NAME, error, where=_SETTING)
        return
    found = dict(asking(servers)) if servers else {}
    for server in servers:
        skew = found.get(f"ntp:{server}")
        if skew is None:
            yield _silent(server)
        else:
            yield of_source(server, Reading(skew.ahead - skew.within, skew.ahead + skew.within))


def _silent(server: str) -> Check:
    return Check(
        code="doctor.time_source_silent",
        name=words(f"時刻の元 {server}", f"Time source {server}"),
        state=State.CAUTION,
        said=words(
            "答えないか、時刻を知らないと言っています",
            "it does not answer, or says that it does not know the time",
        ),
        where=_SETTING,
        expected=words("NTP（UDP 123）の答え", "an answer by NTP (UDP 123)"),
        remedy=words(
            "名前と、UDP 123 を止める機器がないかを確かめるか、設定から外してください。",
            "Check its name, and whether something stops UDP 123; or take it out of the setting.",
        ),
    )
