"""The cable between an edge and the gateway fails in the ways it is told to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from simulators.field.network import LinkState, Network

SILENCE_S = 0.2
PATIENCE_S = 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1024):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def cable() -> AsyncIterator[Network]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    network = Network("park", free_port(), server.sockets[0].getsockname()[1])
    await network.start()
    try:
        yield network
    finally:
        await network.stop()
        server.close()


class Caller:
    """A client of the cable."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def call(cls, network: Network) -> "Caller":
        return cls(*await asyncio.open_connection("127.0.0.1", network.port))

    async def ask(self, wait_s: float = PATIENCE_S) -> bytes:
        self.writer.write(b"hello")
        async with asyncio.timeout(wait_s):
            return await self.reader.read(1024)

    async def is_dropped(self) -> bool:
        """Whether the connection ends instead of answering: whether by FIN or RST is the kernel's choice."""
        try:
            return await self.ask() == b""
        except ConnectionError:
            return True


def play(scene: Callable[[Network], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with cable() as network:
            await scene(network)

    asyncio.run(whole())


def test_a_whole_cable_carries_both_ways() -> None:
    async def scene(network: Network) -> None:
        assert await (await Caller.call(network)).ask() == b"hello"

    play(scene)


def test_a_cut_drops_who_is_connected_and_refuses_who_comes() -> None:
    async def scene(network: Network) -> None:
        caller = await Caller.call(network)
        assert await caller.ask() == b"hello"
        await network.turn(LinkState.CUT)
        assert await caller.is_dropped()
        with pytest.raises(ConnectionRefusedError):
            await Caller.call(network)

    play(scene)


def test_a_black_hole_takes_everything_and_answers_nothing() -> None:
    async def scene(network: Network) -> None:
        before = await Caller.call(network)
        assert await before.ask() == b"hello"
        await network.turn(LinkState.BLACKHOLE)
        for caller in (before, await Caller.call(network)):
            with pytest.raises(TimeoutError):
                await caller.ask(SILENCE_S)

    play(scene)


@pytest.mark.parametrize("fault", [LinkState.CUT, LinkState.BLACKHOLE])
def test_a_healed_cable_is_whole_again(fault: LinkState) -> None:
    async def scene(network: Network) -> None:
        await network.turn(fault)
        await network.turn(LinkState.UP)
        assert await (await Caller.call(network)).ask() == b"hello"

    play(scene)


def test_healing_drops_who_waited_in_the_black_hole() -> None:
    async def scene(network: Network) -> None:
        await network.turn(LinkState.BLACKHOLE)
        caller = await Caller.call(network)
        with pytest.raises(TimeoutError):
            await caller.ask(SILENCE_S)
        await network.turn(LinkState.UP)
        assert await caller.is_dropped()

    play(scene)


def test_a_gateway_that_is_down_closes_the_callers_connection() -> None:
    async def scene(_: Network) -> None:
        network = Network("park", free_port(), free_port())
        await network.start()
        caller = await Caller.call(network)
        assert await caller.is_dropped()
        await network.stop()

    play(scene)
