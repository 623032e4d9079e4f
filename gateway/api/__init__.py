"""JSON routes under /api/v1, one file per noun."""

from fastapi import APIRouter

from gateway.api import edges, feed, resort, sign_in

ROUTERS: tuple[APIRouter, ...] = (
    resort.router,
    sign_in.router,
    feed.router,
    edges.router,
)
"""Every router of /api/v1. A new noun adds its own here and nowhere else."""
