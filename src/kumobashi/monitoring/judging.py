"""What is wrong, where and on whose side: from one picture to suspicions. Pure.

    parts that failed ──► ways that end early ──► why transfers wait ──► deadlines
    what sites complain of, clocks, silence

One cause gives one suspicion: what a nearer cause explains is laid to it and not told again. A
line that is cut explains the ways that break behind it, a broken way the transfers that wait for
its end, and each of them the deadlines that are missed.
"""

from dataclasses import replace
from datetime import timedelta

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.messages.pulses import Source
from kumobashi.monitoring import sentences
from kumobashi.monitoring.alerts import Urgency
from kumobashi.monitoring.case import Case
from kumobashi.monitoring.clocks import clocks_off
from kumobashi.monitoring.deadlines import missed
from kumobashi.monitoring.locating import failed_parts
from kumobashi.monitoring.picture import Complaint, Picture, Said, Way
from kumobashi.monitoring.points import MEASURES, Pattern, Point, pattern_of
from kumobashi.monitoring.sorting import NOT_REACHED, sort
from kumobashi.monitoring.suspicions import Suspicion

SILENT_AFTER = timedelta(seconds=90)  # a site that always asked has not asked
_OLD = timedelta(seconds=60)  # a pulse that old says nothing
_UNKNOWN_THERE = "monitor.pulse_unknown"  # an older release answers: nothing is wrong
_ORDER = (Urgency.NOW, Urgency.TODAY, Urgency.NOTE)


def judge(picture: Picture, rules: MonitorFile) -> tuple[Suspicion, ...]:
    """Return what looks wrong, each cause once, the most urgent first."""
    case = Case(picture=picture, rules=rules)
    _network(case)
    if (said := picture.said) is None:
        _gateway(case)
    else:
        for way in said.ways:
            _way(case, way)
        _causes(case, said)
        _complaints(case, said)
        _silence(case, said)
        _clocks(case, said)
    _deadlines(case)
    found = (one for one in case.found.values() if not _is_planned(one, picture, rules))
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.urgency), one.since, one.key)))


def _network(case: Case) -> None:
    """Look which parts explain the probes that did not come back."""
    failed = failed_parts(case.picture.probes.values())
    parts = [part for part in case.rules.parts if part.part in failed]
    if not parts:
        return
    pattern = pattern_of({part.kind for part in parts})
    case.stopped = frozenset(site for part in parts for site in part.stops)
    case.network = "network:" + ",".join(sorted(failed))
    cut = {link for site in case.stopped for link in case.links_by(site)}
    case.add(
        Suspicion(
            key=case.network,
            point=Point.NETWORK,
            code=f"network.pattern_{pattern.value}" if pattern else "network.parts_failed",
            side=parts[0].part,
            side_name="、".join(dict.fromkeys(part.side for part in parts)),
            what=sentences.network([part.name for part in parts], pattern),
            remedy=MEASURES[pattern] if pattern else sentences.SEVERAL_PARTS,
            since=case.picture.now,
            urgency=Urgency.TODAY if pattern is Pattern.HALL_TERMINAL else Urgency.NOW,
            contact=next((c for part in parts if (c := case.called(part.contact))), None),
            pattern=pattern,
            links=frozenset(cut),
        )
    )


def _gateway(case: Case) -> None:
    """Say that the gateway beside the watch is silent."""
    picture = case.picture
    case.add(
        Suspicion(
            key=f"gateway:{picture.site}",
            point=Point.GATEWAY,
            code="monitor.gateway_silent",
            side=picture.site,
            side_name=case.name(picture.site),
            what=sentences.gateway(case.name(picture.site)),
            remedy=sentences.START_GATEWAY,
            since=picture.silent_since or picture.now,
            links=frozenset(picture.settled.links),
            contact=case.contact(picture.site),
            path=case.path_of(sorted(picture.settled.links)[:1], picture.site),
        )
    )


def _way(case: Case, way: Way) -> None:
    """Look whether a way ends too early."""
    is_old = case.picture.now - way.at > _OLD
    if way.code in {None, _UNKNOWN_THERE} or is_old or way.broken_to is None:
        return
    near, far = way.broken_from or case.picture.site, way.broken_to
    links = case.links_over(near, far)
    key = f"way:{far}"
    if case.network and (far in case.stopped or near == case.picture.site):
        case.lay(case.network, links)
        return
    if key in case.found:
        case.lay(key, links)
        return
    is_end = far == way.to_site
    since = way.broken_since or way.at
    case.add(
        Suspicion(
            key=key,
            point=Point.INTERFACE if is_end else Point.RELAY,
            code=way.code or "",
            side=far,
            side_name=case.name(far),
            what=sentences.broken(case.name(far), case.name(near), since),
            remedy=sentences.CALL_THEM,
            since=since,
            links=links,
            contact=case.contact(far),
            path=case.path(way),
        )
    )


