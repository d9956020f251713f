"""Tables of links: searching, ordering and what the columns say."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "filter_site": both("環境（経路上）", "Site on the way"),
    "filter_system": both("業務システム", "System"),
    "filter_contact": both("連絡先", "Contact"),
    "sort": both("並び順", "Order"),
    "sort_urgent": both("対応が必要な順", "most urgent first"),
    "sort_name": both("名前の順", "by name"),
    "sort_newest": both("新しい順", "newest first"),
    "sort_rows": both("件数の多い順", "most rows first"),
    "sort_slowest": both("時間のかかった順", "slowest first"),
    "found_range": both(
        "{total}件のうち {first}〜{last}件目です。", "{first} to {last} of {total}."
    ),
    "pages_links": both("連携のページ", "Pages of links"),
    "col_days": both("これまで", "Before"),
    "days_key": both("{count}日間、右端が今日", "{count} days, today at the right"),
    "days_label": both("{count}日間：", "{count} days: "),
    "days_none": both("実行なし", "nothing ran"),
    "days_legend": both(
        "四角ひとつが1日です。緑は取込済み、赤く高いもの（×）は停止・拒否、"
        "黄は承認待ち、青は処理中、細い線は実行なし。",
        "One square a day: green applied, tall red (×) stopped or refused, yellow held, "
        "blue under way, a thin line when nothing ran.",
    ),
    "all_links": both("すべての連携", "All links"),
    "filter": both("絞り込み", "Filter"),
    "search": both("連携・システム名で検索", "Search by link or system"),
    "search_go": both("検索", "Search"),
    "search_clear": both("条件を消す", "Clear"),
    "found": both("{total}件中 {count}件を表示しています。", "Showing {count} of {total}."),
    "found_none": both("条件に合う連携はありません。", "No link matches."),
    "col_state": both("状態", "State"),
    "col_link": both("連携", "Link"),
    "col_receipts": both("到達確認", "Receipts"),
    "col_rows": both("件数", "Rows"),
    "col_seconds": both("所要", "Time"),
    "col_findings": both("指摘", "Findings"),
    "dots": both("4段階中 {count}段階", "{count} of 4"),
    "dots_key": both("到達・復号・検証・取込", "delivered, opened, validated, applied"),
    "daily": both("毎日 {at}", "daily at {at}"),
    "by_hand": both("随時", "on demand"),
    "deadline": both("期限 {at}", "due {at}"),
    "day_of": both("{day}分", "for {day}"),
    "parts_of": both("部分 {done}／{total}", "parts {done}/{total}"),
    "findings_count": both("{count}件", "{count}"),
    "page_before": both("前のページ", "Previous page"),
    "page_after": both("次のページ", "Next page"),
    "page_of": both("{page}／{pages}ページ", "Page {page} of {pages}"),
}
