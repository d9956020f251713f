"""The sections of the report of an incident. Pure."""

from typing import Final

from kumobashi.exchange.evidence_tables import STATES
from kumobashi.papers.incidents import KINDS_JA, PLACES_JA, Doubt
from kumobashi.papers.matter import Matter, persons_text
from kumobashi.papers.sheet import Line, Section, Table, blank
from kumobashi.papers.wording import SENSITIVITIES_JA, local_time
from kumobashi.policy.reading import FORMS_JA

_MOST_LINES: Final = 100  # transfers in the table; all are counted


def outline(matter: Matter, name: str) -> Section:
    """Return 1: what happened to which link, and when it was noticed."""
    found = matter.incident
    return Section(
        title="1　概要",
        lines=(
            Line(label="報告の種別", text=name),
            Line(
                label="知った日時",
                text=local_time(found.noticed),
                source="事案の記録。市区町村のどの部署のだれでも、最初に知ったとき",
            ),
            Line(label="起きた日時", text=blank("発生した日時、分からなければその旨")),
            Line(label="事態", text="・".join(KINDS_JA[kind] for kind in found.kinds)),
            Line(label="起きた所", text=_or_blank(PLACES_JA[found.place], "起きた所", found.place)),
            Line(
                label="連携",
                text=f"{matter.link_name}（{matter.from_name} から {matter.to_name} へ）",
                source="連携設定",
            ),
            Line(label="経緯", text=found.note or blank("発覚までの経緯"), source=""),
            Line(
                label="保有する部署",
                text=matter.section or blank("情報を保有する課"),
                source="連携設定の連絡先" if matter.section else "",
            ),
        ),
    )


def data(matter: Matter) -> Section:
    """Return 2: the items that left, those of special care first."""
    items = {item.name: item for one in matter.exposed for item in one.items or ()}
    special = [item.ja for item in items.values() if item.sensitivity == "special"]
    unknown = [one for one in matter.exposed if one.items is None]
    text = "、".join(special)
    if unknown or not matter.exposed:
        text += blank("項目の分からない転送に、要配慮個人情報があるか")
    return Section(
        title="2　保有個人情報の項目",
        lines=(
            Line(
                label="要配慮個人情報",
                text=text or "なし",
                source="項目の機微度「要配慮」。条例要配慮個人情報は団体の条例で確かめる",
            ),
            Line(label="条例要配慮個人情報", text=blank("条例で定める要配慮個人情報の有無")),
        ),
        table=Table(
            heads=("項目", "名前", "出た形", "機微度"),
            rows=tuple(
                (
                    item.ja,
                    item.name,
                    FORMS_JA.get(item.form, item.form),
                    SENSITIVITIES_JA.get(item.sensitivity, item.sensitivity),
                )
                for item in items.values()
            ),
        )
        if items
        else None,
        notes=(
            "宛名番号は出ません。符号は送り先ごとに違い、送り側の鍵がなければ番号に戻りません。",
            *(
                (f"{len(unknown)} 件の転送は、そのときの判定が今と違い、項目が分かりません。",)
                if unknown
                else ()
            ),
        ),
    )


def number(matter: Matter) -> Section:
    """Return 3: how many persons, by transfer."""
    persons, exposed = matter.persons, matter.exposed
    return Section(
        title="3　本人の数",
        lines=(
            Line(
                label="本人の数",
                text=persons_text(persons),
                source="人が数えた数" if persons.is_counted else "転送の記録（1行が1人）",
            ),
            Line(label="対象の転送", text=f"{len(exposed)} 件"),
        ),
        table=Table(
            heads=("転送", "対象日", "送り始め", "方式", "状態", "件数", "本人（多くとも）"),
            rows=tuple(
                (
                    one.transfer,
                    one.business_date,
                    local_time(one.started),
                    "差分" if one.mode == "difference" else "全件",
                    STATES.get(one.state, one.state),
                    _count(one.rows, one.deleted_rows),
                    f"{one.most:,}" if one.most is not None else blank("件数"),
                )
                for one in exposed[:_MOST_LINES]
            ),
        )
        if exposed
        else None,
        notes=(
            *(
                (f"表は新しい {_MOST_LINES} 件。数は {len(exposed)} 件すべてのもの。",)
                if len(exposed) > _MOST_LINES
                else ()
            ),
            *(
                ("同じ人が何度も送られているので、足した数は「多くとも」です。",)
                if len(exposed) > 1 and not persons.is_counted
                else ()
            ),
            *(
                (f"{len(anew)} 件は封緘をやり直しています。" + blank("やり直す前の試行の件数"),)
                if (anew := [one for one in exposed if one.attempt > 1])
                else ()
            ),
            *(
                ("世帯の項目には、行のない家族のことも表れます。数に入れるかは人が決めます。",)
                if matter.has_household_items
                else ()
            ),
        ),
    )


def cause(matter: Matter) -> Section:
    """Return 4: the cause."""
    found = matter.incident
    return Section(
        title="4　原因",
        lines=(
            Line(label="原因", text=blank("原因と、その確かめ方")),
            Line(
                label="不正の目的のおそれ",
                text=_or_blank(_yes_no(found.improper), "不正の目的のおそれの有無", found.improper),
            ),
            Line(
                label="財産的被害のおそれ",
                text=_or_blank(_yes_no(found.property), "財産的被害のおそれの有無", found.property),
            ),
        ),
    )


def towards_persons() -> Section:
    """Return 6: what was done towards the persons."""
    return Section(
        title="6　本人への対応の実施状況",
        lines=(
            Line(label="通知", text=blank("本人へ通知した日・方法・人数、またはしない理由")),
            Line(label="問い合わせ先", text=blank("本人が問い合わせる窓口")),
        ),
    )


def others(matter: Matter) -> Section:
    """Return 9: who else was told."""
    told = matter.incident.told
    return Section(
        title="9　その他参考となる事項",
        lines=(
            Line(
                label="連絡した機関",
                text="\n".join(f"{local_time(one.at)}　{one.office}" for one in told)
                if told
                else blank("連絡した機関（都道府県、警察、委託先など）と日時"),
                source="事案の記録" if told else "",
            ),
            Line(label="事案の番号", text=matter.incident.incident, source="証跡 incident.moved"),
        ),
    )


def _count(rows: int | None, deleted: int) -> str:
    if rows is None:
        return blank("件数")
    return f"{rows:,}" + (f" と削除 {deleted:,}" if deleted else "")


def _or_blank(text: str, what: str, said: Doubt | object) -> str:
    return blank(what) if str(said) == "unknown" else text


def _yes_no(said: Doubt) -> str:
    return "あり" if said is Doubt.YES else "なし"
