"""``kumobashi consent``: texts, the ledger of what residents said, receipts."""

from kumobashi.cli.command import Group

consent = Group(
    "consent",
    ja="本人同意: 同意文、受付、撤回、履歴、一括取込。番号は標準入力から読みます。",
    en="Consent of residents: texts, granting, withdrawing, history, import; numbers from stdin.",
    example="kumobashi consent texts",
    places={
        "texts": "kumobashi.cli.consent.looking:texts",
        "list": "kumobashi.cli.consent.looking:list_",
        "counts": "kumobashi.cli.consent.looking:counts",
        "show": "kumobashi.cli.consent.looking:show",
        "history": "kumobashi.cli.consent.looking:history",
        "verify": "kumobashi.cli.consent.looking:verify",
        "apply": "kumobashi.cli.consent.stating:apply",
        "code": "kumobashi.cli.consent.stating:code",
        "prove": "kumobashi.cli.consent.stating:prove",
        "grant": "kumobashi.cli.consent.stating:grant",
        "withdraw": "kumobashi.cli.consent.stating:withdraw",
        "died": "kumobashi.cli.consent.stating:died",
        "merge": "kumobashi.cli.consent.stating:merge",
        "identify": "kumobashi.cli.consent.identifying:identify",
        "documents": "kumobashi.cli.consent.identifying:documents",
        "check": "kumobashi.cli.consent.checking:check",
        "import": "kumobashi.cli.consent.files:import_",
        "export": "kumobashi.cli.consent.files:export",
        "channel": "kumobashi.cli.consent.channels:channel",
        "receipt": "kumobashi.cli.consent.receipts:receipt",
    },
)
