"""What fails on a page says whose fault it is, and what to do."""

from pathlib import Path

import pytest

from tests.support.gateway_http import doors


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_that_lacks_its_command_id_is_not_blamed_on_us(database_url: str, tmp_path: Path) -> None:
    with doors(database_url, tmp_path) as house:
        wish = {"booking_reference": "ABCDEF", "code": "7KQ2M9XD"}
        page = house.http.post(
            "/app/sign-in", data=wish, headers={"accept": "text/html", "origin": "http://testserver"}
        )
        odd = house.http.post("/app", headers={"accept": "text/html", "origin": "http://testserver"})

    assert page.status_code == 400
    assert "That could not be read" in page.text
    assert "Please reload the page." in page.text
    assert 400 <= odd.status_code < 500
    for each in (page, odd):
        assert "on our side" not in each.text
