"""AES-128 and CMAC as NXP's chips use them: no padding of their own, zero IV unless given."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK = 16
ZERO_IV = bytes(BLOCK)


def require_length(name: str, value: bytes, length: int) -> None:
    """Raise ValueError unless `value` is exactly `length` bytes long."""
    if len(value) != length:
        raise ValueError(f"{name} must be {length} bytes long, not {len(value)}.")


def cmac(key: bytes, message: bytes) -> bytes:
    """Return the 16-byte AES-CMAC of `message` (RFC 4493)."""
    require_length("The key", key, BLOCK)
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def truncate_mac(mac: bytes) -> bytes:
    """Return MACt, the 8 bytes at odd positions of a 16-byte CMAC (AN12196, 4.4.3)."""
    require_length("The MAC", mac, BLOCK)
    return mac[1::2]


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """Return one block under AES-128 in ECB mode; NXP derives its IVs this way."""
    require_length("The block", block, BLOCK)
    return encrypt_cbc(key, block)


def encrypt_cbc(key: bytes, plain: bytes, iv: bytes = ZERO_IV) -> bytes:
    """Return `plain` (whole blocks) under AES-128-CBC."""
    _require_blocks("The plain text", plain)
    encryptor = _cbc(key, iv).encryptor()
    return encryptor.update(plain) + encryptor.finalize()


def decrypt_cbc(key: bytes, encrypted: bytes, iv: bytes = ZERO_IV) -> bytes:
    """Return the plain text of `encrypted` (whole blocks) under AES-128-CBC."""
    _require_blocks("The cipher text", encrypted)
    decryptor = _cbc(key, iv).decryptor()
    return decryptor.update(encrypted) + decryptor.finalize()


def pad(data: bytes) -> bytes:
    """Return `data` with 80 00 … up to the next whole block, a full block more when it is whole already."""
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)


def unpad(data: bytes) -> bytes:
    """Return `data` without its 80 00 … padding; ValueError when there is none."""
    stripped = data.rstrip(b"\x00")
    if not stripped.endswith(b"\x80") or len(data) - len(stripped) >= BLOCK:
        raise ValueError("The padding 80 00 … is missing.")
    return stripped[:-1]


def _require_blocks(name: str, data: bytes) -> None:
    if len(data) % BLOCK:
        raise ValueError(f"{name} must be whole blocks of {BLOCK} bytes, not {len(data)} bytes.")


def _cbc(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    require_length("The key", key, BLOCK)
    require_length("The IV", iv, BLOCK)
    return Cipher(algorithms.AES(key), modes.CBC(iv))
