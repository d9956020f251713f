"""How serving fails.

KumobashiError
└── ServiceFailed
    ├── SiteMissing
    ├── SecretMissing
    ├── NotAllowed          no or a wrong token for the local API
    ├── OnlyHere            the local API and the console answer on this machine only
    ├── BadRequest
    ├── NotOffered          an operation of another's API that has no meaning here
    ├── BodyStalled         a body that stops before its end
    ├── RequestMalformed    what came is no HTTP
    ├── RequestSlow         a request did not come within the time
    ├── HeadTooLarge        the fields of a request are too large
    ├── PlanChanged         the plan is not the one that was shown
    ├── NotProposed         nobody has asked for this approval
    ├── SamePerson          whoever asks may not approve
    ├── AccountNeeded       this is decided by somebody who is known
    ├── LeavesTraining      in training, something leads to another place
    └── GatewayDown         nobody serves this site; asked by a terminal
"""

from kumobashi.kernel import KumobashiError


class ServiceFailed(KumobashiError):
    """The gateway could not do it."""

    code = "service.failed"
    status = 500


class SiteMissing(ServiceFailed):
    """No such site in the workspace."""

    code = "service.site_missing"
    status = 404
    ja = "サイト「{site}」は連携設定にありません。"
    en = "The workspace has no site {site!r}."
    remedy_ja = "あるのは次のサイトです: {known}"
    remedy_en = "There are: {known}"


class SecretMissing(ServiceFailed):
    """A reference to a secret leads nowhere."""

    code = "service.secret_missing"
    ja = "秘密情報「{reference}」が見つかりません。"
    en = "The secret {reference} is not there."
    remedy_ja = "環境変数を設定するか、ファイルを置いてください（権限 0600）。"
    remedy_en = "Set the variable, or put the file there with mode 0600."


class NothingToShare(ServiceFailed):
    """Workers apart from the gateway need a state that several processes can have open."""

    code = "service.nothing_to_share"
    status = 409
    ja = "{site} の状態は SQLite のファイルで、1つのプロセスしか使えません。"
    en = "The state of {site} is an SQLite file, which one process has at a time."
    remedy_ja = (
        "状態を PostgreSQL に置く（--state、sites/{site}.yaml の state）か、"
        "serve だけを使ってください。"
    )
    remedy_en = (
        "Keep the state in PostgreSQL (--state, state in sites/{site}.yaml), or use serve alone."
    )


class NotAllowed(ServiceFailed):
    """The local API asks for the site's token."""

    code = "service.not_allowed"
    status = 401
    ja = "このサイトの API を使う許可がありません。"
    en = "The local API of this site needs its token."
    remedy_ja = "private/<サイト>/api.token を読める利用者で実行してください。"
    remedy_en = "Run as a user who may read private/<site>/api.token."


class OnlyHere(ServiceFailed):
    """The console and the local API are for this machine."""

    code = "service.only_here"
    status = 403
    ja = "この画面はこのコンピューターからだけ使えます。"
    en = "This is for the machine the gateway runs on."
    remedy_ja = "ゲートウェイが動いているコンピューターで開いてください。"
    remedy_en = "Open it on the machine where the gateway runs."


class BadRequest(ServiceFailed):
    """A request that cannot be read."""

    code = "service.bad_request"
    status = 400
    ja = "要求の「{field}」が正しくありません（{expected}）。"
    en = "{field} is wrong: expected {expected}."
    remedy_ja = "docs/reference/http.md を見てください。"
    remedy_en = "See docs/reference/http.md."


class NotOffered(ServiceFailed):
    """An operation of another's API that is not offered here."""

    code = "service.not_offered"
    status = 501
    ja = "この操作は、ここでは行えません。"
    en = "This operation is not offered here."
    remedy_ja = "行える操作は docs/reference/consent.md にあります。"
    remedy_en = "docs/reference/consent.md lists the operations there are."


class LinksUnread(ServiceFailed):
    """Nobody could look yet at what may be asked: nothing is in force."""

    code = "service.links_unread"
    retryable = True
    status = 503
    ja = "このサイトは、オンライン連携の設定をまだ読めていません。"
    en = "This site has not been able to read its online links yet."
    remedy_ja = "続くときは、サイトの動作記録で理由を確かめてください。"
    remedy_en = "If this goes on, see why in the log of the site."


class BodyStalled(ServiceFailed):
    """The rest of a body does not come: a line that stands still, or a length that is wrong."""

    code = "service.body_stalled"
    retryable = True
    status = 408
    ja = "要求の残りが {seconds} 秒届きませんでした。"
    en = "The rest of the request did not come for {seconds} seconds."
    remedy_ja = "自動でもう一度送ります。続くときは回線を確かめてください。"
    remedy_en = "It is sent again by itself; if this goes on, look at the line."


