"""A terminal that talks to an NTAG 424 DNA in APDUs, with the wallet's side of EV2."""

from collections.abc import Callable

from simulators.chips.ntag424 import Ntag424Application
from simulators.chips.ntag424_memory import Memory
from wallet.chips.aes import decrypt_cbc, encrypt_cbc
from wallet.chips.ntag424 import SecureChannel, change_key_data, ev2_session_keys

UID = bytes.fromhex("04A1B2C3D4E5F6")
SELECT = bytes.fromhex("00A4040C07D276000085010100")
FACTORY = bytes(16)
RND_A = bytes(range(16))


def counting() -> Callable[[int], bytes]:
    """Return a source of numbers that never repeats and always gives the same."""
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return drawn.to_bytes(count)

    return draw


class Terminal:
    """Knows one chip. `send` is plain; `full` and `mac` need `authenticate` before them."""

    def __init__(self, memory: Memory | None = None, select: bool = True) -> None:
        self.memory = memory or Memory(UID)
        self.chip = Ntag424Application(self.memory, counting())
        self.changes = 0
        self.channel: SecureChannel | None = None
        self._transaction_id = b""
        self.chip.context.on_change = self._changed
        if select:
            assert self.chip.process(SELECT) == b"\x90\x00"

    def new_field(self) -> None:
        """Take the chip out of the field and hold it there again, selected."""
        self.chip.power_up()
        self.channel = None
        assert self.chip.process(SELECT) == b"\x90\x00"

    def iso(self, command: str) -> str:
        """Send an inter-industry command in hex."""
        return self.chip.process(bytes.fromhex(command)).hex().upper()

    def send(self, ins: int, body: bytes = b"") -> bytes:
        """Wrap a native command and return the answer with its status."""
        data = bytes([len(body)]) + body if body else b""
        return self.chip.process(bytes([0x90, ins, 0, 0]) + data + b"\x00")

    def authenticate(self, key_no: int, key: bytes = FACTORY, first: bool = True) -> str:
        """Authenticate; return the last status."""
        answer = self.send(0x71, bytes([key_no, 0])) if first else self.send(0x77, bytes([key_no]))
        if answer[-2:] != b"\x91\xaf":
            return answer.hex().upper()
        rnd_b = decrypt_cbc(key, answer[:-2])
        answer = self.send(0xAF, encrypt_cbc(key, RND_A + rnd_b[1:] + rnd_b[:1]))
        if answer[-2:] != b"\x91\x00":
            return answer.hex().upper()
        proof = decrypt_cbc(key, answer[:-2])
        if first:
            self._transaction_id, proof = proof[:4], proof[4:20]
        assert proof == RND_A[1:] + RND_A[:1]
        counter = 0 if first or self.channel is None else self.channel.counter
        self.channel = SecureChannel(ev2_session_keys(key, RND_A, rnd_b), self._transaction_id, counter)
        return answer[-2:].hex().upper()

    def full(self, ins: int, header: bytes = b"", data: bytes = b"") -> bytes:
        """Send in CommMode.FULL and return the opened answer; ChannelError carries a refusal's status."""
        assert self.channel is not None
        return self.channel.open_response(self.chip.process(self.channel.command(ins, header, data)))

    def mac(self, ins: int, header: bytes = b"") -> bytes:
        """Send in CommMode.MAC and return the opened answer."""
        assert self.channel is not None
        return self.channel.open_response(self.chip.process(self.channel.command_mac(ins, header)))

    def change_key(self, number: int, new: bytes, version: int, old: bytes = FACTORY) -> str:
        """Change a key in a session of key 0; return the status."""
        assert self.channel is not None
        data = change_key_data(number, old, new, version)
        answer = self.chip.process(self.channel.command(0xC4, bytes([number]), data))
        if number and answer[-2:] == b"\x91\x00":
            self.channel.open_response(answer)
        return answer[-2:].hex().upper()

    def _changed(self) -> None:
        self.changes += 1


def position(file: int, offset: int, length: int) -> bytes:
    """Return the header of ReadData or WriteData."""
    return bytes([file]) + offset.to_bytes(3, "little") + length.to_bytes(3, "little")
