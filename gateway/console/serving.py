"""`passband gateway run`: the gateway with its HTTP, until it is told to end."""

import logging
import signal
import socket
from types import FrameType

import uvicorn

from gateway.app import create_app
from gateway.bootstrap import Gateway, build
from gateway.settings import read_settings


class _Server(uvicorn.Server):
    """Says where it is once it serves; lets those who wait for the feed go as soon as it is asked to end."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, url: str) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            print(f"passband gateway at {self._url}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take SIGTERM or SIGINT."""
        self._gateway.feed.release()
        # Not uvicorn's own way, which sends the signal again afterwards: an orderly end is a success.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def run() -> int:
    """Serve, and return the exit status.

    Raises:
        OSError: the address can't be listened on.
        VaultFault: the master key is not the one of this database. What a database can't do is raised as it comes.
    """
    settings = read_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, settings.port))
        except OSError as error:
            raise OSError(
                f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}). "
                "Another program may be there; set PASSBAND_PORT to a free one."
            ) from None
        gateway = build(settings)
        try:
            gateway.start()  # not within uvicorn, which would answer a wrong key with two hundred lines of its insides
        except BaseException:
            gateway.stop()
            raise
        app = create_app(gateway, started=True)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=5, lifespan="on"
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        server = _Server(config, gateway, f"http://{host}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])
    return 0 if server.started else 1
