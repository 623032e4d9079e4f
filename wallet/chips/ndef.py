"""The one NDEF record that carries a credential (NFC Forum NDEF 1.0).

Our own reader, for two reasons: a torn or hostile message must end in one known error, and a credential
must not be found by a lenient guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass

RECORD_TYPE = b"pb:c"  # external type; short, because an NTAG213 has 137 bytes for message and credential
_MB, _ME, _CF, _SR, _IL = 0x80, 0x40, 0x20, 0x10, 0x08
_TNF_EMPTY, _TNF_EXTERNAL, _TNF_UNCHANGED, _TNF_RESERVED = 0, 4, 6, 7


class MalformedNdef(ValueError):
    """The bytes are not an NDEF message, or the credential in it is not whole."""


@dataclass(frozen=True)
class _Record:
    flags: int
    kind: bytes
    payload: bytes

    @property
    def name_format(self) -> int:
        return self.flags & 0x07


def encode_credential_message(credential: bytes) -> bytes:
    """Return an NDEF message whose only record is `credential`; 7 bytes longer, 10 from 256 bytes on."""
    if not credential:
        raise ValueError("A credential must have at least one byte.")
    short = len(credential) <= 0xFF
    flags = _MB | _ME | _TNF_EXTERNAL | (_SR if short else 0)
    length = len(credential).to_bytes(1 if short else 4)
    return bytes([flags, len(RECORD_TYPE)]) + length + RECORD_TYPE + credential


def find_credential(message: bytes) -> bytes | None:
    """Return the credential in `message`, None when there is no Passband record; other records are skipped.

    Raises:
        MalformedNdef: torn or contradictory bytes, an empty or chunked credential, or more than one.
    """
    found = [record for record in _records(message) if _is_credential(record)]
    if not found:
        return None
    if len(found) > 1:
        raise MalformedNdef("The message holds more than one credential.")
    if found[0].flags & _CF or not found[0].payload:
        raise MalformedNdef("The credential record is empty or in chunks.")
    return found[0].payload


def _is_credential(record: _Record) -> bool:
    # External type names compare without regard to case (NFC Forum RTD 1.0, 3.4).
    return record.name_format == _TNF_EXTERNAL and record.kind.lower() == RECORD_TYPE


def _records(message: bytes) -> Iterator[_Record]:
    offset, first, chunked = 0, True, False
    while offset < len(message):
        record, offset = _read_record(message, offset)
        if bool(record.flags & _MB) is not first:
            raise MalformedNdef("The message does not begin exactly once.")
        if chunked is not (record.name_format == _TNF_UNCHANGED):
            raise MalformedNdef("A chunk does not follow its beginning.")
        first, chunked = False, bool(record.flags & _CF)
        yield record
        if record.flags & _ME:
            if chunked or offset != len(message):
                raise MalformedNdef("The message goes on after its end.")
            return
    if message:
        raise MalformedNdef("The message has no end.")


def _read_record(message: bytes, offset: int) -> tuple[_Record, int]:
    """Return the record at `offset` and the offset after it."""
    flags = message[offset]
    length_size = 1 if flags & _SR else 4
    head = message[offset + 1 : offset + 2 + length_size]
    offset += 2 + length_size
    if len(head) < 1 + length_size:
        raise MalformedNdef("A record's header is cut off.")
    kind_size, payload_size = head[0], int.from_bytes(head[1:])
    id_size = 0
    if flags & _IL:
        if offset >= len(message):
            raise MalformedNdef("A record's header is cut off.")
        id_size, offset = message[offset], offset + 1
    end = offset + kind_size + id_size + payload_size
    if end > len(message):
        raise MalformedNdef("A record is longer than the message.")
    record = _Record(flags, message[offset : offset + kind_size], message[end - payload_size : end])
    if record.name_format == _TNF_RESERVED or (record.name_format == _TNF_EMPTY and end > offset):
        raise MalformedNdef("A record's type name format contradicts its content.")
    return record, end
