"""The field as a program of its own."""

import asyncio
import socket
from pathlib import Path

import uvicorn

from simulators.field.control import Control
from simulators.field.settings import FieldFault, load_field_settings
from simulators.field.world import World


def run_field(settings_file: Path) -> int:
    """Run the field until it is told to stop; return the exit status.

    Raises:
        FieldFault: the settings can't be used, or a port is taken.
    """
    settings = load_field_settings(settings_file)
    # asyncio sends small answers at once only on sockets that say they are TCP; else each waits 40 ms for an ACK.
    control = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    control.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        control.bind(("127.0.0.1", settings.control_port))
    except OSError as error:
        raise FieldFault(f"Port {settings.control_port} can't be opened ({error.strerror}).") from None
    asyncio.run(_serve(World(settings), control))
    return 0


async def _serve(world: World, control: socket.socket) -> None:
    config = uvicorn.Config(
        Control(world).application(), log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    await world.start()
    try:
        await uvicorn.Server(config).serve(sockets=[control])
    finally:
        await world.stop()
