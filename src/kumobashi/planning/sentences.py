"""What a plan says in words, for the terminal and for paper, in both languages."""

from collections.abc import Mapping

from kumobashi.planning.approval import Standing
from kumobashi.planning.decided import Decided
from kumobashi.planning.measured import Measured
from kumobashi.planning.story import ItemStory, Story

CLASSES = {  # sensitivity
    "public": "公開",
    "attribute": "属性",
    "personal": "個人",
    "identifier": "番号",
    "special": "要配慮",
}
UNTIED = {  # reasons of ``ties.agent``
    "none": ("紐付けがない", "no tie"),
    "not_in_force": ("双方の受入れ前", "not accepted by both"),
    "withdrawn": ("撤回", "withdrawn"),
    "ended": ("終了", "ended"),
    "service_over": ("サービスの期間外", "service not offered"),
    "term": ("紐付けの期間外", "outside the term"),
    "item": ("項目を狭めた", "an item not permitted"),
    "channel": ("手段を狭めた", "channel not permitted"),
    "frequency": ("頻度の上限", "as often as permitted"),
    "touched": ("記録が書いたときと違う", "record touched"),
}
FORMS = {
    "kept": ("そのまま", "kept"),
    "coarsened": ("粗くする", "coarsened"),
    "flag": ("有無だけ", "flag"),
    "token": ("符号にする", "token"),
    "derived": ("計算・固定", "computed"),
    "dropped": ("出さない", "not sent"),
}
STANDINGS = {
    Standing.APPROVED: ("送れます", "Ready", "bold green"),
    Standing.UNAPPROVED: (
        "送れます（承認が必要です）",
        "May be sent, once it is approved",
        "bold yellow",
    ),
    Standing.DRIFTED: (
        "送れません（承認のあとで変わりました）",
        "Not sent: changed since the approval",
        "bold red",
    ),
    Standing.REFUSED: ("送れません", "Not sent", "bold red"),
}
SHORT = {
    Standing.APPROVED: ("● 送れます", "● ready"),
    Standing.UNAPPROVED: ("○ 承認待ち", "○ to approve"),
    Standing.DRIFTED: ("≠ 変更あり", "≠ changed"),
    Standing.REFUSED: ("× 送れません", "× refused"),
}
_KIB, _MIB = 1024, 1024 * 1024


def why(plan: Decided) -> tuple[str, str]:
    """Return on what basis the link may run, in both languages."""
    basis, stated = plan.basis, plan.link.legal_basis
    if basis is None or stated is None:
        return "法的根拠がありません。", "There is no legal basis."
    named = [(text, text) for text in (stated.ordinance or stated.note,) if text]
    if stated.consent:
        named.append((f"同意の目的 {stated.consent}", f"consent to {stated.consent}"))
    if stated.until:
        until = stated.until.isoformat()
        named.append((f"{until} まで", f"until {until}"))
    more_ja = "".join(f"、{ja}" for ja, _ in named)
    more_en = "".join(f"; {en}" for _, en in named)
    unchecked = not basis.origin.is_verified
    check_ja = "。条文の原文との照合は未確認" if unchecked else ""
    check_en = "; not yet compared with the source" if unchecked else ""
    return (
        f"{basis.article_ja}（{basis.ja}）{more_ja}{check_ja}。",
        f"{basis.article_en} ({basis.en}){more_en}{check_en}.",
    )


def kept(story: Story) -> tuple[str, str] | None:
    """Return how long the receiver may keep it; nothing where the link declares nothing."""
    retention, row = story.plan.retention, story.plan.retention_row
    if retention is None or row is None:
        return None
    unchecked = not row.origin.is_verified
    law_ja = "。期限前の消去は二人で決める" if retention.is_kept_by_law else ""
    law_en = "; two persons decide to delete it earlier" if retention.is_kept_by_law else ""
    check_ja = "、未確認" if unchecked else ""
    check_en = ", not yet compared with the source" if unchecked else ""
    ja = f"取込から {retention.days} 日で消去（{row.ja}、{row.article_ja}{check_ja}）{law_ja}。"
    en = (
        f"deleted {retention.days} days after it was applied"
        f" ({row.en}, {row.article_en}{check_en}){law_en}."
    )
    return ja, en


