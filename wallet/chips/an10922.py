"""Key diversification: one key per chip out of one master (NXP AN10922)."""

from wallet.chips.aes import BLOCK, ZERO_IV, encrypt_block, encrypt_cbc, require_length

DIVERSIFICATION_CONSTANT = b"\x01"  # AN10922 2.2: the constant of AES-128
MAX_DATA_BYTES = 31
_POLYNOMIAL = 0x87  # x^128 + x^7 + x^2 + x + 1, RFC 4493 2.3


def diversify_aes128(master: bytes, data: bytes) -> bytes:
    """Return the 16-byte key that belongs to `data` (usually UID, application and system ids) under `master`.

    Unlike a plain CMAC the input is always padded to two blocks, so the two differ for `data` under 16 bytes.

    Args:
        master: 16 bytes.
        data: 1 to 31 bytes, different for each chip.

    Raises:
        ValueError: when a length is wrong.
    """
    require_length("The master key", master, BLOCK)
    if not 1 <= len(data) <= MAX_DATA_BYTES:
        raise ValueError(f"The diversification input must be 1 to {MAX_DATA_BYTES} bytes, not {len(data)}.")
    message = DIVERSIFICATION_CONSTANT + data
    subkey = _double(encrypt_block(master, ZERO_IV))
    if len(message) < 2 * BLOCK:
        message = (message + b"\x80").ljust(2 * BLOCK, b"\x00")
        subkey = _double(subkey)
    last = bytes(a ^ b for a, b in zip(message[BLOCK:], subkey, strict=True))
    return encrypt_cbc(master, message[:BLOCK] + last)[BLOCK:]


def _double(block: bytes) -> bytes:
    """Return the block doubled in GF(2^128), which makes K1 out of E(0) and K2 out of K1."""
    value = int.from_bytes(block) << 1
    if value >> 128:
        value = (value & ((1 << 128) - 1)) ^ _POLYNOMIAL
    return value.to_bytes(BLOCK)
