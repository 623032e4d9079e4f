"""JSON routes under /api/v1, one file per noun."""

from fastapi import APIRouter

from gateway.api import (
    bookings,
    conflicts,
    edges,
    encodings,
    feed,
    folio,
    journal,
    parties,
    passes,
    photo_claims,
    photos,
    reservations,
    resort,
    sign_in,
    timeline,
    tokens,
)

ROUTERS: tuple[APIRouter, ...] = (
    resort.router,
    sign_in.router,
    feed.router,
    edges.router,
    bookings.router,
    parties.router,
    folio.router,
    timeline.router,
    tokens.router,
    passes.router,
    encodings.router,
    reservations.router,
    journal.router,
    conflicts.router,
    photos.router,
    photo_claims.router,
)
"""Every router of /api/v1. A new noun adds its own here and nowhere else."""
