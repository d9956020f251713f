"""Mornings at the hall's gateway: ``morning()`` as in the demo, ``every_light()`` with each light.

All names, sites and telephone numbers are invented.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from kumobashi.exchange.holding_views import holding_view
from kumobashi.exchange.holdings import Holding, Keeping
from kumobashi.exchange.views import (
    Cause,
    ContactView,
    HoldingView,
    Light,
    LinkView,
    Overview,
    Words,
)
from kumobashi.kernel import JST, to_micros
from kumobashi.release.errors import GateRefused
from kumobashi.testing import gates
from kumobashi.testing.views import DESK, SITES, Run, link_of, overview_of, some_findings

VENDOR = ContactView(name="子育て通知サービス 運用窓口", phone="000-0000-0202", hours="24時間")
STATUTE = Words(
    ja="利用目的の範囲内（庁内での利用）",
    en="within the purpose of use, in the hall",
)


def applied() -> LinkView:
    """Return 住民基本台帳ほか → お知らせ属性, made coarser by its gate, with all four receipts."""
    run = Run(link="notice-attributes", gate=gates.climbed(left_out=1_204))
    return link_of("住民基本台帳ほか → お知らせ属性", run)


def in_the_hall() -> LinkView:
    """Return 住民基本台帳 → 国保, a difference between two core systems, with findings."""
    run = Run(
        link="resident-to-nhi",
        at=(1, 3),
        rows=342,
        without_consent=0,
        mode="difference",
        smallest_class=None,
        sites=SITES[:1],
        parts=(1, 1),
        findings=some_findings(3),
    )
    return link_of(
        "住民基本台帳 → 国保",
        run,
        to_name="国保",
        to_site_name="庁内 基幹系",
        legal_basis=STATUTE,
        daily="01:00",
    )


def reminders(found: int = 0) -> LinkView:
    """Return 未接種児, with small classes and as many findings as asked for."""
    run = Run(
        link="vaccination-reminders",
        at=(1, 40),
        rows=1_204,
        without_consent=88,
        quarantined=found,
        smallest_class=3,
        rows_below_k=12,
        parts=(1, 1),
        findings=some_findings(found),
    )
    return link_of(
        "予防接種 → 未接種のお知らせ",
        run,
        from_name="予防接種",
        daily="01:40",
    )


def stopped() -> LinkView:
    """Return a link whose receiver does not answer; parts wait at the relay."""
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
    run = Run(
        link="childcare-notices",
        light=Light.STOPPED,
        at=(2, 10),
        rows=38_214,
        without_consent=2_091,
        done=3,
        parts=(7, 12),
        cause=cause,
    )
    return link_of(
        "児童手当 → 子育てお知らせ",
        run,
        to_name="子育て通知サービス",
        daily="02:10",
    )


def refused() -> LinkView:
    """Return a link whose receiving table does not take the rows."""
    cause = Cause(
        code="layout.wrong_column",
        what=Words(
            ja="取込先のレイアウトに「child_allowance」がありません。",
            en="The target lacks child_allowance.",
        ),
        remedy=Words(
            ja="取込先の版を確かめ、連携定義のレイアウトと合わせてください。",
            en="Compare the version at the target with the link's layout.",
        ),
        side="public-cloud",
        side_name="公共クラウド",
        contact=VENDOR,
        since=datetime(2026, 11, 22, 1, 52, tzinfo=JST),
    )
    run = Run(link="tax-notices", light=Light.REFUSED, at=(1, 50), rows=61_002, done=6, cause=cause)
    return link_of("個人住民税 → 減免のお知らせ", run, daily="01:50", history=())


def too_telling() -> LinkView:
    """Return a link that its gate refused: few people, and all of them stand out."""
    report = gates.refused()
    first = next(one for one in report.limits if not one.is_kept_before)
    error = GateRefused(
        threshold=first.name, limit=f"{first.limit:g}", got=f"{first.before:g}", report=report
    )
    cause = Cause(
        code=error.code,
        what=Words(ja=error.say("ja"), en=error.say("en")),
        remedy=Words(ja=error.remedy("ja"), en=error.remedy("en")),
        side="hall-core",
        side_name="庁内 基幹系",
        contact=DESK,
        since=datetime(2026, 11, 22, 3, 21, tzinfo=JST),
    )
    run = Run(
        link="care-visits",
        light=Light.REFUSED,
        at=(3, 20),
        rows=report.before.rows,
        without_consent=67,
        done=1,
        smallest_class=None,
        cause=cause,
        gate=report,
    )
    return link_of("介護保険ほか → 訪問のお知らせ", run, daily="03:20", history=())


def held() -> LinkView:
    """Return a link whose counts are outside the approved bounds."""
    cause = Cause(
        code="exchange.outside_bounds",
        what=Words(
            ja="件数が承認範囲（±5％）を超えました：61,002 → 68,410。",
            en="Rows are outside the approved bounds (±5 %): 61,002 → 68,410.",
        ),
        remedy=Words(
            ja="増えた理由を確かめ、よければ承認してください。",
            en="Find out why they grew; approve if it is right.",
        ),
        side="hall-core",
        side_name="庁内 基幹系",
        contact=DESK,
        since=datetime(2026, 11, 22, 3, 1, tzinfo=JST),
    )
    run = Run(link="benefit-targets", light=Light.HELD, at=(3, 0), rows=68_410, done=2, cause=cause)
    return link_of("税 → 給付金 対象抽出", run, daily="03:00", deadline=None)


def waiting() -> LinkView:
    """Return a link whose relay does not answer for a moment."""
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
    run = Run(
        link="care-notices",
        light=Light.WAITING,
        at=(7, 38),
        rows=9_120,
        done=3,
        parts=(0, 1),
        cause=cause,
    )
    return link_of("介護保険 → 介護のお知らせ", run, daily="07:38", deadline="12:00")


def running() -> LinkView:
    """Return a link that is on its way this minute."""
    run = Run(
        link="library-cards", light=Light.RUNNING, at=(7, 41), rows=120_344, done=3, parts=(2, 3)
    )
    return link_of("住民基本台帳 → 図書館カード更新", run, daily=None, deadline=None)


def blocked() -> LinkView:
    """Return a link that the plan refuses; nothing was ever sent."""
    return link_of(
        "福祉 → 市民アプリ",
        None,
        link="welfare-to-citizen-app",
        light=Light.BLOCKED,
        to_name="市民アプリ",
        legal_basis=Words(ja="なし", en="none"),
        daily=None,
        deadline=None,
        blocked=(
            Words(
                ja="法的根拠がありません。"
                "個人情報保護法69条2項のいずれかと理由を legal_basis に書いてください。",
                en="There is no legal basis. "
                "Write one of APPI art. 69(2) with its reason as legal_basis.",
            ),
            Words(
                ja="インターネット接続系へ「生活保護の種類」は出せません。"
                "有無だけにするか（op: flag）、項目を外してください。",
                en="The kind of public assistance may not enter the internet zone. "
                "Use op: flag, or leave it out.",
            ),
        ),
    )


def never() -> LinkView:
    """Return a link declared yesterday and due tonight."""
    return link_of("児童手当 → 給食費のお知らせ", None, link="school-lunch", daily="02:30")


def morning() -> Overview:
    """Return what the demo shows: three applied, one stopped, one blocked."""
    return overview_of(applied(), in_the_hall(), reminders(), stopped(), blocked())


def undeleted() -> HoldingView:
    """Return what a receiver should have deleted three days ago; its gateway does not answer."""
    due = datetime(2026, 11, 18, 1, 20, tzinfo=JST)
    held = Holding(
        tenant="999997",
        side="out",
        transfer="019a9000-5b7c-7000-8000-0123456789ab",
        attempt=1,
        link="notice-attributes",
        from_site="hall-core",
        to_site="public-cloud",
        business_date="2026-10-19",
        rows=31_204,
        key="sha256:" + "c" * 64,
        plan_hash="sha256:" + "d" * 64,
        retention_class="service",
        retention_days=30,
        by_law=False,
        applied_at=to_micros(due - timedelta(days=30)),
        due_at=to_micros(due),
        state=Keeping.HELD,
        asked_at=None,
        asked_by=None,
        approved_by=None,
        request=None,
        is_delivered=False,
        facts={},
        cause={
            "ja": "公共クラウド側が応答していません。",
            "en": "The public cloud does not answer.",
            "remedy_ja": "",
            "remedy_en": "",
        },
        deleted_at=None,
    )
    return holding_view(
        held,
        now=datetime(2026, 11, 22, 7, 42, tzinfo=JST),
        to_site_name="公共クラウド",
        basis="69-2-1",
        contact=VENDOR,
        link_contact=DESK,
        relays=("hall-exchange", "asp-relay"),
    )


def every_light() -> Overview:
    """Return each light, a link with more findings than a page holds, a late deletion."""
    found = overview_of(
        applied(),
        in_the_hall(),
        reminders(132),
        stopped(),
        refused(),
        too_telling(),
        held(),
        waiting(),
        running(),
        blocked(),
        never(),
    )
    return replace(found, overdue=(undeleted(),))
