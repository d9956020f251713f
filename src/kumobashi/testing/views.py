"""Builds believable views of transfers and links, for the console's tests and its preview.

A :class:`Run` says in a few words what happened in a night; :meth:`Run.view` makes of it what the
ledger would show. ``scenes`` puts whole mornings together. All of it is invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from kumobashi.exchange.views import (
    Cause,
    ContactView,
    HopView,
    Light,
    LinkView,
    Overview,
    Progress,
    ReceiptView,
    StageView,
    TransferView,
    Words,
)
from kumobashi.kernel import JST, Finding, Zone
from kumobashi.release.gate_report import GateReport

NOW = datetime(2026, 11, 22, 7, 42, tzinfo=JST)
DAY = date(2026, 11, 22)
DESK = ContactView(name="情報政策課 連携担当", phone="000-0000-0101", hours="平日 8:30〜17:15")
CONSENT = Words(
    ja="個人情報保護法69条2項1号（本人同意：子育てお知らせ）",
    en="APPI art. 69(2)(i), consent: child notices",
)
ZONES = {
    "hall-core": Zone.MYNUMBER,
    "hall-exchange": Zone.LGWAN,
    "asp-relay": Zone.LGWAN,
    "public-cloud": Zone.INTERNET,
}
SITES = (
    ("hall-core", "庁内 基幹系"),
    ("hall-exchange", "庁内 授受サーバー"),
    ("asp-relay", "LGWAN-ASP 中継"),
    ("public-cloud", "公共クラウド"),
)
STAGES = ("extract", "release", "seal", "carry", "delivered", "opened", "validated", "applied")
_SECONDS = (0.62, 0.41, 0.22, 0.48, 0.05, 0.19, 0.33, 0.81)
_CARRY = STAGES.index("carry")
_BYTES_PER_ROW = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a link that has come through ``done`` of the eight stages."""

    link: str
    light: Light = Light.APPLIED
    on: date = DAY
    at: tuple[int, int] = (1, 20)
    rows: int = 401_877
    without_consent: int = 10_453
    quarantined: int = 0
    mode: str = "full"
    done: int = len(STAGES)
    smallest_class: int | None = 10
    rows_below_k: int = 0
    sites: Sequence[tuple[str, str]] = SITES
    parts: tuple[int, int] = (4, 4)  # arrived, of
    cause: Cause | None = None
    findings: tuple[Finding, ...] = ()
    gate: GateReport | None = None

    def view(self) -> TransferView:
        """Return what the ledger would show."""
        ended = self.light in {Light.APPLIED, Light.REFUSED}
        length = sum(_SECONDS[: self.done])
        mark = sha256(f"{self.link} {self.on} {self.at}".encode()).hexdigest()
        counted = self.done >= STAGES.index("seal")
        return TransferView(
            transfer=f"019aa6{mark[:2]}-{mark[2:6]}-7{mark[6:9]}-8{mark[9:12]}-{mark[12:24]}",
            link=self.link,
            business_date=self.on,
            sequence=1,
            attempt=1,
            mode=self.mode,
            state=self.light.value,
            light=self.light,
            started=self._started,
            finished=self._started + timedelta(seconds=length) if ended else None,
            seconds=length if ended else None,
            rows_extracted=self.rows + self.without_consent + self.quarantined + self._left_out
            if self.done
            else None,
            rows_without_consent=self.without_consent if counted else None,
            rows_quarantined=self.quarantined if counted else None,
            rows_released=self.rows if counted else None,
            rows_applied=self.rows if self.light is Light.APPLIED else None,
            smallest_class=self.smallest_class if counted else None,
            rows_below_k=self.rows_below_k if counted and self.smallest_class else None,
            payload_bytes=self._sealed_bytes * 2 if self.done >= _CARRY else None,
            sealed_bytes=self._sealed_bytes if self.done >= _CARRY else None,
            stages=tuple(self._stage(place) for place in range(len(STAGES))),
            hops=tuple(self._hop(place) for place in range(len(self.sites))),
            receipts=self._receipts(),
            findings=self.findings,
            findings_total=len(self.findings),
            cause=self.cause,
            gate=self.gate,
        )

    @property
    def _left_out(self) -> int:
        return self.gate.suppressed if self.gate else 0

    @property
    def _started(self) -> datetime:
        return datetime(self.on.year, self.on.month, self.on.day, *self.at, tzinfo=JST)

    @property
    def _sealed_bytes(self) -> int:
        return self.rows * _BYTES_PER_ROW

    def _stage(self, place: int) -> StageView:
        name = STAGES[place]
        over = place < self.done
        here = {
            Light.RUNNING: Progress.RUNNING,
            Light.REFUSED: Progress.FAILED,
            Light.STOPPED: Progress.FAILED,
        }.get(self.light, Progress.WAITING)
        carried = name == "carry" and place <= self.done
        return StageView(
            stage=name,
            progress=Progress.DONE if over else here if place == self.done else Progress.AHEAD,
            rows=self.rows if over and name != "carry" else None,
            bytes=self._sealed_bytes if over and name in {"seal", "carry", "delivered"} else None,
            seconds=_SECONDS[place] if over else None,
            parts_done=self.parts[0] if carried else None,
            parts_total=self.parts[1] if carried else None,
            at=self._started + timedelta(seconds=sum(_SECONDS[: place + 1])) if over else None,
        )

    def _hop(self, place: int) -> HopView:
        site, name = self.sites[place]
        arrived, total = self.parts
        last = place == len(self.sites) - 1
        if self.done > _CARRY or place == 0 or (self.done == _CARRY and not last):
            progress, parts = Progress.DONE, total
        elif self.done == _CARRY:
            progress = Progress.RUNNING if self.light is Light.RUNNING else Progress.WAITING
            parts = arrived
        else:
            progress, parts = Progress.AHEAD, 0
        return HopView(site=site, name=name, progress=progress, parts=parts)

    def _receipts(self) -> tuple[ReceiptView, ...]:
        stages = [*STAGES[_CARRY + 1 : self.done]]
        if self.light is Light.REFUSED and self.done > _CARRY:  # else nothing was sent
            stages.append("refused")
        return tuple(
            ReceiptView(
                stage=stage,
                site=self.sites[-1][0],
                at=self._started + timedelta(seconds=2 + place),
                digest=sha256(f"{self.link} {self._started} {stage}".encode()).hexdigest(),
                rows=None if stage in {"delivered", "refused"} else self.rows,
                findings=0 if stage in {"delivered", "opened"} else len(self.findings),
                code=self.cause.code if stage == "refused" and self.cause else None,
            )
            for place, stage in enumerate(stages)
        )


