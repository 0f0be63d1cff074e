"""Groups: made, renamed, deleted, and devices that come into them and go out."""

from .person import Person


async def make_group(person: Person, name: str) -> str:
    """Make a group, and return the path of its page."""
    page = await person.post("/groups", {"name": name})
    assert page.status == 200, page.text
    return page.path.split("?")[0]


async def test_a_group_has_the_devices_that_were_chosen(person: Person) -> None:
    """They come in and go out together, may be in two groups, and the list of devices shows it."""
    lamp = await person.make_device("Desk lamp")
    fan = await person.make_device("Fan", "plug")
    kitchen = await make_group(person, "Kitchen")
    upstairs = await make_group(person, "Upstairs")
    ticked = {f"device-{lamp}": "yes", f"device-{fan}": "yes"}
    page = await person.post(f"{kitchen}/devices", ticked)
    assert page.path == f"{kitchen}?done=group_chosen"
    page = await person.post(f"{upstairs}/devices", {f"device-{lamp}": "yes"})
    assert "also in Kitchen" in page.text
    page = await person.get("/groups")
    assert "Kitchen Change Desk lamp Fan" in page.text
    assert "Upstairs Change Desk lamp" in page.text
    await person.post(f"{kitchen}/devices", {f"device-{fan}": "yes"})
    page = await person.get("/groups")
    assert "Kitchen Change Fan" in page.text
    assert "Upstairs Change Desk lamp" in page.text


async def test_a_group_is_renamed_and_deleted_by_who_is_sure(person: Person) -> None:
    """Its devices stay."""
    lamp = await person.make_device("Desk lamp")
    group = await make_group(person, "Kitchen")
    await person.post(f"{group}/devices", {f"device-{lamp}": "yes"})
    page = await person.post(f"{group}/rename", {"name": "Office"})
    assert "Office" in page.text
    page = await person.get(f"{group}/ask-delete")
    assert "Delete the group Office?" in page.text
    assert (await person.post(f"{group}/delete")).status == 400
    page = await person.post(f"{group}/delete", {"sure": "yes"})
    assert page.path == "/groups?done=group_deleted"
    assert "Office" not in page.text
    assert (await person.get(group)).status == 404
    assert (await person.get(f"/devices/{lamp}")).status == 200


async def test_a_group_needs_a_name(person: Person) -> None:
    """The mistake is told on the page that has the form, and nothing is made or renamed."""
    for path in ("/groups", await make_group(person, "Kitchen") + "/rename"):
        page = await person.post(path, {"name": " "})
        assert page.status == 400
        assert "A name is needed." in page.text
    page = await person.get("/groups")
    assert page.text.count("No device is in it.") == 1
    assert "Kitchen" in page.text


async def test_there_are_not_too_many_groups(person: Person) -> None:
    """The limit is told in words."""
    for number in range(100):
        await make_group(person, f"Room {number}")
    page = await person.post("/groups", {"name": "One more"})
    assert page.status == 403
    assert "at most 100 groups" in page.text
    assert 'value="One more"' in page.html


async def test_groups_are_of_one_person(person: Person, guest: Person) -> None:
    """Whoever guesses a number sees and changes nothing, nor takes a device that is not theirs."""
    lamp = await person.make_device("Desk lamp")
    group = await make_group(person, "Kitchen")
    for path in (group, f"{group}/ask-delete"):
        assert (await guest.get(path)).status == 404
    for path, fields in (
        (f"{group}/rename", {"name": "Taken"}),
        (f"{group}/devices", {}),
        (f"{group}/delete", {"sure": "yes"}),
    ):
        assert (await guest.post(path, fields)).status == 404, path
    own = await make_group(guest, "Mine")
    page = await guest.post(f"{own}/devices", {f"device-{lamp}": "yes"})
    assert "Desk lamp" not in page.text
    assert "Kitchen" in (await person.get("/groups")).text


async def test_a_form_with_too_many_fields_is_refused(person: Person) -> None:
    """In words, and not as a mistake of the server."""
    group = await make_group(person, "Kitchen")
    page = await person.post(
        f"{group}/devices", {f"device-{number}": "" for number in range(1200)}
    )
    assert page.status == 413
