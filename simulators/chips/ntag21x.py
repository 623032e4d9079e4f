"""NTAG213, NTAG215 and NTAG216 as their data sheet describes them (NXP NTAG213_215_216 rev 3.2).

Not emulated: a genuine originality signature (only NXP can make one).
"""

from collections.abc import Callable

from simulators.chips.chip import ChipState
from simulators.chips.ntag21x_layout import (
    AUTHLIM,
    CC_PAGE,
    CFGLCK,
    CNT_EN,
    CNT_PWD_PROT,
    FIRST_DYNAMIC_PAGE,
    LAYOUTS,
    LOCK_PAGE,
    PAGE,
    PROT,
)
from simulators.chips.ntag21x_mirror import mirror

ACK = b"\x0a"
NAK_ARGUMENT = b"\x00"
NAK_AUTH_LIMIT = b"\x04"
_HALT_COMMAND = b"\x50\x00"
_COUNTER_NO = 2
_MAX_COUNTER = 0xFFFFFF


class _Nak(Exception):
    """The chip refuses a command."""

    def __init__(self, code: bytes = NAK_ARGUMENT) -> None:
        super().__init__(code.hex())
        self.code = code


class Ntag21x:
    """One chip: durable memory, counters, and the state of this power-up."""

    sens_res = b"\x44\x00"
    sel_res = 0x00

    def __init__(
        self,
        kind: str,
        uid: bytes,
        memory: bytes | None = None,
        read_counter: int = 0,
        failed_logins: int = 0,
        signature: bytes = bytes(32),
    ) -> None:
        """Args: `kind` is ntag213, ntag215 or ntag216; `uid` 7 bytes; no `memory` means as delivered."""
        if len(uid) != 7:
            raise ValueError(f"An NTAG21x has a UID of 7 bytes, not {len(uid)}.")
        self.layout = LAYOUTS[kind]
        self.uid = uid
        self.memory = bytearray(memory) if memory is not None else self.layout.factory_memory(uid)
        if len(self.memory) != self.layout.page_count * PAGE:
            raise ValueError(f"An {kind} has {self.layout.page_count} pages of {PAGE} bytes.")
        self.read_counter = read_counter
        self.failed_logins = failed_logins
        self.signature = signature
        self.on_change: Callable[[], None] = lambda: None
        self._commands = {
            0x30: self._read,
            0x3A: self._fast_read,
            0xA2: self._write,
            0xA0: self._compatibility_write,
            0x60: self._get_version,
            0x1B: self._password_auth,
            0x39: self._read_counter_value,
            0x3C: self._read_signature,
        }
        self.power_up()

    def power_up(self) -> None:
        """Begin an RF session: not authenticated, counter not yet moved, configuration taken over."""
        self.reselect()
        self._counted = False
        config = self.layout.config_page * PAGE
        self._config = bytes(self.memory[config : config + PAGE])
        self._auth0, self._access = self._config[3], self.memory[config + 4]

    def reselect(self) -> None:
        """Be selected anew without a loss of power: the login is gone, the counter has had its step (8.7)."""
        self.state = ChipState.ACTIVE
        self.authenticated = False
        self._awaiting_data_for: int | None = None

    def respond(self, command: bytes) -> bytes | None:
        """Return the answer to one frame; after a NAK the chip is in IDLE."""
        if command == _HALT_COMMAND:
            self.state = ChipState.HALT
            return None
        try:
            if self._awaiting_data_for is not None:
                return self._second_half(command)
            handler = self._commands.get(command[0]) if command else None
            if handler is None:
                raise _Nak
            return handler(command[1:])
        except _Nak as refusal:
            self.state = ChipState.IDLE
            self._awaiting_data_for = None
            return refusal.code

    # reading

    def _read(self, arguments: bytes) -> bytes:
        self._require(len(arguments) == 1)
        start = arguments[0]
        self._require(start < self._readable_pages())
        self._count_read()
        pages = [(start + i) % self._readable_pages() for i in range(4)]  # roll-over to page 0
        return b"".join(self._visible(page) for page in pages)

    def _fast_read(self, arguments: bytes) -> bytes:
        self._require(len(arguments) == 2)
        start, end = arguments
        self._require(start <= end < self._readable_pages())
        self._count_read()
        return b"".join(self._visible(page) for page in range(start, end + 1))

    def _readable_pages(self) -> int:
        if self._access & PROT and not self.authenticated:
            return min(self._auth0, self.layout.page_count)
        return self.layout.page_count

    def _visible(self, page: int) -> bytes:
        if page >= self.layout.password_page:
            return bytes(PAGE)  # PWD and PACK read as zeros, always
        shown = bytearray(self.memory)
        start, text = mirror(self.layout, self._config, self.uid, self._readable_counter())
        shown[start : start + len(text)] = text
        return bytes(shown[page * PAGE : (page + 1) * PAGE])

    def _get_version(self, arguments: bytes) -> bytes:
        self._require(not arguments)
        return self.layout.version

    def _read_signature(self, arguments: bytes) -> bytes:
        self._require(arguments == b"\x00")
        return self.signature

    # the counter: one step per power-up, at the first READ or FAST_READ (data sheet 8.7)

    def _count_read(self) -> None:
        if self._access & CNT_EN and not self._counted:
            self._counted = True
            self.read_counter = min(self.read_counter + 1, _MAX_COUNTER)
            self.on_change()

    def _read_counter_value(self, arguments: bytes) -> bytes:
        counter = self._readable_counter()
        if counter is None or arguments != bytes([_COUNTER_NO]):
            raise _Nak
        return counter.to_bytes(3, "little")

    def _readable_counter(self) -> int | None:
        """Return the counter, None when it is off or guarded by the password that was not given."""
        guarded = self._access & CNT_PWD_PROT and not self.authenticated
        return self.read_counter if self._access & CNT_EN and not guarded else None

    # the password (data sheet 8.8)

    def _password_auth(self, arguments: bytes) -> bytes:
        self._require(len(arguments) == 4)
        limit = self._access & AUTHLIM
        if limit and self.failed_logins >= limit:
            raise _Nak(NAK_AUTH_LIMIT)
        password = self.layout.password_page * PAGE
        if arguments != self.memory[password : password + 4]:
            if limit:
                self.failed_logins += 1
                self.on_change()
            raise _Nak
        if self.failed_logins:
            self.failed_logins = 0
            self.on_change()
        self.authenticated = True
        return bytes(self.memory[password + 4 : password + 6])

    # writing

    def _write(self, arguments: bytes) -> bytes:
        self._require(len(arguments) == 1 + PAGE)
        self._store(arguments[0], arguments[1:])
        return ACK

    def _compatibility_write(self, arguments: bytes) -> bytes:
        self._require(len(arguments) == 1)
        self._require(self._is_writable(arguments[0]))
        self._awaiting_data_for = arguments[0]
        return ACK

    def _second_half(self, data: bytes) -> bytes:
        page, self._awaiting_data_for = self._awaiting_data_for, None
        self._require(len(data) == 16 and page is not None)
        assert page is not None
        self._store(page, data[:PAGE])
        return ACK

    def _store(self, page: int, data: bytes) -> None:
        self._require(self._is_writable(page))
        offset = page * PAGE
        old = self.memory[offset : offset + PAGE]
        if page == LOCK_PAGE:
            new = bytes(old[:2]) + _merge_static_locks(bytes(old[2:]), data[2:])
        elif page == CC_PAGE:
            new = bytes(a | b for a, b in zip(old, data, strict=True))  # one-time programmable
        elif page == self.layout.dynamic_lock_page:
            new = self._merge_dynamic_locks(bytes(old), data)
        else:
            new = data
        self.memory[offset : offset + PAGE] = new
        self.on_change()

    def _is_writable(self, page: int) -> bool:
        if not LOCK_PAGE <= page < self.layout.page_count:
            return False
        if page >= self._auth0 and not self.authenticated:
            return False
        if page in (self.layout.config_page, self.layout.config_page + 1):
            return not self._access & CFGLCK
        return not self._is_locked(page)

    def _is_locked(self, page: int) -> bool:
        if CC_PAGE <= page < FIRST_DYNAMIC_PAGE:
            return bool(int.from_bytes(self.memory[10:12], "little") >> page & 1)
        if FIRST_DYNAMIC_PAGE <= page <= self.layout.last_user_page:
            offset = self.layout.dynamic_lock_page * PAGE
            bit = (page - FIRST_DYNAMIC_PAGE) // self.layout.pages_per_lock_bit
            return bool(int.from_bytes(self.memory[offset : offset + 2], "little") >> bit & 1)
        return False

    def _merge_dynamic_locks(self, old: bytes, data: bytes) -> bytes:
        """Return the dynamic lock bytes after a write: bits only rise, and not in a frozen group."""
        count = self.layout.dynamic_lock_bits
        frozen = sum(0b11 << 2 * i for i in range(8) if old[2] >> i & 1)
        locks = int.from_bytes(old[:2], "little")
        locks |= int.from_bytes(data[:2], "little") & ((1 << count) - 1) & ~frozen
        blocks = old[2] | data[2] & ((1 << -(-count // 2)) - 1)
        return locks.to_bytes(2, "little") + bytes([blocks, old[3]])

    @staticmethod
    def _require(condition: bool) -> None:
        if not condition:
            raise _Nak


def _merge_static_locks(old: bytes, data: bytes) -> bytes:
    """Return lock bytes 0 and 1 after a write (8.5.2): bit n locks page n, bits 0 to 2 freeze groups."""
    frozen = 0
    for block_bit, first, last in ((0, 3, 3), (1, 4, 9), (2, 10, 15)):
        if old[0] >> block_bit & 1:
            frozen |= sum(1 << page for page in range(first, last + 1))
    value = int.from_bytes(old, "little") | (int.from_bytes(data, "little") & ~frozen)
    return value.to_bytes(2, "little")
