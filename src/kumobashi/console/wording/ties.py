"""Ties between residents and services, at a counter."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "ties": both("紐付け", "Ties"),
    "ties_intro": both(
        "サービスと住民の双方が受け入れたことだけが許されます。ここで撤回すると、そのあとの呼出し・転送・"
        "お知らせは止まります。",
        "Only what a service and a resident both accepted is permitted. What is withdrawn here"
        " stops every later call, transfer and notice.",
    ),
    "ties_look_up": both("1人の紐付けを見る", "One resident"),
    "ties_number": both("宛名番号", "Number of the resident"),
    "ties_number_note": both(
        "番号はこの欄からだけ送られ、アドレスにも記録にも残りません。見たことは証跡に残ります。",
        "The number is sent from this field only; it stands in no address and no record. That"
        " somebody looked is kept in the evidence log.",
    ),
    "ties_system": both("この拠点のシステム", "System of this site"),
    "ties_code": both("そのシステムでの符号", "The resident's token there"),
    "ties_show": both("表示する", "Show"),
    "ties_sign_in": both(
        "1人の紐付けを見るには、窓口の権限のあるアカウントでサインインしてください。",
        "Sign in with an account that may serve a counter to see one resident's ties.",
    ),
    "ties_wrong": both("表示できません", "This cannot be shown"),
    "ties_services": both("サービス", "Services"),
    "ties_search": both("サービスを探す（名前・提供者・担当課・条項）", "Search services"),
    "ties_none": both("サービスはありません。", "There are no services."),
    "ties_service": both("サービス", "Service"),
    "ties_section": both("担当課", "Section"),
    "ties_clause": both("対象者を決める条項", "Clause that decides"),
    "ties_offered": both("期間", "Offered"),
    "ties_people": both("住民の状態（人）", "Residents"),
    "ties_count": both("紐付け（件）", "Ties"),
    "ties_served_by": both("{system} が扱う", "served by {system}"),
    "ties_open_end": both("終わりの定めなし", "no end"),
    "ties_resident": both("この人のサービスと紐付け", "This resident's services and ties"),
    "ties_resident_intro": both(
        "画面には番号も氏名も出しません。目の前の人のものかは、窓口で確かめてください。",
        "Neither number nor name is shown; make sure at the counter whose they are.",
    ),
    "ties_statuses": both("サービスでの状態", "How the resident stands to services"),
    "ties_status": both("状態", "State"),
    "ties_as_of": both("時点", "As of"),
    "ties_source": both("出どころ", "Source"),
    "ties_statuses_none": both("知らされた状態はありません。", "Nothing is known."),
    "ties_of_resident": both("紐付け", "Ties"),
    "ties_of_resident_none": both("紐付けはありません。", "There are no ties."),
    "ties_terms": both("許していること", "What is permitted"),
    "ties_items": both("項目", "Items"),
    "ties_channels": both("手段", "Channels"),
    "ties_often": both("{days} 日に {times} 回まで", "at most {times} in {days} days"),
    "ties_frequency": both("頻度", "How often"),
    "ties_term": both("期間", "Term"),
    "ties_since": both("いつから", "Since"),
    "ties_transfers": both("この紐付けで送った転送", "Transfers under this tie"),
    "ties_transfers_none": both("まだありません。", "None yet."),
    "ties_transfers_note": both(
        "サービスの最近の30回から探したものです。", "Among the last 30 of the service."
    ),
    "ties_channel_call": both("呼出し", "call"),
    "ties_channel_portal": both("ポータル", "portal"),
    "ties_channel_mail": both("電子メール", "e-mail"),
    "ties_channel_sms": both("SMS", "SMS"),
    "ties_channel_post": both("郵便", "post"),
    "ties_act_accept": both("受け入れる", "Accept"),
    "ties_act_narrow": both("狭める", "Narrow"),
    "ties_act_withdraw": both("撤回する", "Withdraw"),
    "ties_ask_accept": both(
        "本人として、この条件を受け入れますか", "Accept these terms for the resident?"
    ),
    "ties_ask_narrow": both("本人として、条件を狭めますか", "Narrow the terms for the resident?"),
    "ties_ask_withdraw": both("本人として、撤回しますか", "Withdraw for the resident?"),
    "ties_what_accept": both(
        "サービスも受け入れていれば、すぐに効力を持ちます。",
        "It is in force at once if the service has accepted, too.",
    ),
    "ties_what_narrow": both(
        "広げることはできません。効力のある紐付けでは、すぐに効きます。送る項目を1つでも外すと、"
        "その項目を送る連携では、この人の行は出なくなります。",
        "Nothing can be widened. In force, it counts at once. A link that sends an item which is"
        " taken away here sends this resident's row no more.",
    ),
    "ties_what_withdraw": both(
        "すぐに効き、元に戻せません。途中の転送からも外れ、ほかの拠点には数秒で伝わります。"
        "もう一度使うには、サービスからの新しい申出が要ります。",
        "It counts at once and cannot be undone. Transfers under way leave the row out, other sites"
        " know in seconds. To use it again the service has to propose anew.",
    ),
    "ties_too_late": both(
        "いまの状態では、この操作はできません。", "In its present state this is not possible."
    ),
    "ties_items_note": both(
        "残す項目を、空白で区切って書きます。", "The items that stay, with blanks between them."
    ),
    "ties_times": both("回数", "Times"),
    "ties_days": both("日数", "Days"),
    "ties_done_accept": both("受け入れました。", "Accepted."),
    "ties_done_narrow": both("条件を狭めました。", "The terms were narrowed."),
    "ties_done_withdraw": both("撤回しました。", "Withdrawn."),
    "ties_back": both("この人の紐付けに戻る", "Back to this resident"),
    "ties_footer": both(
        "1人の住民の情報です。離れるときは画面を閉じてください。",
        "Data of one resident: close this page when you leave.",
    ),
    "ties_held": both("この拠点が知っている紐付け", "Ties that this site was told of"),
    "ties_held_intro": both(
        "庁内から知らされた、システム {system} の1人分です。変えるのは庁内の窓口です。",
        "Of one resident of {system}, as the hall told. The hall's counter changes them.",
    ),
}
