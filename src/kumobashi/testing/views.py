"""Believable views of the fictional city, for the console's tests, its preview and its picture.

``morning()`` is what the demo shows after a night; ``every_light()`` has each light at least once.
All names, sites and telephone numbers are invented.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256

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

NOW = datetime(2026, 11, 22, 7, 42, tzinfo=JST)
DAY = date(2026, 11, 22)
DESK = ContactView(name="情報政策課 連携担当", phone="000-0000-0101", hours="平日 8:30〜17:15")
VENDOR = ContactView(name="子育て通知サービス 運用窓口", phone="000-0000-0202", hours="24時間")
ZONES = {
    "hall-core": Zone.MYNUMBER,
    "hall-exchange": Zone.LGWAN,
    "asp-relay": Zone.LGWAN,
    "public-cloud": Zone.INTERNET,
}
_SITES = (
    ("hall-core", "庁内 基幹系"),
    ("hall-exchange", "庁内 授受サーバー"),
    ("asp-relay", "LGWAN-ASP 中継"),
    ("public-cloud", "公共クラウド"),
)
_STAGES = ("extract", "release", "seal", "carry", "delivered", "opened", "validated", "applied")
_SECONDS = (0.62, 0.41, 0.22, 0.48, 0.05, 0.19, 0.33, 0.81)
_RECEIPTS = _STAGES[4:]
_CONSENT = Words(ja="個人情報保護法69条2項1号（本人同意：子育てお知らせ）", en="APPI art. 69(2)(i), consent: child notices")
_STATUTE = Words(ja="国民健康保険法113条の2（庁内での利用）", en="National Health Insurance Act art. 113-2, use in the hall")


def transfer(
    link: str,
    *,
    light: Light = Light.APPLIED,
    on: date = DAY,
    at: tuple[int, int] = (1, 20),
    rows: int = 401_877,
    without_consent: int = 10_453,
    quarantined: int = 0,
    mode: str = "full",
    done: int = len(_STAGES),
    k: int | None = 10,
    below_k: int = 0,
    sites: Sequence[tuple[str, str]] = _SITES,
    parts: tuple[int, int] = (4, 4),
    cause: Cause | None = None,
    findings: Sequence[Finding] = (),
) -> TransferView:
    """Return a transfer that has come through ``done`` of the eight stages."""
    started = datetime(on.year, on.month, on.day, *at, tzinfo=JST)
    sealed = max(rows * 15, 900)
    over = light in {Light.APPLIED, Light.REFUSED}
    finished = started + timedelta(seconds=sum(_SECONDS)) if over else None
    name = sha256(f"{link} {on} {at}".encode()).hexdigest()
    return TransferView(
        transfer=f"019aa6{name[:2]}-{name[2:6]}-7{name[6:9]}-8{name[9:12]}-{name[12:24]}",
        link=link,
        business_date=on,
        sequence=1,
        attempt=1,
        mode=mode,
        state=light.value,
        light=light,
        started=started,
        finished=finished,
        seconds=sum(_SECONDS) if finished else None,
        rows_extracted=rows + without_consent + quarantined if done else None,
        rows_without_consent=without_consent if done > 1 else None,
        rows_quarantined=quarantined if done > 1 else None,
        rows_released=rows if done > 1 else None,
        rows_applied=rows if light is Light.APPLIED else None,
        smallest_class=k if done > 1 else None,
        rows_below_k=below_k if k is not None and done > 1 else None,
        payload_bytes=sealed * 2 if done > 2 else None,
        sealed_bytes=sealed if done > 2 else None,
        stages=_stages(light, done, rows, sealed, parts, started),
        hops=_hops(light, done, parts, sites),
        receipts=_receipts(link, light, done, rows, len(findings), sites, started, cause),
        findings=tuple(findings),
        findings_total=len(findings),
        cause=cause,
    )


def _stages(
    light: Light, done: int, rows: int, sealed: int, parts: tuple[int, int], started: datetime
) -> tuple[StageView, ...]:
    here = {Light.RUNNING: Progress.RUNNING, Light.REFUSED: Progress.FAILED, Light.STOPPED: Progress.FAILED}
    found = []
    for place, (name, length) in enumerate(zip(_STAGES, _SECONDS, strict=True)):
        finished = place < done
        begun = place <= done
        carried = name == "carry" and begun
        found.append(
            StageView(
                stage=name,
                progress=Progress.DONE if finished else here.get(light, Progress.WAITING) if begun else Progress.TODO,
                rows=rows if finished and name != "carry" else None,
                bytes=sealed if finished and name in {"seal", "carry", "delivered"} else None,
                seconds=length if finished else None,
                parts_done=parts[0] if carried else None,
                parts_total=parts[1] if carried else None,
                at=started + timedelta(seconds=sum(_SECONDS[: place + 1])) if finished else None,
            )
        )
    return tuple(found)


def _hops(light: Light, done: int, parts: tuple[int, int], sites: Sequence[tuple[str, str]]) -> tuple[HopView, ...]:
    arrived, total = parts
    hops = []
    for place, (site, name) in enumerate(sites):
        last = place == len(sites) - 1
        if done > 3 or (done == 3 and not last):
            progress = Progress.DONE
        elif done < 3:
            progress = Progress.DONE if place == 0 else Progress.TODO
        else:
            progress = Progress.RUNNING if light is Light.RUNNING else Progress.WAITING
        held = total if progress is Progress.DONE else arrived if done == 3 else 0
        hops.append(HopView(site=site, name=name, progress=progress, parts=held if done > 2 else 0))
    return tuple(hops)


def _receipts(
    link: str,
    light: Light,
    done: int,
    rows: int,
    findings: int,
    sites: Sequence[tuple[str, str]],
    started: datetime,
    cause: Cause | None,
) -> tuple[ReceiptView, ...]:
    stages = list(_RECEIPTS[: max(done - 4, 0)])
    if light is Light.REFUSED:
        stages.append("refused")
    return tuple(
        ReceiptView(
            stage=stage,
            site=sites[-1][0],
            at=started + timedelta(seconds=2 + place),
            digest=sha256(f"{link} {started} {stage}".encode()).hexdigest(),
            rows=None if stage in {"delivered", "refused"} else rows,
            findings=findings if stage in {"validated", "applied", "refused"} else 0,
            code=cause.code if stage == "refused" and cause else None,
        )
        for place, stage in enumerate(stages)
    )


def findings(count: int) -> tuple[Finding, ...]:
    """Return so many findings of several kinds."""
    kinds = (
        ("finding.unknown_code", "relationship", "続柄コード表", "98"),
        ("finding.too_long", "address_building", "60文字以内", "63文字"),
        ("finding.unencodable", "family_name", "cp932", "U+20BB7"),
        ("finding.missing_value", "town_code", "13桁", "空"),
    )
    return tuple(
        Finding(code=code, line=1_204 + 37 * n, item=item, expected=expected, got=got)
        for n in range(count)
        for code, item, expected, got in (kinds[n % len(kinds)],)
    )


def link(name: str, title: str, newest: TransferView | None, **changes: object) -> LinkView:
    """Return a link around its newest transfer, with two good nights before it."""
    earlier = tuple(
        transfer(name, on=DAY - timedelta(days=back), rows=(newest.rows_released or 38_214) - 31 * back)
        for back in (1, 2)
        if newest
    )
    plain = LinkView(
        link=name,
        name=title,
        from_name="統合DB",
        to_name="お知らせ配信",
        to_site_name="公共クラウド",
        light=newest.light if newest else Light.NEVER,
        legal_basis=_CONSENT,
        mode=newest.mode if newest else "full",
        daily="01:20",
        deadline="06:00",
        contact=DESK,
        latest=newest,
        history=earlier,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the fields of LinkView by name


def applied() -> LinkView:
    """住民基本台帳ほか → お知らせ属性: all four receipts."""
    return link("notice-attributes", "住民基本台帳ほか → お知らせ属性", transfer("notice-attributes"))


def in_the_hall() -> LinkView:
    """住民基本台帳 → 国保: a difference between two core systems, with three findings."""
    newest = transfer(
        "resident-to-nhi", at=(1, 3), rows=342, without_consent=0, mode="difference", k=None,
        sites=_SITES[:1], parts=(1, 1), findings=findings(3),
    )  # fmt: skip
    return link(
        "resident-to-nhi", "住民基本台帳 → 国保", newest,
        to_name="国保", to_site_name="庁内 基幹系", legal_basis=_STATUTE, daily="01:00",
    )  # fmt: skip


def reminders(found: int = 0) -> LinkView:
    """未接種児: small classes, many findings when asked for."""
    newest = transfer(
        "vaccination-reminders", at=(1, 40), rows=1_204, without_consent=88, quarantined=found,
        k=3, below_k=12, parts=(1, 1), findings=findings(found),
    )  # fmt: skip
    return link("vaccination-reminders", "予防接種 → 未接種のお知らせ", newest, from_name="予防接種", daily="01:40")


def stopped() -> LinkView:
    """The receiver's side does not answer; parts wait at the relay."""
    cause = Cause(
        code="peer.unreachable",
        what=Words(ja="公共クラウド側が応答していません。", en="The public cloud does not answer."),
        remedy=Words(
            ja="庁内側の操作はいりません。相手の窓口に復旧の見込みを確かめてください。",
            en="Nothing to do in the hall; ask the other side when it will be back.",
        ),
        side="public-cloud",
        side_name="公共クラウド",
        contact=VENDOR,
        since=datetime(2026, 11, 22, 2, 14, tzinfo=JST),
        tries=6,
        next_try=datetime(2026, 11, 22, 7, 55, tzinfo=JST),
    )
    newest = transfer(
        "childcare-notices", light=Light.STOPPED, at=(2, 10), rows=38_214, without_consent=2_091,
        done=3, parts=(7, 12), cause=cause,
    )  # fmt: skip
    return link(
        "childcare-notices", "児童手当 → 子育てお知らせ", newest, to_name="子育て通知サービス", daily="02:10",
    )  # fmt: skip


