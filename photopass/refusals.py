"""Why a photo was not taken in, shown or handed over: a code and a plain sentence, English and Spanish."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class PhotoReason(StrEnum):
    """The codes of everything that photopass refuses; a code never changes its meaning."""

    PHOTO_UNKNOWN = "photo_unknown"
    NOT_LINKED = "photo_not_linked"
    PLAN_NOT_OWNED = "photo_plan_not_owned"
    DOWNLOAD_OVER = "photo_download_over"
    CODE_UNKNOWN = "photo_code_unknown"
    CLAIM_OVER = "photo_claim_over"
    CLAIMED_BY_OTHERS = "photo_claimed_by_others"
    FILE_EMPTY = "photo_file_empty"
    FILE_TOO_LARGE = "photo_file_too_large"
    NOT_AN_IMAGE = "photo_not_an_image"
    IMAGE_DAMAGED = "photo_image_damaged"
    IMAGE_TOO_LARGE = "photo_image_too_large"
    TAKEN_IN_FUTURE = "photo_taken_in_future"
    TAKEN_TOO_LONG_AGO = "photo_taken_too_long_ago"


_SENTENCES: Mapping[PhotoReason, tuple[str, str]] = {
    PhotoReason.PHOTO_UNKNOWN: (
        "There is no such photo in your album.",
        "Esa foto no está en su álbum.",
    ),
    PhotoReason.NOT_LINKED: (
        "The photo is not linked to this guest.",
        "La foto no está vinculada a este huésped.",
    ),
    PhotoReason.PLAN_NOT_OWNED: (
        "Full-size photos come with the photo plan. The app or a photo shop can add it.",
        "Las fotos en tamaño completo vienen con el plan de fotos. Añádalo en la aplicación o en una tienda.",
    ),
    PhotoReason.DOWNLOAD_OVER: (
        "The photo could be downloaded until {until_day}.",
        "La foto se podía descargar hasta el {until_day}.",
    ),
    PhotoReason.CODE_UNKNOWN: (
        "There is no claim card with this code. Please check the letters and digits.",
        "No hay ninguna tarjeta con este código. Revise las letras y los números.",
    ),
    PhotoReason.CLAIM_OVER: (
        "The photos on this card could be claimed until {until_day}.",
        "Las fotos de esta tarjeta se podían reclamar hasta el {until_day}.",
    ),
    PhotoReason.CLAIMED_BY_OTHERS: (
        "This card has already been claimed by another party. A photo shop can help.",
        "Otro grupo ya reclamó esta tarjeta. En una tienda de fotos pueden ayudarle.",
    ),
    PhotoReason.FILE_EMPTY: ("The file is empty.", "El archivo está vacío."),
    PhotoReason.FILE_TOO_LARGE: (
        "The file is larger than {max_mib} MiB.",
        "El archivo supera los {max_mib} MiB.",
    ),
    PhotoReason.NOT_AN_IMAGE: (
        "The file is neither a JPEG nor a PNG image.",
        "El archivo no es una imagen JPEG ni PNG.",
    ),
    PhotoReason.IMAGE_DAMAGED: (
        "The image is damaged or not complete. Please upload it again.",
        "La imagen está dañada o incompleta. Súbala otra vez.",
    ),
    PhotoReason.IMAGE_TOO_LARGE: (
        "The image has {pixels} pixels; up to {pixels_max} are taken.",
        "La imagen tiene {pixels} píxeles; se admiten hasta {pixels_max}.",
    ),
    PhotoReason.TAKEN_IN_FUTURE: (
        "The photo says that it is taken later than now. Please check the camera's clock.",
        "La foto lleva una hora futura. Revise el reloj de la cámara.",
    ),
    PhotoReason.TAKEN_TOO_LONG_AGO: (
        "The photo was taken more than {days} days ago; nobody could claim it any more.",
        "La foto se hizo hace más de {days} días; ya nadie podría reclamarla.",
    ),
}


class PhotoRefusal(Struct, frozen=True, omit_defaults=True):
    """A refusal as a result; `detail` fills the gaps of the reason's sentence."""

    reason: PhotoReason
    detail: dict[str, str] = {}

    def sentence(self, language: str = "en") -> str:
        """Return the plain sentence, in Spanish for "es", else in English."""
        english, spanish = _SENTENCES[self.reason]
        return (spanish if language == "es" else english).format(**self.detail)


class Unacceptable(Exception):
    """An uploaded file cannot be taken in; `refusal` says why."""

    def __init__(self, reason: PhotoReason, **detail: str) -> None:
        self.refusal = PhotoRefusal(reason, detail)
        super().__init__(self.refusal.sentence())
