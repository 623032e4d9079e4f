"""Pictures of codes, for whoever can't draw one: a browser without script, a client of the API."""

import io

import qrcode
import qrcode.image.svg


def code_svg(text: str) -> str:
    """Return a QR code of the text as an SVG document, with its quiet zone of four modules."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    drawn = io.BytesIO()
    code.make_image(image_factory=qrcode.image.svg.SvgPathImage).save(drawn)
    return drawn.getvalue().decode()
