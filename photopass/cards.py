"""The picture of a claim card's QR code."""

import qrcode
from qrcode.image.svg import SvgPathImage


def card_svg(code: str, address: str = "") -> str:
    """Return the QR code of a claim card as SVG.

    Args:
        code: the code as printed.
        address: where the guest claims ("https://…/app/photos"); with it a phone's camera leads there. The
            code follows the "#", which a browser keeps to itself, so that it stands in no server's log.
    """
    text = f"{address}#claim={code}" if address else code
    picture = qrcode.make(text, image_factory=SvgPathImage, border=4)
    return str(picture.to_string(encoding="unicode"))
