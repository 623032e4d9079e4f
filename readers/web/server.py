"""The thread that serves the edge's web."""

import socket
import threading
from typing import TYPE_CHECKING

from readers.settings import SettingsFault

if TYPE_CHECKING:
    import uvicorn

    from readers.edge import Edge

_STOP_S = 3.0


class WebServer:
    """Serves the web of one edge in a thread, which also imports what that takes: taps don't wait for it."""

    def __init__(self, edge: "Edge", till_key: str | None) -> None:
        """Take the port.

        Raises:
            SettingsFault: it is taken.
        """
        where = edge.settings.edge
        try:
            self._socket = socket.create_server((where.web_host, where.web_port))
        except OSError as error:
            place = f"{where.web_host}:{where.web_port}"
            raise SettingsFault(f"edge.web_port: {place} can't be taken ({error.strerror})") from None
        self.port: int = self._socket.getsockname()[1]
        self._edge = edge
        self._till_key = till_key
        self._stopping = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, then end."""
        self._stopping.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(_STOP_S)
        self._socket.close()

    def _serve(self) -> None:
        import uvicorn

        from readers.web.app import create_app

        config = uvicorn.Config(
            create_app(self._edge, self._till_key),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        if not self._stopping.is_set():
            self._server.run(sockets=[self._socket])
