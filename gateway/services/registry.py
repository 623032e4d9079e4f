"""Every command there is. A new noun adds its services here and nowhere else."""

from collections.abc import Mapping
from typing import Any

from gateway.command import Service
from gateway.services import edge, person, resort, session, staff


def all_services() -> Mapping[str, Service[Any]]:
    """Return the services by name."""
    services: tuple[Service[Any], ...] = (
        resort.LoadResort(),
        staff.AddStaff(),
        staff.MakeIssuerKey(),
        session.SignInGuest(),
        session.SignInStaff(),
        session.EndSession(),
        edge.AddEdge(),
        edge.EnrolEdge(),
        person.ForgetPerson(),
    )
    by_name = {service.name: service for service in services}
    assert len(by_name) == len(services), "two services share a name"
    return by_name
