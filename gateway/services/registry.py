"""Every command there is. A new noun adds its services here and nowhere else."""

from collections.abc import Mapping
from typing import Any

from gateway.command import Service
from gateway.services import (
    bookings,
    cancellation,
    check_in,
    check_out,
    conflicts,
    edge,
    encodings,
    holds,
    journal,
    keys,
    linking,
    media,
    party_encodings,
    payments,
    person,
    photo_claims,
    photos,
    reservations,
    resort,
    session,
    set_aside,
    sign_in_codes,
    staff,
    stock,
    tokens,
    touching,
)


def all_services() -> Mapping[str, Service[Any]]:
    """Return the services by name."""
    services: tuple[Service[Any], ...] = (
        resort.LoadResort(),
        staff.AddStaff(),
        staff.CloseStaff(),
        keys.MakeIssuerKey(),
        keys.MakeChipEpoch(),
        keys.IssuerRotate(),
        keys.ChipsRotate(),
        keys.KeysRetire(),
        session.SignInGuest(),
        session.SignInStaff(),
        session.EndSession(),
        edge.AddEdge(),
        edge.EnrolEdge(),
        person.ForgetPerson(),
        bookings.BookingCreate(),
        cancellation.PartyCancel(),
        payments.PaymentTake(),
        check_in.PartyCheckIn(),
        check_out.PartyCheckOut(),
        sign_in_codes.SignInCodeMake(),
        tokens.TokenSetPin(),
        tokens.TokenSetLimits(),
        media.MediumAddPhone(),
        media.MediumSetDeviceKey(),
        media.MediumRevoke(),
        encodings.EncodingRequest(),
        encodings.EncodingIssue(),
        encodings.EncodingConfirm(),
        touching.EncodingTouch(),
        party_encodings.PartyEncodings(),
        linking.MediumLink(),
        stock.ChipImport(),
        reservations.ReservationBook(),
        reservations.ReservationCancel(),
        journal.JournalTake(),
        holds.HoldPlace(),
        holds.HoldExpire(),
        conflicts.ConflictResolve(),
        set_aside.SetAsideSettle(),
        photos.PhotoAdd(),
        photos.PhotoGather(),
        photos.PhotoUnlink(),
        photo_claims.PhotoCard(),
        photo_claims.PhotoClaim(),
    )
    by_name = {service.name: service for service in services}
    assert len(by_name) == len(services), "two services share a name"
    return by_name
