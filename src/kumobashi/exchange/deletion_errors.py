"""How deleting what was sent fails.

KumobashiError
└── ExchangeFailed
    ├── NothingHeld          no receiver holds anything of that transfer
    ├── DeletedAlready       it was deleted; the receipt is here
    ├── NotAskedFor          nobody has asked for the deletion
    ├── AskedBySame          the second person is the first
    ├── WhoAsks              a law keeps it: whoever asks must be known
    ├── BaseInUse            a difference to that transfer is under way
    ├── KeptByLaw            two persons must decide before the term is over
    ├── TableShared          other links write into the table; its rows cannot be told apart
    └── DeletionIncomplete   something of it is still there
"""

from kumobashi.exchange.errors import ExchangeFailed


class NothingHeld(ExchangeFailed):
    """Nothing of that transfer was ever applied."""

    code = "exchange.nothing_held"
    status = 404
    ja = "転送「{transfer}」は取り込まれていないため、受け取り側が持つものはありません。"
    en = "Transfer {transfer} was not applied, so no receiver holds anything of it."


class DeletedAlready(ExchangeFailed):
    """There is nothing left to delete."""

    code = "exchange.deleted_already"
    status = 409
    ja = "転送「{transfer}」は消去済みです。"
    en = "Transfer {transfer} was deleted."
    remedy_ja = "消去の受領は kumobashi deletion report で見られます。"
    remedy_en = "kumobashi deletion report shows the receipt."


class NotAskedFor(ExchangeFailed):
    """There is nothing to decide."""

    code = "exchange.not_asked_for"
    status = 409
    ja = "転送「{transfer}」の消去の依頼で、承認を待つものはありません。"
    en = "No request to delete transfer {transfer} waits for a decision."
    remedy_ja = "kumobashi deletion list で状態を確かめてください。"
    remedy_en = "Look at kumobashi deletion list."


class AskedBySame(ExchangeFailed):
    """Two persons are needed."""

    code = "exchange.asked_by_same"
    status = 403
    ja = "転送「{transfer}」の消去を依頼した人は、承認できません。"
    en = "Whoever asked for the deletion of transfer {transfer} may not approve it."
    remedy_ja = "別の承認者が承認してください。"
    remedy_en = "Another person who may approve decides."


class WhoAsks(ExchangeFailed):
    """Two persons are needed, so each must be known."""

    code = "exchange.who_asks"
    status = 403
    ja = "転送「{transfer}」は法令で保存するデータです。だれの依頼かが必要です。"
    en = "A law asks to keep transfer {transfer}; it must be known who asks for its deletion."
    remedy_ja = "kumobashi deletion request {transfer} --account 利用者名 で依頼してください。"
    remedy_en = "Ask with kumobashi deletion request {transfer} --account NAME."


class BaseInUse(ExchangeFailed):
    """A transfer under way is a difference to what is to be deleted."""

    code = "exchange.base_in_use"
    retryable = True
    status = 409
    ja = "転送「{transfer}」を基準にした差分の転送「{running}」が、まだ終わっていません。"
    en = "Transfer {running}, which is under way, is a difference to {transfer}."
    remedy_ja = "その転送が終わってから（または取りやめてから）、もう一度依頼してください。"
    remedy_en = "Ask again when that transfer is over, or cancel it first."


class KeptByLaw(ExchangeFailed):
    """A law asks to keep it until it is due; deleting it earlier is decided by two persons."""

    code = "exchange.kept_by_law"
    status = 403
    ja = "転送「{transfer}」は法令で保存するデータです。期限前の消去には、二人目の承認がいります。"
    en = "A law asks to keep transfer {transfer}; deleting it early takes a second person."
    remedy_ja = (
        "依頼した人とは別の承認者が kumobashi deletion approve {transfer} を実行してください。"
    )
    remedy_en = "Another person who may approve runs kumobashi deletion approve {transfer}."


class TableShared(ExchangeFailed):
    """Several links write into one dataset."""

    code = "exchange.table_shared"
    status = 409
    ja = "取込先「{dataset}」には、ほかの連携（{links}）も書きます。この転送の行だけを消せません。"
    en = "Other links ({links}) write into {dataset}; the rows of one cannot be told apart."
    remedy_ja = "連携ごとに取込先のデータセットを分けるか、担当が手で消してください。"
    remedy_en = "Give each link a dataset of its own, or have the rows deleted by hand."


class DeletionIncomplete(ExchangeFailed):
    """Looked for after deleting, and found."""

    code = "exchange.deletion_incomplete"
    retryable = True
    status = 409
    ja = "消去のあとに、まだ残っているものがあります（{what}）。消去済みとはしません。"
    en = "Something is still there after deleting ({what}); it is not called deleted."
    remedy_ja = "自動でやり直します。続くときはゲートウェイのログを担当に見せてください。"
    remedy_en = (
        "It is tried again by itself; if it stays, show the gateway's log to its maintainer."
    )
