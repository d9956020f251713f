"""Signing in."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "sign_in": both("サインイン", "Sign in"),
    "account_name": both("利用者名", "Name"),
    "password": both("パスワード", "Password"),
    "code": both("確認コード（6桁）", "Code (six digits)"),
    "code_hint": both(
        "認証アプリに表示される数字です。30秒ごとに変わり、一度だけ使えます。",
        "The number in your authenticator; it changes every 30 seconds and is taken once.",
    ),
}
