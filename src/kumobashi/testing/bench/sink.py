"""A place to put files by HTTP, as fast as it can be: ``python -m …bench.sink PORT FOLDER``."""

import sys
from pathlib import Path
from typing import Any

import uvicorn


class Sink:
    """An ASGI application that writes the body of ``PUT /name`` to the file of that name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request."""
        assert scope["type"] == "http"
        if scope["method"] == "PUT":
            with (self._folder / Path(scope["path"]).name).open("wb") as file:
                more = True
                while more:
                    message = await receive()
                    file.write(message.get("body", b""))
                    more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


if __name__ == "__main__":
    uvicorn.run(
        Sink(Path(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
