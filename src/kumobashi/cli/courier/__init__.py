"""``kumobashi courier``: carry bundles and receipts over an air gap, on media."""

from kumobashi.cli.command import Group

_HERE = "kumobashi.cli.courier"
courier = Group(
    "courier",
    ja="ネットワークを使えないとき、封緘データと到達確認を媒体で運びます（2人の持出許可が要ります）。",
    en="Carry bundles and receipts on removable media where no line leads; two persons permit it.",
    example="kumobashi courier export 5f21c0 --site hall-core --to /media/usb",
    places={
        "ask": f"{_HERE}.asking:ask",
        "approve": f"{_HERE}.asking:approve",
        "decline": f"{_HERE}.asking:decline",
        "list": f"{_HERE}.showing:list_",
        "show": f"{_HERE}.showing:show",
        "export": f"{_HERE}.exporting:export",
        "import": f"{_HERE}.importing:import_",
        "code": f"{_HERE}.coding:code",
        "confirm": f"{_HERE}.coding:confirm",
        "returned": f"{_HERE}.asking:returned",
        "lost": f"{_HERE}.asking:lost",
    },
)
