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
    "sign_on_at": both("{name}でサインイン", "Sign in at {name}"),
    "sign_on_or": both("この画面の利用者名で入る", "Or with an account of this console"),
    "signed_on": both("サインインしました", "Signed in"),
    "signed_on_by": both(
        "{name}が本人を確かめました。画面が変わらないときは、下から進んでください。",
        "{name} has recognised you. If nothing happens, go on below.",
    ),
    "go_on": both("進む", "Go on"),
    "left_here": both("サインアウトしました。", "You are signed out here."),
    "left_there": both("{name}からもサインアウトする", "Sign out at {name} too"),
}
