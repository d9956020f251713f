"""利用者と権限: who may do what, and the review of it."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "accounts": both("利用者と権限", "Accounts"),
    "accounts_right": both("点検が要る利用者はいません", "No account waits for a review"),
    "accounts_overdue": both(
        "{count} 人の点検が期限を過ぎています", "{count} accounts are overdue for review"
    ),
    "accounts_asked": both("確かめることがある利用者: {count} 人", "{count} accounts to look at"),
    "accounts_none": both(
        "利用者はまだいません。この画面は、このコンピューターからだれでも見られます。",
        "No accounts yet: whoever is on this machine may look at the console.",
    ),
    "accounts_intro": both(
        "{days} 日ごとに、ほかの人が1行ずつ確かめます。自分の行は確かめられません。",
        "Somebody else looks at each row every {days} days; nobody looks at their own.",
    ),
    "accounts_csv": both("CSVで保存", "Save as CSV"),
    "access_name": both("利用者", "Account"),
    "access_shown": both("呼び方", "Called"),
    "access_role": both("役割", "Role"),
    "access_source": both("元", "Source"),
    "access_scope": both("担当する連携・システム", "Bound to"),
    "access_since": both("この役割になった日時", "Has this role since"),
    "access_seen": both("最後に入った日時", "Last came"),
    "access_remarks": both("確かめること", "To look at"),
    "access_reviewed": both("点検", "Reviewed"),
    "access_reviewed_by": both("点検した人", "Reviewed by"),
    "access_do": both("点検する", "Review"),
    "access_local": both("このコンソール", "this console"),
    "access_all": both("すべて", "all links"),
    "access_bound_none": both("なし", "nothing"),
    "access_never_seen": both("まだ入っていません", "never came"),
    "access_not_reviewed": both("まだ", "not yet"),
    "access_keep": both("このままでよい", "May go on"),
    "access_keep_who": both("「{name}」はこのままでよい", "{name} may go on"),
    "access_take": both("使えなくする", "Shut out"),
    "access_take_who": both("「{name}」を使えなくする", "Shut {name} out"),
    "access_own": both("ほかの人が点検します", "somebody else looks at it"),
    "access_right": both("なし", "nothing"),
    "access_others": both("同じ名前: {names}", "same name: {names}"),
    "remark_overdue": both("点検の期限を過ぎました", "review is overdue"),
    "remark_changed": both("前の点検から役割が変わりました", "another role than was reviewed"),
    "remark_unused": both("90日以上使われていません", "not used for 90 days"),
    "remark_twice": both("同じ人の利用者がほかにあるかもしれません", "maybe one person's twice"),
    "remark_together": both(
        "同じ人なら、2人ですることを1人でできます", "if one person's, what takes two takes one"
    ),
    "remark_unbound": both(
        "担当する連携が決まっていません。何も見えません", "bound to nothing: sees nothing"
    ),
}