def _causes(case: Case, said: Said) -> None:
    """Lay waiting transfers to what stops them; what nothing explains is a cause itself."""
    for cause in said.causes:
        links = frozenset(cause.links)
        key, way = f"cause:{cause.side}:{cause.code}", f"way:{cause.side}"
        if cause.code in NOT_REACHED:
            if way in case.found:
                case.lay(way, links, cause)
                continue
            if case.network and (cause.side in case.stopped or not case.answers(cause.side)):
                case.lay(case.network, links, cause)
                continue
            if case.answers(cause.side):
                continue  # it answers again: what waits goes on by itself
        if key in case.found:
            case.lay(key, links, cause)
            continue
        ends = {
            case.picture.settled.links[link].sites[-1:] for link in links if _is_known(case, link)
        }
        case.add(
            Suspicion(
                key=key,
                point=sort(
                    cause.code,
                    is_here=cause.side == case.picture.site,
                    is_relay=(cause.side,) not in ends,
                ),
                code=cause.code,
                side=cause.side,
                side_name=case.name(cause.side),
                what=cause.what,
                remedy=cause.remedy,
                since=cause.since,
                links=links,
                contact=case.contact(cause.side),
                tried=sentences.tried(cause.tries, cause.next_try),
                path=case.path_of(cause.links, cause.side),
            )
        )


def _complaints(case: Case, said: Said) -> None:
    """Look at what sites say themselves is wrong with them."""
    here = case.picture.site
    own = [(here, one) for one in said.complaints]
    others = [(word.site, c) for way in said.ways for word in way.words for c in word.complaints]
    for site, one in dict.fromkeys(own + others):
        _complaint(case, site, one)


def _complaint(case: Case, site: str, said: Complaint) -> None:
    key = f"cause:{site}:{said.code}"  # what the site says first, a receipt says a little later
    if key in case.found:
        case.lay(key, [said.link])
        return
    if said.code in NOT_REACHED:
        return  # whom a site cannot reach, its way tells
    is_log = said.source is Source.LOG
    is_relay = all(link.sites[-1:] != (site,) for link in case.picture.settled.links.values())
    is_here = site == case.picture.site
    case.add(
        Suspicion(
            key=key,
            point=Point.PROGRAM
            if is_log
            else sort(said.code, is_here=is_here, is_relay=is_relay and not is_here),
            code=said.code,
            side=site,
            side_name=case.name(site),
            what=sentences.complaint(case.name(site), said.code, said.count, is_log=is_log),
            remedy=sentences.LOOK_INTO_LOG if is_log else sentences.CALL_THEM,
            since=said.first,
            urgency=Urgency.TODAY if is_log else Urgency.NOW,
            links=frozenset() if is_log else case.links_by(site),
            contact=case.contact(site),
            path=case.path_of(sorted(case.links_by(site))[:1], site),
        )
    )


def _silence(case: Case, said: Said) -> None:
    """Miss a site that always asked."""
    for site, at in said.heard.items():
        if said.at - at <= SILENT_AFTER or f"way:{site}" in case.found:
            continue
        links = case.picture.settled.links
        case.add(
            Suspicion(
                key=f"silent:{site}",
                point=Point.SILENCE,
                code="monitor.site_silent",
                side=site,
                side_name=case.name(site),
                what=sentences.silent(case.name(site), at),
                remedy=sentences.CALL_THEM,
                since=at,
                contact=case.contact(site),
                links=frozenset(name for name, one in links.items() if one.sites[:1] == (site,)),
            )
        )


def _clocks(case: Case, said: Said) -> None:
    """Look which clocks are off."""
    alarm = timedelta(seconds=case.rules.clock_alarm_seconds)
    fresh = [way for way in said.ways if case.picture.now - way.at <= _OLD]
    for site, skew in clocks_off(fresh, case.picture.site, alarm):
        case.add(
            Suspicion(
                key=f"clock:{site}",
                point=Point.CLOCK,
                code="monitor.clock_off",
                side=site,
                side_name=case.name(site),
                what=sentences.clock(case.name(site), skew.ahead, skew.within),
                remedy=sentences.SET_CLOCK,
                since=said.at,
                urgency=Urgency.TODAY,
                contact=case.contact(site),
            )
        )


def _deadlines(case: Case) -> None:
    """Look what is overdue; what another cause explains is laid to it."""
    known = case.picture.settled.links
    for (day, at, contact), links in missed(case.picture, case.rules).items():
        left = set(links)
        for key, one in list(case.found.items()):
            if one.point is not Point.OVERDUE and (mine := left & one.links):
                case.found[key] = replace(one, overdue=one.overdue | {(link, day) for link in mine})
                left -= mine
        if not left:
            continue
        side = next(iter(known[min(left)].sites), case.picture.site)
        case.add(
            Suspicion(
                key=f"overdue:{day.isoformat()}:{at}:{contact or ''}",
                point=Point.OVERDUE,
                code="monitor.overdue",
                side=side,
                side_name=case.name(side),
                what=sentences.overdue([known[name].name for name in sorted(left)], day, at),
                remedy=sentences.LOOK_AT_LINK,
                since=case.picture.now,
                links=frozenset(left),
                overdue=frozenset((link, day) for link in left),
                contact=case.called(contact),
                is_certain=True,
            )
        )


def _is_known(case: Case, link: str) -> bool:
    return link in case.picture.settled.links


def _is_planned(one: Suspicion, picture: Picture, rules: MonitorFile) -> bool:
    """Whether work was announced for the side at fault."""
    return any(work.covers(one.side, picture.now) for work in rules.planned)
