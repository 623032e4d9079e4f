"""One chip in the field of an nfcpy reader."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nfc.tag import TagCommandError
from nfc.tag.tt4 import Type4Tag

from readers.drivers.activation import (
    GET_VERSION,
    NEXT_FRAME,
    VERSION_FRAMES,
    activate,
    kind_of,
    kind_of_version,
)
from readers.drivers.air import BoundedAir, OutOfTime
from readers.drivers.base import (
    BadRecord,
    ChipFull,
    ChipKind,
    ChipReadOnly,
    ContactLost,
    DriverError,
    NoCommands,
    is_random_uid,
)
from wallet.chips.ndef import MalformedNdef, encode_credential_message, find_credential

READ_BUDGET_S = 2.0
EXCHANGE_BUDGET_S = 1.0
WRITE_BUDGET_S = 6.0  # an NTAG216 on a real reader takes up to 2 s for its 222 pages
_NDEF_MAGIC = 0xE1


class NfcpyContact:
    """Reads and writes one chip through nfcpy's tag classes and turns all their failures into ours."""

    def __init__(self, air: BoundedAir, tag: Any, uid: bytes, still_here: Callable[[], Any]) -> None:
        """Args: `tag` is None for an unknown chip; `still_here()` selects the chip anew, or gives None."""
        self._air = air
        self._tag = tag
        self._uid = uid
        self._still_here = still_here
        self._kind: ChipKind | None = None
        self._over = False
        self.lost = False

    @property
    def chip_kind(self) -> ChipKind:
        """Which chip it is, as its version tells."""
        if self._kind is None:
            self._kind = kind_of(self._tag)
            if self._kind is ChipKind.TYPE4 and not self._over:
                self._kind = kind_of_version(self.exchange(GET_VERSION))
                if self._kind is not ChipKind.TYPE4:
                    self._finish_version()
        return self._kind

    @property
    def uid(self) -> bytes:
        """The UID from anticollision."""
        return self._uid

    @property
    def is_random_uid(self) -> bool:
        """Whether the UID is drawn anew for every tap."""
        return is_random_uid(self._uid)

    def end(self) -> None:
        """Make all further calls fail: the presentation is over."""
        self._over = True

    def exchange(self, apdu: bytes) -> bytes:
        """Return the chip's answer to one command APDU, status included."""
        with self._bounded(EXCHANGE_BUDGET_S):
            if not isinstance(self._tag, Type4Tag):
                raise NoCommands("The chip takes no commands.")
            # Not send_apdu: it raises on every status but 90 00, and can't send an AuthenticateEV2First as it is.
            answer = bytes(self._tag.transceive(bytearray(apdu)))
        if len(answer) < 2:
            raise BadRecord("The chip's answer has no status.")
        return answer

    def read_message(self) -> bytes | None:
        """Return the NDEF message, None when there is none."""
        with self._bounded(READ_BUDGET_S):
            return self._read_message()

    def read_credential(self) -> bytes | None:
        """Return the credential, None when the chip holds no Passband record."""
        message = self.read_message()
        if message is None:
            return None
        try:
            return find_credential(message)
        except MalformedNdef as error:
            raise BadRecord(f"The chip's record is damaged. {error}") from error

    def write_credential(self, data: bytes) -> None:
        """Write the credential as the chip's only record and compare what it reads back."""
        message = encode_credential_message(data)
        with self._bounded(WRITE_BUDGET_S):
            ndef = self._writable_ndef()
            if len(message) > ndef.capacity:
                raise ChipFull(f"The record takes {len(message)} bytes and the chip has {ndef.capacity}.")
            self._write(lambda: setattr(ndef, "octets", message))
            if ndef.has_changed:
                raise BadRecord("The chip reads back something else than was written.")

    def _finish_version(self) -> None:
        """Take the rest of a version, so that the next command finds the chip ready."""
        for _ in range(VERSION_FRAMES - 1):
            self.exchange(NEXT_FRAME)

    def _read_message(self) -> bytes | None:
        if self._tag is None:
            return None
        if self._tag.ndef is not None:
            return bytes(self._tag.ndef.octets)
        # nfcpy says the same for a chip that left, one without NDEF and one with a torn memory.
        self._select_again()
        if self._claims_ndef():
            raise BadRecord("The chip's memory does not hold a whole NDEF message.")
        return None

    def _writable_ndef(self) -> Any:
        if self._tag is not None and self._tag.ndef is None:
            self._select_again()
            if self._claims_ndef():
                self._write(lambda: self._tag.format())
        if self._tag is None or self._tag.ndef is None:
            raise ChipReadOnly("The chip can't be given an NDEF message.")
        if not self._tag.ndef.is_writeable:
            raise ChipReadOnly("The chip is set to read only.")
        return self._tag.ndef

    def _write(self, action: Callable[[], object]) -> None:
        try:
            action()
        except TagCommandError as error:
            # Above zero the chip answered, and it said no; else the frame went wrong on its way.
            if error.errno > 0 and self._reselected() is not None:
                raise ChipReadOnly("The chip's memory is locked or protected.") from error
            raise

    def _select_again(self) -> None:
        """Start over with the chip after something failed; ContactLost when it has gone."""
        target = self._reselected()
        if target is None:
            raise self._gone("The chip left the field before it was read.")
        self._tag = activate(self._air, target)
        self._air.allow(READ_BUDGET_S)

    def _claims_ndef(self) -> bool:
        """Return whether the chip says that it holds NDEF, however broken that may be."""
        if isinstance(self._tag, Type4Tag):
            ndef = self._tag.NDEF(self._tag)
            return bool(ndef._select_ndef_application())
        try:
            return bool(self._tag.read(3)[0] == _NDEF_MAGIC)
        except TagCommandError:
            return False

    def _reselected(self) -> Any:
        """Return the chip selected anew, None when it has gone or the device fails too."""
        try:
            return self._still_here()
        except Exception:  # the first failure is the one to tell; a lost device is noted by the air
            return None

    def _gone(self, sentence: str) -> ContactLost:
        self.lost = True
        return ContactLost(sentence)

    @contextmanager
    def _bounded(self, budget_s: float) -> Iterator[None]:
        """Run nfcpy code: whatever it raises leaves as ContactLost or BadRecord."""
        if self._over:
            raise ContactLost("The presentation is over.")
        self._air.allow(budget_s)
        try:
            yield
        except DriverError:
            raise
        except OutOfTime as error:
            raise BadRecord(str(error)) from error
        except Exception as error:  # nfcpy raises IndexError, RuntimeError and more on what a chip answers
            if self._air.device_fault is not None:
                raise self._gone("The reader device went away.") from error
            if self._reselected() is None:
                raise self._gone("The chip left the field in the middle.") from error
            raise BadRecord(f"The chip breaks its specification ({type(error).__name__}).") from error
