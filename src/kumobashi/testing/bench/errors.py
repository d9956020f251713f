"""How a benchmark fails.

KumobashiError
└── BenchFailed
    ├── PlanNotPermitted
    ├── GatewaySilent
    ├── TransferNotApplied
    ├── PipelineFailed
    ├── RowsDiffer
    └── ValuesDiffer
"""

from kumobashi.kernel import KumobashiError


class BenchFailed(KumobashiError):
    """The benchmark gave no figures."""

    code = "bench.failed"


class PlanNotPermitted(BenchFailed):
    """The sample's link may not run."""

    code = "bench.plan_not_permitted"
    ja = "見本の連携が事前点検で断られました: {reasons}"
    en = "The plan refuses the sample's link: {reasons}"


class GatewaySilent(BenchFailed):
    """A gateway ended or does not answer."""

    code = "bench.gateway_silent"
    ja = "{site} のゲートウェイが応答しません。記録: {log}"
    en = "The gateway of {site} does not answer; its log: {log}"


class TransferNotApplied(BenchFailed):
    """Our own transfer did not reach its end."""

    code = "bench.transfer_not_applied"
    ja = "転送が取込まで進みませんでした（{state}）: {cause}"
    en = "The transfer was not applied ({state}): {cause}"


class PipelineFailed(BenchFailed):
    """A program of another way failed."""

    code = "bench.pipeline_failed"
    ja = "比べる相手（{way}）が失敗しました: {says}"
    en = "The way {way} failed: {says}"


class RowsDiffer(BenchFailed):
    """Two ways that do the same work gave different tables: no timing counts."""

    code = "bench.rows_differ"
    ja = "取込先の表が一致しません: {what}"
    en = "The destination tables differ: {what}"


class ValuesDiffer(BenchFailed):
    """Two ways that measure the same gave different values: no timing counts."""

    code = "bench.values_differ"
    ja = "測った値が一致しません: {what}"
    en = "The measured values differ: {what}"
