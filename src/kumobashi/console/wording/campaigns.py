"""How far notices from coarsened data would miss."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "campaigns_intro": both(
        "粗くしたデータで宛先を選ぶと、だれに余分に届き、だれに届かないかを、通知ごとに数えました。"
        "何も送っていません。",
        "For each notice: who would be told wrongly and who missed, were recipients chosen from"
        " coarsened data. Nothing was sent.",
    ),
    "campaigns_people": both("全住民 {people} 人で数えました。", "Counted over {people} people."),
    "campaigns_counted": both("数えた時刻", "Counted"),
    "campaigns_failed": both("数えられませんでした", "It could not be counted"),
    "campaigns_table": both("通知ごとの誤差", "Errors by notice"),
    "campaigns_none": both(
        "通知の定義（campaigns/）はありません。", "There are no campaigns (campaigns/)."
    ),
    "campaigns_note": both(
        "ピンポイント可: その人への通知に使えます。制度案内のみ可: 制度の案内だけにしてください。"
        "不可: 粗いデータでは送らず、庁内判定で送るか、広報で知らせてください。",
        "Fit for single persons; or for general notices only; or unfit: let the hall choose"
        " (predicate-only), or announce it publicly.",
    ),
    "campaigns_tells": both("通知のコードが語ること", "What the codes tell"),
    "campaigns_tells_intro": both(
        "庁内判定で送るときに出るのは、符号とこのコードだけです。それでも、コードから"
        "わかることがあります。",
        "In a predicate-only link a token and this code are all that leaves. The code still tells"
        " something.",
    ),
    "col_verdict": both("判定", "Verdict"),
    "col_campaign": both("通知", "Notice"),
    "col_meant": both("対象", "Meant"),
    "col_told": both("届く", "Told"),
    "col_wrong": both("余分", "Wrong"),
    "col_missed": both("漏れ", "Missed"),
    "col_precision": both("適合率", "Precision"),
    "col_recall": both("再現率", "Recall"),
    "of_consenting": both("同意者では {count}", "{count} consenting"),
}
