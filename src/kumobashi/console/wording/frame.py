"""What stands around every page: the menu, the switches, the foot, and pages that failed."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "product": both("雲橋", "Kumobashi"),
    "morning": both("朝の確認", "This morning"),
    "overview": both("連携状況一覧", "State of links"),
    "plans": both("事前点検", "Plans"),
    "campaigns": both("通知の誤差", "Notices"),
    "workspace": both("連携設定", "Workspace"),
    "record": both("変更履歴", "Record of changes"),
    "sign_out": both("サインアウト", "Sign out"),
    "in_training": both("訓練中", "In training"),
    "in_training_why": both(
        "架空の市です。ここから何も送られません。",
        "A fictional city; nothing leaves from here.",
    ),
    "training": both("訓練（架空の市）", "Training (a fictional city)"),
    "training_why": both(
        "人も数字も架空です。だれにも届きません。",
        "People and figures are invented; nobody is reached.",
    ),
    "switches": both("表示の切り替え", "Display"),
    "dates_western": both("西暦で表示", "Dates without era"),
    "dates_era": both("和暦で表示", "Dates with era"),
    "footer_keys": both(
        "キー：/ 検索、j・k 次・前の連携。", "Keys: / search, j and k next and previous link."
    ),
    "skip": both("本文へ移動", "Skip to the content"),
    "menu": both("メニュー", "Menu"),
    "other_language": both("English", "日本語"),
    "breadcrumb": both("現在の位置", "You are here"),
    "all": both("すべて", "All"),
    "as_of": both("{at} 現在", "As of {at} JST"),
    "reload": both("最新の状態にする", "Refresh"),
    "live": both("実行中のため自動で更新しています", "Refreshing by itself while something runs"),
    "nothing": both("なし", "none"),
    "unknown_yet": both("まだわかりません", "not known yet"),
    "error_403": both("この操作はできません", "This may not be done"),
    "error_404": both("ページが見つかりません", "There is no such page"),
    "error_404_why": both(
        "連携の名前が変わったか、アドレスが違います。",
        "The link was renamed, or the address is wrong.",
    ),
    "error_405": both("この操作はできません", "This cannot be done here"),
    "error_405_why": both(
        "この画面は見るだけです。何も変更していません。",
        "These pages only show; nothing was changed.",
    ),
    "error_409": both("何も変えていません", "Nothing was changed"),
    "error_500": both("画面を表示できませんでした", "The page could not be shown"),
    "error_500_why": both(
        "表示だけの失敗で、連携そのものの状態は変わっていません。少し待って開き直すか、"
        "端末で kumobashi link status を実行してください。",
        "Only showing failed; the links are as they were. "
        "Wait a little and reload, or run kumobashi link status.",
    ),
    "error_code": both("コード", "Code"),
    "back": both("連携状況一覧へ戻る", "Back to the state of links"),
    "footer": both("この画面に住民の情報は表示されません。", "No resident's data are shown here."),
    "footer_same": both("端末では {command}", "At a terminal: {command}"),
}
