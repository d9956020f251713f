"""What goes wrong with rows that a cloud takes and gives by jobs.

KumobashiError
├── JobsFailed
│   ├── CloudRefuses      the cloud said no, with a code of its own
│   ├── JobEnded          the cloud gave a job up, or somebody stopped it
│   ├── RowsFailed        some rows were refused: how many, why, which
│   ├── RowsUncounted     the cloud's counts are not those of what was sent
│   ├── RowsAbsent        rows that were taken are not there afterwards
│   ├── ResultsTorn       a page of results has fewer rows than it says
│   ├── KeyUnfit          rows without a key, or two with the same one
│   ├── ValueUnfit        a value that CSV for a cloud cannot carry; nothing was sent
│   └── ValueTooLong      more than the cloud holds; nothing was sent
└── StoreUnreachable
    └── CloudAway         no answer, or not let in
        ├── CloudLimit    a limit of the day or of open jobs is reached; it goes on later
        └── JobUnderWay   the cloud has not finished yet; it goes on later
"""

from kumobashi.kernel import KumobashiError
from kumobashi.storage.errors import StoreUnreachable


class JobsFailed(KumobashiError):
    """Rows cannot be given to a cloud or taken from it."""

    code = "jobs.failed"


class CloudRefuses(JobsFailed):
    """The cloud answered with an error that waiting does not cure."""

    code = "jobs.refused"
    status = 502
    ja = "{name}のクラウドが断りました（{step}、{status_code} {reason}）。"
    en = "The cloud of {system} refused ({step}: {status_code} {reason})."
    remedy_ja = "systems/{system}.yaml の表と項目の名前、権限を、クラウドの設定と見比べてください。"
    remedy_en = "Hold the names in systems/{system}.yaml and the permissions against the cloud's."


class JobEnded(JobsFailed):
    """A job failed as a whole, or was stopped at the cloud."""

    code = "jobs.ended"
    status = 502
    ja = "{name}のクラウドで、ジョブ {job} が {state} で終わりました（{reason}）。"
    ja += "{rows} 件のうち {processed} 件が処理されています。到達とはしません。"
    en = "Job {job} ended as {state} at the cloud of {system} ({reason}): {processed} of {rows}"
    en += " rows were processed. It does not count as arrived."
    remedy_ja = "クラウドの管理者に理由を確かめ、全件で送り直してください: link run … --full"
    remedy_en = "Ask the cloud's administrator why, then send everything again: link run … --full"


class RowsFailed(JobsFailed):
    """The cloud took the job, and refused some rows."""

    code = "jobs.rows_failed"
    status = 422
    ja = "{name}のクラウドが {rows} 件を受け付けませんでした（{reasons}）。"
    ja += "{lines} 件目です。到達とはしません。"
    en = "The cloud of {system} did not take {rows} rows ({reasons}): rows {lines}."
    en += " It does not count as arrived."
    remedy_ja = "その行を元のシステムで直し、全件で送り直してください: link run … --full"
    remedy_en = "Correct them at the source, then send everything again: link run … --full"


class RowsUncounted(JobsFailed):
    """The counts that the cloud gives do not add up to what was sent."""

    code = "jobs.counts_unlike"
    status = 502
    ja = "{name}のクラウドは完了と言いますが、{what}が合いません（{sent} 件に対して {got} 件、"
    ja += "ジョブ {job}）。到達とはしません。"
    en = "The cloud of {system} says complete, but {what_en} is {got} for {sent} sent (job {job})."
    en += " It does not count as arrived."
    remedy_ja = "クラウドの事業者にジョブの番号で確かめてください。"
    remedy_en = "Ask the cloud's vendor about the job by its number."


class RowsAbsent(JobsFailed):
    """Every job was complete, and still rows are missing."""

    code = "jobs.rows_absent"
    status = 502
    ja = "{name}のクラウドは全部を受け付けたと言いますが、表「{table}」に {rows} 件がありません。"
    ja += "到達とはしません。"
    en = "The cloud of {system} says all was taken, yet {rows} rows are not in {table!r}."
    en += " It does not count as arrived."
    remedy_ja = "同じ表にほかの処理が書いていないか、クラウドの管理者に確かめてください。"
    remedy_en = "Ask the cloud's administrator whether something else writes into this table."


