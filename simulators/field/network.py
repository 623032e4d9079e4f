"""The cable between one edge and the gateway: a TCP proxy that can be cut, go silent, and heal."""

import asyncio
import contextlib
from enum import StrEnum

_CHUNK = 65536
_HOST = "127.0.0.1"


class LinkState(StrEnum):
    """How a cable is: whole, cut (connections are refused), a black hole (taken and never answered)."""

    UP = "up"
    CUT = "cut"
    BLACKHOLE = "blackhole"


class Network:
    """One proxy. All methods belong to the event loop's thread."""

    def __init__(self, edge: str, port: int, target_port: int, state: LinkState = LinkState.UP) -> None:
        self.edge = edge
        self.port = port
        self.target_port = target_port
        self.state = state
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Take up the state given; raises OSError when the port is taken."""
        if self.state is not LinkState.CUT:
            await self._listen()

    async def turn(self, state: LinkState) -> None:
        """Cut, silence or heal the cable. Bytes already under way are lost, as they are in life.

        Going silent keeps open connections open: who waits there waits in vain. Any other turn drops them.
        """
        if state is self.state:
            return
        self.state = state
        if state is LinkState.CUT:
            await self._close_server()
        elif self._server is None:
            await self._listen()
        if state is not LinkState.BLACKHOLE:
            self._drop_all()

    async def stop(self) -> None:
        """Give the port back and drop every connection."""
        await self._close_server()
        self._drop_all()

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, _HOST, self.port, reuse_address=True)

    async def _close_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _drop_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.state is LinkState.UP:
                await self._connect(reader, writer)
            else:
                await self._swallow(reader)
        except OSError:
            pass  # either end went away: the other is told by the closing below
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(_HOST, self.target_port)
        self._open.add(far_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer))
                both.create_task(self._pump(far_reader, writer))
        except* OSError:
            pass
        finally:
            self._open.discard(far_writer)
            far_writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            if self.state is not LinkState.UP:
                await self._swallow(source)
                return
            sink.write(data)
            await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()

    @staticmethod
    async def _swallow(source: asyncio.StreamReader) -> None:
        while await source.read(_CHUNK):
            pass