class GatewayDown(ServiceFailed):
    """Nobody serves this site."""

    code = "service.gateway_down"
    retryable = True
    status = 503
    ja = "{site} のゲートウェイが動いていません（{url}）。"
    en = "No gateway answers for {site} at {url}."
    remedy_ja = "別の端末で始めてください: kumobashi serve --site {site}"
    remedy_en = "Start it in another terminal: kumobashi serve --site {site}"


class LeavesTraining(ServiceFailed):
    """Training, but the workspace is a real one or leads to another machine."""

    code = "service.leaves_training"
    status = 403
    ja = "訓練では使えません。架空市でないか、このパソコンの外につながります: {places}"
    en = "Not for training: no fictional city, or it leads to another machine: {places}"
    remedy_ja = "訓練用の市を作り直してください: kumobashi training --reset"
    remedy_en = "Make the training city anew: kumobashi training --reset"


class RequestMalformed(ServiceFailed):
    """What came cannot be read as a request of HTTP."""

    code = "service.request_malformed"
    status = 400
    ja = "HTTP の要求として読めません。"
    en = "This cannot be read as a request of HTTP."
    remedy_ja = "送るプログラムと、途中の装置が要求を書き換えていないかを確かめてください。"
    remedy_en = "Look at the program that sends, and at what rewrites requests on the way."


class RequestSlow(ServiceFailed):
    """A request did not come within the time."""

    code = "service.request_slow"
    status = 408
    retryable = True
    ja = "要求が、決められた時間のうちに届きませんでした。"
    en = "The request did not come within the time."
    remedy_ja = "回線を確かめて、もう一度送ってください。"
    remedy_en = "Look at the line and send it again."


class HeadTooLarge(ServiceFailed):
    """The fields of a request are larger than any may be."""

    code = "service.head_too_large"
    status = 431
    ja = "要求のヘッダーが大きすぎます（上限 {limit} バイト）。"
    en = "The header fields of the request are too large; the limit is {limit} bytes."
    remedy_ja = "Cookie などのヘッダーを減らしてください。"
    remedy_en = "Send fewer or shorter fields."


class PlanChanged(ServiceFailed):
    """The plan is not the one that was shown, or is not permitted any more."""

    code = "service.plan_changed"
    status = 409
    ja = "連携「{link}」の事前点検は、表示したあとで変わりました。何も承認していません。"
    en = "The plan of {link!r} has changed since it was shown; nothing was approved."
    remedy_ja = "事前点検を開き直して、変わったところを確かめてください。"
    remedy_en = "Open the plan again and see what has changed."


class NotProposed(ServiceFailed):
    """Nobody has asked for the approval of the plan as it is now."""

    code = "service.not_proposed"
    status = 409
    ja = "連携「{link}」の承認は依頼されていません。"
    en = "Nobody has asked for the approval of {link!r}."
    remedy_ja = "運用の担当者に、事前点検の画面から依頼してもらってください。"
    remedy_en = "Let an operator ask for it on the plan's page."


class SamePerson(ServiceFailed):
    """Whoever asks for an approval may not give it."""

    code = "service.same_person"
    status = 403
    ja = "依頼した本人は承認できません。"
    en = "Whoever asked for it may not approve it."
    remedy_ja = "ほかの承認者に頼んでください。"
    remedy_en = "Ask another approver."


class ClerkNeeded(ServiceFailed):
    """Whoever looked at a document must be known."""

    code = "service.clerk_needed"
    status = 403
    ja = "本人確認書類を見た人は、利用者として名乗る必要があります。"
    en = "Whoever looked at a resident's document must sign in."
    remedy_ja = "--account 利用者名 を付けてください。利用者は kumobashi account add で登録します。"
    remedy_en = "Give --account NAME; accounts are made with kumobashi account add."


class AccountNeeded(ServiceFailed):
    """The second of two persons must be known."""

    code = "service.account_needed"
    status = 403
    ja = "二人目の承認は、利用者として名乗る必要があります。"
    en = "Whoever decides as the second person must sign in."
    remedy_ja = "--account 利用者名 を付けてください。利用者は kumobashi account add で登録します。"
    remedy_en = "Give --account NAME; accounts are made with kumobashi account add."


class ResidentUnknown(ServiceFailed):
    """Nobody has this number; the value is not repeated."""

    code = "service.resident_unknown"
    status = 404
    ja = "この宛名番号の人は、台帳にいません。何も記録していません。"
    en = "The register has nobody of this number; nothing was kept."
    remedy_ja = "番号を確かめてください（先頭の 0・空白・全角の違いは合わせて探しました）。"
    remedy_en = "Check the number; leading zeros, blanks and width were allowed for."


class ResidentUnclear(ServiceFailed):
    """Several numbers of the register are alike; the values are not repeated."""

    code = "service.resident_unclear"
    status = 409
    ja = "打たれた番号に当てはまる人が、台帳に複数います。何も記録していません。"
    en = "Several numbers of the register are like this one; nothing was kept."
    remedy_ja = "台帳に書かれているとおりに、先頭の 0 も含めて打ってください。"
    remedy_en = "Type it as the register writes it, with its leading zeros."