def done(item: ItemStory) -> tuple[str, str]:
    """Return what becomes of an item, in both languages."""
    ja, en = FORMS[item.form]
    match item.form:
        case "token" | "derived":
            return item.said_ja, item.said_en
        case "coarsened":
            return f"{ja}: {item.said_ja}", f"{en}: {item.said_en}"
        case "flag" if item.said_ja != "有無":
            return item.said_ja, item.said_en
        case _:
            return ja, en


def counted(m: Measured) -> tuple[str, str]:
    """Return how many rows would leave, in both languages."""
    size = f"{m.bytes / _MIB:.1f} MiB" if m.bytes >= _MIB else f"{m.bytes / _KIB:.0f} KiB"
    left_ja, left_en = untied(m.untied) if m.untied else ("", "")
    return (
        (
            f"件数 {m.rows:,} 件（抽出 {m.extracted:,}、同意なし・対象外 {m.without_consent:,}）"
            f"  容量 {size}  {m.parts} 部分"
        )
        + (f"  {left_ja}" if left_ja else ""),
        (
            f"{m.rows:,} of {m.extracted:,} rows"
            f" ({m.without_consent:,} not consenting or not meant), {size}, {m.parts} parts"
        )
        + (f"; {left_en}" if left_en else ""),
    )


def untied(left: Mapping[str, int]) -> tuple[str, str]:
    """Return how many residents no tie lets through, and why, in both languages.

    >>> untied({"none": 12, "withdrawn": 1})[0]
    '紐付けで出さない人 13（紐付けがない 12、撤回 1）'
    """
    total = sum(left.values())
    said = [(UNTIED.get(why, (why, why)), people) for why, people in left.items()]
    reasons_ja = "、".join(f"{words[0]} {people:,}" for words, people in said)
    reasons_en = ", ".join(f"{words[1]} {people:,}" for words, people in said)
    return (
        f"紐付けで出さない人 {total:,}（{reasons_ja}）",
        f"{total:,} not let through by ties ({reasons_en})",
    )


def not_counted(story: Story) -> tuple[str, str]:
    """Return why there are no counts, in both languages."""
    if story.why_not_counted is None:
        return "件数と容量はまだ数えていません。", "Rows and size were not counted."
    ja, en = story.why_not_counted
    return f"件数と容量を数えられませんでした。{ja}", f"Rows and size could not be counted. {en}"


def classes(m: Measured) -> tuple[str, str]:
    """Return how many persons share what leaves, in both languages."""
    return (
        (
            f"同じ属性の最少人数 k = {m.smallest_class}"
            f"（5人未満の組にいる人 {m.rows_below_five:,}）。抽象化しても個人情報のままです。"
        ),
        (
            f"k = {m.smallest_class}; {m.rows_below_five:,} persons in classes below five."
            " Coarsened data are still personal information."
        ),
    )


def characters(story: Story) -> tuple[str, str]:
    """Return what the receiver's charset does to names and addresses, in both languages."""
    held, m = story.plan.link.characters, story.measured
    if held.charset != "cp932":
        return (
            f"失われる文字はありません（{held.charset}）。",
            f"No character is lost ({held.charset}).",
        )
    agreed = len(held.substitutes)
    rest_ja = "その行を除く" if held.otherwise == "quarantine" else "全件を止める"
    rest_en = "the row is set aside" if held.otherwise == "quarantine" else "all is refused"
    ja = f"cp932 にない字は、決めた {agreed} 字を置き換え、ほかは{rest_ja}。"
    en = f"What cp932 lacks: {agreed} characters are replaced as agreed; else {rest_en}."
    if m:
        lost = m.rows_with_losses
        ja += f"今日のデータで置き換えのない字がある項目は {lost:,} 件。"
        en += f" Today {lost:,} items hold one without a substitute."
    return ja, en
