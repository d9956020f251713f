"""Shows the console without a city, for whoever works on its pages.

``python -m kumobashi.testing.preview [morning|every_light] [PORT]`` serves it on 127.0.0.1.
"""

import sys

import uvicorn
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.testing import scenes, views
from kumobashi.testing.boards import SceneBoard

_PORT = 8749


def preview(scene: str = "every_light") -> Starlette:
    """Return an application that shows ``scene`` of :mod:`kumobashi.testing.scenes`."""
    shown = {"morning": scenes.morning, "every_light": scenes.every_light}[scene]
    return Starlette(
        routes=console_routes(SceneBoard(shown), zones=views.ZONES),
        exception_handlers={**error_pages()},
    )


def main(arguments: list[str]) -> None:
    """Serve on 127.0.0.1 until interrupted."""
    scene = arguments[0] if arguments else "every_light"
    port = int(arguments[1]) if len(arguments) > 1 else _PORT
    uvicorn.run(preview(scene), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])