def refused() -> LinkView:
    """The receiver's table does not take the rows."""
    cause = Cause(
        code="layout.wrong_column",
        what=Words(ja="取込先のレイアウトに「child_allowance」がありません。", en="The target lacks child_allowance."),
        remedy=Words(
            ja="取込先の版を確かめ、連携定義のレイアウトと合わせてください。",
            en="Compare the version at the target with the link's layout.",
        ),
        side="public-cloud",
        side_name="公共クラウド",
        contact=VENDOR,
        since=datetime(2026, 11, 22, 1, 52, tzinfo=JST),
    )
    newest = transfer("tax-notices", light=Light.REFUSED, at=(1, 50), rows=61_002, done=6, cause=cause)
    return link("tax-notices", "個人住民税 → 減免のお知らせ", newest, daily="01:50", history=())


def held() -> LinkView:
    """Counts outside the approved bounds."""
    cause = Cause(
        code="exchange.outside_bounds",
        what=Words(
            ja="件数が承認範囲（±5％）を超えました：61,002 → 68,410。",
            en="Rows are outside the approved bounds (±5 %): 61,002 → 68,410.",
        ),
        remedy=Words(
            ja="増えた理由を確かめ、よければ承認してください。", en="Find out why they grew; approve if it is right."
        ),
        side="hall-core",
        side_name="庁内 基幹系",
        contact=DESK,
        since=datetime(2026, 11, 22, 3, 1, tzinfo=JST),
    )
    newest = transfer("benefit-targets", light=Light.HELD, at=(3, 0), rows=68_410, done=2, cause=cause)
    return link("benefit-targets", "税 → 給付金 対象抽出", newest, daily="03:00", deadline=None)