class ResultsTorn(JobsFailed):
    """Results came with fewer rows than were told."""

    code = "jobs.results_torn"
    retryable = True
    status = 502
    ja = "{name}のクラウドの結果が途中で切れています（{expected} 件のはずが {got} 件）。"
    en = "Results of the cloud of {system} are cut off: {got} rows of {expected}."
    remedy_ja = "間をおいて自動で取り直します。続くときはクラウドの事業者に連絡してください。"
    remedy_en = "They are fetched again by themselves; if it stays, call the cloud's vendor."


class KeyUnfit(JobsFailed):
    """Rows that the cloud could not tell apart."""

    code = "jobs.key_unfit"
    status = 422
    ja = "キー「{key}」が、クラウドの表の1行を決めません（{rows} 件が空か、重なっています）。"
    ja += "送っていません。"
    en = "The key {key} does not tell rows apart: {rows} are empty or twice. Nothing was sent."
    remedy_ja = "提供ルールの項目と、レイアウトの key を確かめてください。"
    remedy_en = "Check the rule's columns, and key in the layout."


class ValueUnfit(JobsFailed):
    """A value that would arrive as another one."""

    code = "jobs.value_unfit"
    status = 422
    ja = "{item} に、クラウドにそのまま渡せない値（{what}）があります（{rows} 件、最初は"
    ja += " {line} 件目）。送っていません。"
    en = "{item} holds values that would arrive as others ({what_en}): {rows} rows, first {line}."
    en += " Nothing was sent."
    remedy_ja = "元のシステムで直すか、提供ルールでその項目を外してください。"
    remedy_en = "Correct them at the source, or leave the item out in the rule."


class ValueTooLong(JobsFailed):
    """Rows that the cloud could not hold whole."""

    code = "jobs.too_long"
    status = 422
    ja = "クラウドの上限を超えます（{what}: {got}、上限 {limit}、{line} 件目）。送っていません。"
    en = "Beyond the cloud's limit ({what_en}: {got} over {limit}, row {line}). Nothing was sent."
    remedy_ja = "提供ルールで短くするか、上限が違うクラウドなら systems/*.yaml の limits に"
    remedy_ja += "書いてください。"
    remedy_en = "Shorten it in the rule, or write the cloud's own limit into limits."


class CloudAway(StoreUnreachable):
    """The cloud does not answer, or does not let in."""

    code = "jobs.away"
    ja = "{name}のクラウドを使えません（{reason_ja}）。"
    en = "The cloud of {system} cannot be used: {reason}."
    remedy_ja = "クラウドの稼働と、接続の許可（client_id、client_secret）を確かめてください。"
    remedy_ja += "直ると自動で再開します。"
    remedy_en = (
        "Check that it is up and lets us in (client_id, client_secret); it resumes by itself."
    )


class CloudLimit(CloudAway):
    """A limit of the cloud is reached."""

    code = "jobs.limit"
    ja = "{name}のクラウドの上限に達しました（{reason}）。{seconds} 秒ほどあとに続けます。"
    en = "A limit of the cloud of {system} is reached ({reason}); it goes on in about {seconds} s."
    remedy_ja = "自動で続けます。毎日続くときは、ジョブの数の上限を事業者と相談してください。"
    remedy_en = "It goes on by itself. If it stays, ask the vendor for a higher limit."


class JobUnderWay(CloudAway):
    """The cloud still works on a job."""

    code = "jobs.under_way"
    ja = "{name}のクラウドがジョブ {job} を処理しています（{state}、{processed} 件まで）。"
    en = "The cloud of {system} still works on job {job} ({state}, {processed} rows so far)."
    remedy_ja = "待つだけです。終わると自動で続きます。"
    remedy_en = "Only waiting helps; it goes on by itself."