def some_findings(count: int) -> tuple[Finding, ...]:
    """Return so many findings of several kinds."""
    kinds = (
        ("finding.unknown_code", "relationship", "続柄コード表", "98"),
        ("finding.too_long", "address_building", "60文字以内", "63文字"),
        ("finding.character_unmappable", "family_name", "cp932", "U+20BB7"),
        ("finding.required_missing", "town_code", "13桁", "空"),
    )
    return tuple(
        Finding(code=code, line=1_204 + 37 * n, item=item, expected=expected, got=got)
        for n in range(count)
        for code, item, expected, got in (kinds[n % len(kinds)],)
    )


def link_of(name: str, run: Run | None, **changes: Any) -> LinkView:  # noqa: ANN401 - fields by name
    """Return a link called ``name`` around its newest run, with two good nights before it."""
    newest = run.view() if run else None
    earlier = tuple(
        Run(link=run.link, on=DAY - timedelta(days=back), rows=run.rows - 31 * back).view()
        for back in (1, 2)
        if run
    )
    plain = LinkView(
        link=run.link if run else "planned-link",
        name=name,
        from_name="統合DB",
        to_name="お知らせ配信",
        to_site_name="公共クラウド",
        light=run.light if run else Light.NEVER,
        legal_basis=CONSENT,
        mode=run.mode if run else "full",
        daily="01:20",
        deadline="06:00",
        contact=DESK,
        latest=newest,
        history=earlier,
    )
    return replace(plain, **changes)


def overview_of(*links: LinkView) -> Overview:
    """Put links together as the hall's gateway sees them."""
    return Overview(
        municipality_code="999997",
        municipality_name="架空市",
        site="hall-core",
        site_name="庁内 基幹系",
        at=NOW,
        links=links,
    )
