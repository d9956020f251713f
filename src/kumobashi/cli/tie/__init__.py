"""``kumobashi tie``: services, ties between residents and services, and what is permitted."""

from kumobashi.cli.command import Group

tie = Group(
    "tie",
    ja="住民とサービスの紐付け: 申出、条件を狭める、受入れ、撤回。番号は標準入力から読みます。",
    en="Ties of residents and services: propose, narrow, accept, withdraw; numbers by stdin.",
    example="kumobashi tie list --service child-health",
    places={
        "service": "kumobashi.cli.tie:service",
        "propose": "kumobashi.cli.tie.stating:propose",
        "narrow": "kumobashi.cli.tie.stating:narrow",
        "accept": "kumobashi.cli.tie.stating:accept",
        "withdraw": "kumobashi.cli.tie.stating:withdraw",
        "end": "kumobashi.cli.tie.stating:end",
        "show": "kumobashi.cli.tie.looking:show",
        "list": "kumobashi.cli.tie.looking:list_",
        "may": "kumobashi.cli.tie.looking:may",
        "verify": "kumobashi.cli.tie.looking:verify",
    },
)

service = Group(
    "service",
    ja="サービスの登録、検索、削除と、住民ごとの状態。",
    en="Register, search and delete services; and how a resident stands to them.",
    example="kumobashi tie service list 健診",
    places={
        "add": "kumobashi.cli.tie.services:add",
        "list": "kumobashi.cli.tie.services:list_",
        "delete": "kumobashi.cli.tie.services:delete",
        "status": "kumobashi.cli.tie.services:status",
        "of": "kumobashi.cli.tie.services:of",
    },
)
