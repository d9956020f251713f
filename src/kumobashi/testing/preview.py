"""Shows the console without a city, for whoever works on its pages.

``python -m kumobashi.testing.preview [morning|every_light] [PORT]`` serves it on 127.0.0.1, with
the plans of the sample workspace and nobody to sign in.
"""

import sys
import tempfile
from pathlib import Path

import uvicorn

from kumobashi.testing import scenes
from kumobashi.testing.office import Office

SCENES = {"morning": scenes.morning, "every_light": scenes.every_light}
_PORT = 8749


def main(arguments: list[str]) -> None:
    """Serve on 127.0.0.1 until interrupted."""
    scene = arguments[0] if arguments else "every_light"
    port = int(arguments[1]) if len(arguments) > 1 else _PORT
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder), SCENES[scene], signs_in=False)
        uvicorn.run(office.application, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])
