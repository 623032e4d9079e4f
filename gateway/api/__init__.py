"""JSON routes under /api/v1, one file per noun."""

from fastapi import APIRouter

from gateway.api import edges, feed, photo_claims, photos, resort, sign_in

ROUTERS: tuple[APIRouter, ...] = (
    resort.router,
    sign_in.router,
    feed.router,
    edges.router,
    photos.router,
    photo_claims.router,
)
"""Every router of /api/v1. A new noun adds its own here and nowhere else."""
