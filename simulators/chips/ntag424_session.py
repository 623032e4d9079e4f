"""The chip's end of EV2 authentication and AES secure messaging (NT4H2421Gx, 9.1).

Written from the data sheet and apart from `wallet.chips.ntag424`, the reader's end, so that each proves the other;
only AES itself is shared.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from simulators.chips.ntag424_settings import CommMode
from simulators.chips.ntag424_status import Refusal, Status, require
from wallet.chips.aes import cmac, decrypt_cbc, encrypt_block, encrypt_cbc, pad, truncate_mac, unpad

RANDOM_BYTES, TI_BYTES, MAC_BYTES, CAPABILITY_BYTES = 16, 4, 8, 6
_MAX_RESPONSE_BYTES = 256
_MAX_COUNTER = 0xFFFF


@dataclass
class Session:
    """An open session: which key it rests on, its two keys, TI and CmdCtr."""

    key_no: int
    enc_key: bytes
    mac_key: bytes
    transaction_id: bytes
    counter: int = 0

    def open_command(
        self, ins: int, header_bytes: int, body: bytes, mode: CommMode, with_data: bool
    ) -> bytes:
        """Check and open a command's body; count it. Return header and plain data.

        Args:
            header_bytes: how many bytes of the body are never encrypted.
            with_data: whether the command carries data after its header.

        Raises:
            Refusal: LENGTH_ERROR without room for header and MAC; INTEGRITY_ERROR for a wrong MAC or padding, or when
                the counter is used up (9.1.2).
        """
        if mode is CommMode.PLAIN:
            require(self.counter < _MAX_COUNTER, Status.INTEGRITY_ERROR)
            self.counter += 1
            return body
        require(len(body) >= header_bytes + MAC_BYTES, Status.LENGTH_ERROR)
        payload, mac = body[:-MAC_BYTES], body[-MAC_BYTES:]
        right = hmac.compare_digest(mac, self._mac(ins, payload))
        require(right and self.counter < _MAX_COUNTER, Status.INTEGRITY_ERROR)
        header, data = payload[:header_bytes], payload[header_bytes:]
        if mode is CommMode.FULL and with_data:
            data = self._decrypted(data)
        self.counter += 1
        return header + data

    def seal_response(self, data: bytes, mode: CommMode) -> bytes:
        """Return the answer's data as they travel, without the status; raises Refusal when too long for one APDU."""
        if mode is CommMode.FULL and data:
            data = encrypt_cbc(self.enc_key, pad(data), self._iv(b"\x5a\xa5"))
        if mode is not CommMode.PLAIN:
            data += self._mac(Status.OK, data)
        require(len(data) <= _MAX_RESPONSE_BYTES, Status.LENGTH_ERROR)
        return data

    def _decrypted(self, data: bytes) -> bytes:
        try:
            return unpad(decrypt_cbc(self.enc_key, data, self._iv(b"\xa5\x5a")))
        except ValueError:
            raise Refusal(Status.INTEGRITY_ERROR) from None

    def _mac(self, code: int, payload: bytes) -> bytes:
        message = bytes([code]) + self.counter.to_bytes(2, "little") + self.transaction_id + payload
        return truncate_mac(cmac(self.mac_key, message))

    def _iv(self, label: bytes) -> bytes:
        counter = self.counter.to_bytes(2, "little")
        return encrypt_block(self.enc_key, label + self.transaction_id + counter + bytes(8))


@dataclass(frozen=True)
class Challenge:
    """An authentication between its two parts (10.4.1, 10.4.2).

    Attributes:
        counter: CmdCtr of the session to be: 0 after First, carried on after NonFirst.
        capabilities: PDcap2 ‖ PCDcap2 to be answered, 12 bytes; None in NonFirst.
    """

    key_no: int
    key: bytes
    random: bytes
    transaction_id: bytes
    counter: int
    capabilities: bytes | None

    def sent(self) -> bytes:
        """Return the encrypted RndB."""
        return encrypt_cbc(self.key, self.random)

    def answer(self, encrypted: bytes) -> tuple[Session, bytes]:
        """Return the session and the chip's own proof.

        Raises:
            Refusal: LENGTH_ERROR, or AUTHENTICATION_ERROR: the reader does not have the key.
        """
        require(len(encrypted) == 2 * RANDOM_BYTES, Status.LENGTH_ERROR)
        plain = decrypt_cbc(self.key, encrypted)
        theirs, rotated = plain[:RANDOM_BYTES], plain[RANDOM_BYTES:]
        right = hmac.compare_digest(rotated, self.random[1:] + self.random[:1])
        require(right, Status.AUTHENTICATION_ERROR)
        proof = theirs[1:] + theirs[:1]
        if self.capabilities is not None:
            proof = self.transaction_id + proof + self.capabilities
        enc_key, mac_key = _session_keys(self.key, theirs, self.random)
        session = Session(self.key_no, enc_key, mac_key, self.transaction_id, self.counter)
        return session, encrypt_cbc(self.key, proof)


def first(key_no: int, key: bytes, capabilities: bytes, random: Callable[[int], bytes]) -> Challenge:
    """Begin AuthenticateEV2First: RndB, then TI are drawn."""
    return Challenge(key_no, key, random(RANDOM_BYTES), random(TI_BYTES), 0, capabilities)


def non_first(key_no: int, key: bytes, session: Session, random: Callable[[int], bytes]) -> Challenge:
    """Begin AuthenticateEV2NonFirst, which keeps the transaction's TI and CmdCtr."""
    return Challenge(key_no, key, random(RANDOM_BYTES), session.transaction_id, session.counter, None)


def _session_keys(key: bytes, rnd_a: bytes, rnd_b: bytes) -> tuple[bytes, bytes]:
    """Return SesAuthENCKey and SesAuthMACKey (9.1.7); the data sheet numbers bytes from the right."""
    vector = bytearray(rnd_a[:2] + rnd_b + rnd_a[8:])
    for position in range(6):
        vector[2 + position] ^= rnd_a[2 + position]
    tail = bytes.fromhex("00010080") + bytes(vector)
    return cmac(key, b"\xa5\x5a" + tail), cmac(key, b"\x5a\xa5" + tail)
