"""Why a tap or a booking was refused: one code and one plain sentence each, the same for guest, staff and agent."""

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter


class Reason(StrEnum):
    """The reason codes of a refused tap or booking; a code never changes its meaning."""

    CREDENTIAL_MISSING = "credential_missing"
    CREDENTIAL_MALFORMED = "credential_malformed"
    CREDENTIAL_FORGED = "credential_forged"
    CREDENTIAL_FOREIGN_KEY = "credential_foreign_key"
    CREDENTIAL_OTHER_CHIP = "credential_other_chip"
    CREDENTIAL_EXPIRED = "credential_expired"
    CHIP_NOT_PROVEN = "chip_not_proven"
    CHIP_KEY_UNKNOWN = "chip_key_unknown"
    SUN_REPLAYED = "sun_replayed"
    RANDOM_IDENTITY = "random_identity"
    CODE_STALE = "code_stale"
    CODE_REPLAYED = "code_replayed"
    MEDIUM_UNREADABLE = "medium_unreadable"
    MEDIUM_UNKNOWN = "medium_unknown"
    MEDIUM_PENDING = "medium_pending"
    MEDIUM_REVOKED = "medium_revoked"
    TOKEN_UNKNOWN = "token_unknown"
    NOT_ENTITLED = "not_entitled"
    OTHER_ROOM = "other_room"
    BEFORE_CHECK_IN = "before_check_in"
    AFTER_CHECK_OUT = "after_check_out"
    OTHER_LOT = "other_lot"
    VEHICLES_ALL_INSIDE = "vehicles_all_inside"
    VEHICLE_NOT_INSIDE = "vehicle_not_inside"
    OTHER_PARK = "other_park"
    OTHER_DAY = "other_day"
    DAYS_USED_UP = "days_used_up"
    ALREADY_INSIDE = "already_inside"
    NO_RESERVATION = "no_reservation"
    WINDOW_NOT_OPEN = "window_not_open"
    WINDOW_CLOSED = "window_closed"
    RESERVATION_REDEEMED = "reservation_redeemed"
    ENTRANCE_FIRST = "entrance_first"
    NOTHING_TO_PAY = "nothing_to_pay"
    SPENDING_OFF = "spending_off"
    OVER_DAILY_LIMIT = "over_daily_limit"
    OVER_FOLIO_LIMIT = "over_folio_limit"
    OFFLINE_ABOVE_FLOOR = "offline_above_floor"
    OFFLINE_CAP_REACHED = "offline_cap_reached"
    OFFLINE_PIN = "offline_pin"
    PIN_NOT_SET = "pin_not_set"
    PIN_NOT_GIVEN = "pin_not_given"
    PIN_WRONG = "pin_wrong"
    PIN_LOCKED = "pin_locked"
    FACTS_TOO_OLD = "facts_too_old"
    EDGE_OUT_OF_DATE = "edge_out_of_date"
    JOURNAL_FULL = "journal_full"
    BOOKING_NOT_OPEN = "booking_not_open"
    WINDOW_PAST = "window_past"
    WINDOW_FULL = "window_full"
    WINDOWS_OVERLAP = "windows_overlap"
    NO_ADMISSION = "no_admission"
    PICKS_ALL_HELD = "picks_all_held"
    PICKS_OTHER_PARK = "picks_other_park"
    PICKS_TIER_ONE = "picks_tier_one"


class Language(StrEnum):
    """The languages of the catalogue."""

    ENGLISH = "en"
    SPANISH = "es"


_SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.CREDENTIAL_MISSING: (
        "This is not one of our bands or cards. Please see the front desk.",
        "Esta no es una de nuestras pulseras o tarjetas. Consulte en recepción.",
    ),
    Reason.CREDENTIAL_MALFORMED: (
        "The band could not be read completely. Please tap again, or see the front desk.",
        "No se pudo leer bien la pulsera. Acérquela otra vez o consulte en recepción.",
    ),
    Reason.CREDENTIAL_FORGED: (
        "The band's signature is not valid. Please see a member of staff.",
        "La firma de la pulsera no es válida. Consulte con el personal.",
    ),
    Reason.CREDENTIAL_FOREIGN_KEY: (
        "This band was issued by another resort. Please see the front desk.",
        "Esta pulsera es de otro complejo. Consulte en recepción.",
    ),
    Reason.CREDENTIAL_OTHER_CHIP: (
        "This pass was copied from another band. Please see a member of staff.",
        "Este pase se copió de otra pulsera. Consulte con el personal.",
    ),
    Reason.CREDENTIAL_EXPIRED: (
        "The pass expired on {expired_at}. Please open it again in the app, or see the front desk.",
        "El pase caducó el {expired_at}. Ábralo otra vez en la aplicación o consulte en recepción.",
    ),
    Reason.CHIP_NOT_PROVEN: (
        "The band could not prove that it is the one we made. Please see a member of staff.",
        "La pulsera no pudo demostrar que es la nuestra. Consulte con el personal.",
    ),
    Reason.CHIP_KEY_UNKNOWN: (
        "This reader does not know this band's key yet. Please see a member of staff.",
        "Este lector aún no conoce la clave de esta pulsera. Consulte con el personal.",
    ),
    Reason.SUN_REPLAYED: (
        "This reading of the band was used before. Please hold the band itself to the reader.",
        "Esta lectura de la pulsera ya se usó. Acerque la pulsera misma al lector.",
    ),
    Reason.RANDOM_IDENTITY: (
        "This card changes its number with every tap and is not one of ours. Please see the front desk.",
        "Esta tarjeta cambia de número en cada uso y no es nuestra. Consulte en recepción.",
    ),
    Reason.CODE_STALE: (
        "The code was not made just now. Please show it live on the phone, with the phone's clock on time.",
        "El código no es de ahora mismo. Muéstrelo en vivo en el teléfono, con su reloj en hora.",
    ),
    Reason.CODE_REPLAYED: (
        "This code was shown before. Please wait for the phone's next one.",
        "Este código ya se mostró. Espere al siguiente del teléfono.",
    ),
    Reason.MEDIUM_UNREADABLE: (
        "The band left the reader too early. Please hold it a moment longer.",
        "La pulsera se retiró demasiado pronto. Manténgala un momento más.",
    ),
    Reason.MEDIUM_UNKNOWN: (
        "This band is no longer the guest's. Please see the front desk.",
        "Esta pulsera ya no corresponde al huésped. Consulte en recepción.",
    ),
    Reason.MEDIUM_PENDING: (
        "This band is not finished yet. Please touch the encoder at the front desk once more.",
        "Esta pulsera aún no está lista. Acérquela otra vez al grabador en recepción.",
    ),
    Reason.MEDIUM_REVOKED: (
        "This band was turned off on {revoked_at}. Please use another one, or see the front desk.",
        "Esta pulsera se desactivó el {revoked_at}. Use otra o consulte en recepción.",
    ),
    Reason.TOKEN_UNKNOWN: (
        "We do not know this band here yet. Please see a member of staff.",
        "Aquí aún no conocemos esta pulsera. Consulte con el personal.",
    ),
    Reason.NOT_ENTITLED: (
        "There is nothing on this band for this place. The app or a member of staff can help.",
        "Esta pulsera no incluye nada para este lugar. La aplicación o el personal pueden ayudarle.",
    ),
    Reason.OTHER_ROOM: ("This key opens room {rooms}.", "Esta llave abre la habitación {rooms}."),
    Reason.BEFORE_CHECK_IN: (
        "The stay begins on {from_at}.",
        "La estancia empieza el {from_at}.",
    ),
    Reason.AFTER_CHECK_OUT: (
        "The stay ended on {until_at}. The front desk can extend it.",
        "La estancia terminó el {until_at}. En recepción pueden prolongarla.",
    ),
    Reason.OTHER_LOT: (
        "Parking is included in another car park: {lots}.",
        "El aparcamiento incluido es otro: {lots}.",
    ),
    Reason.VEHICLES_ALL_INSIDE: (
        "All vehicles of this booking are already inside.",
        "Todos los vehículos de esta reserva ya están dentro.",
    ),
    Reason.VEHICLE_NOT_INSIDE: (
        "No vehicle of this booking is inside. Please press the help button.",
        "Ningún vehículo de esta reserva está dentro. Pulse el botón de ayuda.",
    ),
    Reason.OTHER_PARK: (
        "Today's ticket is for {parks}.",
        "La entrada de hoy es para {parks}.",
    ),
    Reason.OTHER_DAY: (
        "The ticket is valid from {from_day} to {until_day}.",
        "La entrada es válida del {from_day} al {until_day}.",
    ),
    Reason.DAYS_USED_UP: (
        "All {days} park days of this ticket are used.",
        "Ya se usaron los {days} días de parque de esta entrada.",
    ),
    Reason.ALREADY_INSIDE: (
        "This ticket entered a moment ago, at {entered_at}. Each guest taps their own.",
        "Esta entrada acaba de usarse, a las {entered_at}. Cada huésped acerca la suya.",
    ),
    Reason.NO_RESERVATION: (
        "No reservation for this attraction. Book a return window in the app.",
        "No hay reserva para esta atracción. Reserve un horario en la aplicación.",
    ),
    Reason.WINDOW_NOT_OPEN: (
        "Your return window opens: {opens_at}.",
        "Su horario empieza: {opens_at}.",
    ),
    Reason.WINDOW_CLOSED: (
        "Your return window has closed: {closed_at}. Book another in the app.",
        "Su horario ya terminó: {closed_at}. Reserve otro en la aplicación.",
    ),
    Reason.RESERVATION_REDEEMED: (
        "This reservation has been redeemed: {redeemed_at}.",
        "Esta reserva ya se usó: {redeemed_at}.",
    ),
    Reason.ENTRANCE_FIRST: (
        "Please tap at the bypass entrance first.",
        "Acerque primero la pulsera en la entrada rápida.",
    ),
    Reason.NOTHING_TO_PAY: (
        "There is no sale open at this till.",
        "No hay ninguna venta abierta en esta caja.",
    ),
    Reason.SPENDING_OFF: (
        "Paying with this band is turned off. The party's lead can turn it on.",
        "El pago con esta pulsera está desactivado. El titular de la reserva puede activarlo.",
    ),
    Reason.OVER_DAILY_LIMIT: (
        "This would pass the daily limit; {left} is left today.",
        "Se superaría el límite diario; hoy quedan {left}.",
    ),
    Reason.OVER_FOLIO_LIMIT: (
        "This would pass the limit of the room bill. Please pay otherwise, or see the front desk.",
        "Se superaría el límite de la cuenta. Pague de otra forma o consulte en recepción.",
    ),
    Reason.OFFLINE_ABOVE_FLOOR: (
        "The till is offline and can take up to {floor} by band. Please pay otherwise.",
        "La caja no tiene conexión y admite hasta {floor} con pulsera. Pague de otra forma.",
    ),
    Reason.OFFLINE_CAP_REACHED: (
        "The till is offline and has reached its limit. Please pay otherwise.",
        "La caja no tiene conexión y alcanzó su límite. Pague de otra forma.",
    ),
    Reason.OFFLINE_PIN: (
        "The till is offline and cannot take a PIN. Please pay otherwise.",
        "La caja no tiene conexión y no puede aceptar un PIN. Pague de otra forma.",
    ),
    Reason.PIN_NOT_SET: (
        "This purchase needs a PIN. Set one in the app or at the front desk.",
        "Esta compra necesita un PIN. Elíjalo en la aplicación o en recepción.",
    ),
    Reason.PIN_NOT_GIVEN: (
        "No PIN was entered. Please tap again.",
        "No se introdujo el PIN. Acerque la pulsera otra vez.",
    ),
    Reason.PIN_WRONG: (
        "The PIN is wrong. Please tap again.",
        "El PIN no es correcto. Acerque la pulsera otra vez.",
    ),
    Reason.PIN_LOCKED: (
        "The PIN is locked after too many wrong tries. The front desk can set a new one.",
        "El PIN está bloqueado por demasiados intentos. En recepción pueden cambiarlo.",
    ),
    Reason.FACTS_TOO_OLD: (
        "This reader has been without a connection for too long. Please see a member of staff.",
        "Este lector lleva demasiado tiempo sin conexión. Consulte con el personal.",
    ),
    Reason.EDGE_OUT_OF_DATE: (
        "This reader's software is too old for this band. Please see a member of staff.",
        "El programa de este lector es demasiado antiguo para esta pulsera. Consulte con el personal.",
    ),
    Reason.JOURNAL_FULL: (
        "This reader cannot record taps right now. Please see a member of staff.",
        "Este lector no puede registrar usos ahora. Consulte con el personal.",
    ),
    Reason.BOOKING_NOT_OPEN: (
        "Booking for this day opens on {opens_at}.",
        "Las reservas para este día se abren el {opens_at}.",
    ),
    Reason.WINDOW_PAST: ("This return window has passed.", "Este horario ya pasó."),
    Reason.WINDOW_FULL: (
        "This return window has {left} places left. Please choose another.",
        "En este horario quedan {left} plazas. Elija otro.",
    ),
    Reason.WINDOWS_OVERLAP: (
        "This overlaps the return window at {attraction}, {starts_at}.",
        "Coincide con el horario de {attraction}, {starts_at}.",
    ),
    Reason.NO_ADMISSION: (
        "A ticket for {park} on this day is needed first.",
        "Primero hace falta una entrada de {park} para ese día.",
    ),
    Reason.PICKS_ALL_HELD: (
        "All {held} picks are held. Another can be booked once they are used.",
        "Ya tiene {held} reservas. Podrá añadir otra cuando las use.",
    ),
    Reason.PICKS_OTHER_PARK: (
        "The first {held} picks of a day are in one park: {park}.",
        "Las primeras {held} reservas del día son en un solo parque: {park}.",
    ),
    Reason.PICKS_TIER_ONE: (
        "Only {most} of the first picks may be an attraction like this one.",
        "Solo {most} de las primeras reservas puede ser de una atracción como esta.",
    ),
}


def sentence(reason: Reason, detail: Mapping[str, str], language: Language = Language.ENGLISH) -> str:
    """Return the plain sentence for a refusal; `detail` fills its gaps, a missing one shows as "…"."""
    text = _SENTENCES[reason][0 if language is Language.ENGLISH else 1]
    gaps = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format(**{name: detail.get(name, "…") for name in gaps})
