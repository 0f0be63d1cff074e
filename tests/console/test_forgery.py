"""No request that another site can have made changes anything, whatever page it is for."""

import re

from aiohttp import FormData
import pytest

from .loading import pages
from .person import Person

POSTS = [route for route in pages.routes() if route.method == "POST"]
FREE = {"/sign-in", "/sign-up", "/forgotten", "/reset", "/language"}
"""What is there for strangers has no session to be misused."""


def test_what_changes_something_is_for_who_is_signed_in() -> None:
    """But for what there is for strangers, each of which is known here."""
    assert {route.path for route in POSTS if not route.needs_account} == FREE


@pytest.mark.parametrize("path", [route.path for route in POSTS if route.needs_account])
async def test_no_form_is_taken_without_its_token(operator: Person, path: str) -> None:
    """Each page that changes something asks for it before it looks at anything else."""
    device = await operator.make_device("Desk lamp")
    path = re.sub(r"{\w+:number}", str(device), path)
    path = re.sub(r"{\w+}", "x", path)
    form = FormData({"name": "Forged", "sure": "yes", "version": "v1.0.1t45772(a)"})
    if path.endswith("/firmware"):
        form.add_field("user1.bin", b"forged", filename="user1.bin")
    async with operator.session.post(operator.server.url + path, data=form) as answer:
        assert answer.status == 403
        assert "was not made on this page" in await answer.text()
    page = await operator.get(f"/devices/{device}")
    assert "Desk lamp" in page.text
