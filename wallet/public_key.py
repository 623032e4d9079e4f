"""Which Ed25519 public keys stand for a secret: the curve's points of small order do not. Pure."""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
"""A square root of -1."""


def is_sound(public: bytes) -> bool:
    """Return whether these are the bytes of a public key that somebody must hold a secret for.

    Under a key of small order (eight points, all zeros among them) signatures can be made up for any message, and
    libraries verify them without complaint (RFC 8032, section 5.1; the ways there of section 5.1.3 to 5.1.4).
    """
    point = _decoded(public)
    if point is None:
        return False
    for _ in range(3):  # eight times the point: the curve's cofactor
        point = _doubled(*point)
    return point != (0, 1)


def _decoded(public: bytes) -> tuple[int, int] | None:
    """Return the point (x, y), None for bytes that are none, or not in the one spelling a point has."""
    if len(public) != 32:
        return None
    number = int.from_bytes(public, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return None
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(x_squared, (_P + 3) // 8, _P)
    if (x * x - x_squared) % _P:
        x = x * _ROOT % _P
    if (x * x - x_squared) % _P or (x == 0 and sign):
        return None
    return (_P - x if x & 1 != sign else x), y


def _doubled(x: int, y: int) -> tuple[int, int]:
    slope = _D * x * x * y * y
    return 2 * x * y * pow(1 + slope, -1, _P) % _P, (y * y + x * x) * pow(1 - slope, -1, _P) % _P