def waiting() -> LinkView:
    """The relay does not answer for a moment."""
    cause = Cause(
        code="peer.unreachable",
        what=Words(ja="LGWAN-ASP 中継が応答していません。", en="The relay does not answer."),
        remedy=Words(ja="自動で再開します。", en="It resumes by itself."),
        side="asp-relay",
        side_name="LGWAN-ASP 中継",
        contact=DESK,
        since=datetime(2026, 11, 22, 7, 40, tzinfo=JST),
        tries=2,
        next_try=datetime(2026, 11, 22, 7, 44, tzinfo=JST),
    )
    newest = transfer(
        "care-notices", light=Light.WAITING, at=(7, 38), rows=9_120, done=3, parts=(0, 1), cause=cause
    )
    return link("care-notices", "介護保険 → 介護のお知らせ", newest, daily="07:38", deadline="12:00")


def running() -> LinkView:
    """On its way this minute."""
    newest = transfer("library-cards", light=Light.RUNNING, at=(7, 41), rows=120_344, done=3, parts=(2, 3))
    return link("library-cards", "住民基本台帳 → 図書館カード更新", newest, daily=None, deadline=None)


def blocked() -> LinkView:
    """Refused by the plan: nothing was ever sent."""
    return link(
        "welfare-to-citizen-app",
        "福祉 → 市民アプリ",
        None,
        light=Light.BLOCKED,
        to_name="市民アプリ",
        legal_basis=Words(ja="なし", en="none"),
        daily=None,
        deadline=None,
        blocked=(
            Words(
                ja="法的根拠がありません。個人情報保護法69条2項のいずれかと理由を legal_basis に書いてください。",
                en="There is no legal basis. Write one of APPI art. 69(2) with its reason as legal_basis.",
            ),
            Words(
                ja="インターネット接続系へ「生活保護の種類」は出せません。有無だけにするか（op: flag）、項目を外してください。",
                en="The kind of public assistance may not enter the internet zone. Use op: flag, or leave it out.",
            ),
        ),
    )


def never() -> LinkView:
    """Declared yesterday, due tonight."""
    return link("school-lunch", "児童手当 → 給食費のお知らせ", None, daily="02:30")


def overview(*links: LinkView) -> Overview:
    """Put links together as the hall's gateway sees them."""
    return Overview(
        municipality_code="999997",
        municipality_name="架空市",
        site="hall-core",
        site_name="庁内 基幹系",
        at=NOW,
        links=links,
    )


def morning() -> Overview:
    """Return what the demo shows: three applied, one stopped, one blocked."""
    return overview(applied(), in_the_hall(), reminders(), stopped(), blocked())


def every_light() -> Overview:
    """Return each light at least once, and a link with more findings than a page holds."""
    return overview(
        applied(), in_the_hall(), reminders(132), stopped(), refused(), held(), waiting(), running(), blocked(), never()
    )
