"""A code scanner's end of the line: a TCP server that sends what is shown to it, line by line."""

import asyncio
import contextlib

_HOST = "127.0.0.1"


class ScannerGone(Exception):
    """No edge listens to this scanner."""


class Scanner:
    """One scanner. All methods belong to the event loop's thread."""

    def __init__(self, reader: str, port: int) -> None:
        self.reader = reader
        self.port = port
        self._listeners: set[asyncio.StreamWriter] = set()
        self._someone = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, _HOST, self.port, reuse_address=True)

    async def stop(self) -> None:
        """Give the port back and drop whoever listens."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._listeners):
            writer.transport.abort()

    async def show(self, text: str, wait_s: float) -> None:
        """Send the code's text as one line to the edge that listens.

        Args:
            wait_s: how long to wait for an edge that is just starting.
        Raises:
            ScannerGone: none came.
            ValueError: a code's text never holds a line's end.
        """
        if "\n" in text or "\r" in text:
            raise ValueError("the text of a code is one line")
        try:
            async with asyncio.timeout(wait_s):
                await self._someone.wait()
        except TimeoutError:
            raise ScannerGone(f"No edge listens to the scanner {self.reader}.") from None
        for writer in list(self._listeners):
            writer.write(text.encode() + b"\r\n")
            with contextlib.suppress(OSError):
                await writer.drain()

    @property
    def listeners(self) -> int:
        """How many edges listen: one, unless an edge is being restarted."""
        return len(self._listeners)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._listeners.add(writer)
        self._someone.set()
        try:
            while await reader.read(1024):
                pass  # what an edge says to its scanner is of no interest
        except OSError:
            pass  # the edge was killed
        finally:
            self._listeners.discard(writer)
            if not self._listeners:
                self._someone.clear()
            writer.transport.abort()
