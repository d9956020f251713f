"""``python -m kumobashi.testing.jobs_cloud FOLDER [PORT]``: run the cloud until it is stopped.

``FOLDER/settings.json`` says what it is like; ``FOLDER/port`` says where it listens.
"""

import sys
from pathlib import Path

from kumobashi.testing.jobs_cloud.door import serve
from kumobashi.testing.jobs_cloud.settings import CloudSettings


def main(folder: Path, port: int) -> None:
    """Run it."""
    server = serve(CloudSettings.read(folder / "settings.json"), folder, port)
    fresh = folder / "port.new"
    fresh.write_text(str(server.server_address[1]), encoding="ascii")
    fresh.replace(folder / "port")
    server.serve_forever(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)  # noqa: PLR2004 - the second word
