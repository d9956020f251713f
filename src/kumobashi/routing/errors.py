"""How finding a way fails.

KumobashiError
└── RoutingFailed
    ├── PlaceUnknown     no such site
    └── NoWay            no chain of connections opens outward to the receiver
"""

from kumobashi.kernel import KumobashiError


class RoutingFailed(KumobashiError):
    """No way was found."""

    code = "routing.failed"


class PlaceUnknown(RoutingFailed):
    """A site is not in the directory."""

    code = "routing.place_unknown"
    ja = "サイト「{site}」はディレクトリにありません。"
    en = "The directory has no site {site!r}."
    remedy_ja = (
        "sites/{site}.yaml を作り、ディレクトリを発行し直してください: kumobashi directory publish"
    )
    remedy_en = "Make sites/{site}.yaml and publish again: kumobashi directory publish"


class NoWay(RoutingFailed):
    """Connections from the sender do not lead to the receiver."""

    code = "routing.no_way"
    ja = (
        "{from_site} から {to_site} へ届く経路がありません"
        "（{from_site} から届くのは {reached} まで）。"
    )
    en = "No connection leads from {from_site} to {to_site}; {from_site} reaches {reached}."
    remedy_ja = (
        "途切れているのは {last} からです。"
        "sites/{last}.yaml の connects_to に次のサイトを書いてください。"
    )
    remedy_en = "The way ends at {last}: add the next site to connects_to in sites/{last}.yaml."


class OnlyInward(NoWay):
    """There is a way, but only from the receiver to the sender."""

    code = "routing.only_inward"
    ja = (
        "{from_site} から {to_site} へは接続を開けません。"
        "接続は {to_site} の側から外へだけ開きます。"
    )
    en = "{from_site} cannot open a connection to {to_site}; connections open from {to_site} only."
    remedy_ja = "{to_site} の側が取りに行く連携として書いてください。"
    remedy_en = "Declare it as something that {to_site} fetches."
