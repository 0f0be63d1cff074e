"""Products and devices: made, shown, named, shared, replaced and removed."""

from .person import Person

EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}'


async def test_a_device_is_made_and_shows_what_the_tutorial_needs(
    person: Person,
) -> None:
    """Product id, name and serial, the device's serial and its keys, which are hidden at first."""
    device = await person.make_device("Desk lamp")
    page = await person.get(f"/devices/{device}")
    keys = await person.secrets(device)
    assert "Desk lamp product" in page.text
    assert person.email in page.text
    assert not any(key in page.html for key in keys.values())
    assert keys.keys() == {"master_key", "device_key"}
    assert all(len(key) == 40 for key in keys.values())


async def test_many_devices_are_made_at_once(person: Person) -> None:
    """Each with a number behind the name, and all on the list."""
    page = await person.post("/products", {"name": "Sensors", "kind": "humiture"})
    product = page.path.split("?")[0]
    await person.post(f"{product}/devices", {"name": "Room", "count": "3"})
    page = await person.get("/devices")
    assert all(f"Room {number}" in page.text for number in (1, 2, 3))
    page = await person.post(f"{product}/devices", {"name": "Room", "count": "101"})
    assert page.status == 400


async def test_a_product_of_another_kind_has_its_number(person: Person) -> None:
    """A kind that no app knows is a number, and nothing else."""
    page = await person.post(
        "/products", {"name": "Own", "kind": "other", "ptype": "4711"}
    )
    assert "Kind 4711" in page.text
    page = await person.post(
        "/products", {"name": "Own", "kind": "other", "ptype": "many"}
    )
    assert page.status == 400


async def test_datastreams_are_described_and_forgotten(person: Person) -> None:
    """A wrong name and one that is there already are refused, with what was typed in place."""
    page = await person.post("/products", {"name": "Sensors", "kind": "humiture"})
    product = page.path.split("?")[0]
    stream = {"name": "tem_hum", "dimension": "2", "unit": "degree", "symbol": "°C"}
    page = await person.post(f"{product}/streams", stream)
    assert "tem_hum x, y degree °C" in page.text
    page = await person.post(f"{product}/streams", stream)
    assert page.status == 409
    page = await person.post(f"{product}/streams", {**stream, "name": "a b"})
    assert page.status == 400
    assert 'value="a b"' in page.html
    number = next(
        attributes["value"]
        for tag, attributes in page.tags
        if tag == "input" and attributes.get("name") == "id"
    )
    assert number
    page = await person.post(f"{product}/streams/remove", {"id": number})
    assert "tem_hum x, y" not in page.text


async def test_what_belongs_to_somebody_else_is_as_good_as_not_there(
    person: Person, guest: Person
) -> None:
    """No page, no secret and no change, whoever guesses its number."""
    device = await person.make_device("Desk lamp")
    page = await person.post("/products", {"name": "Mine", "kind": "plug"})
    product = page.path.split("?")[0]
    for path in (f"/devices/{device}", product, f"/devices/{device}/ask/delete"):
        assert (await guest.get(path)).status == 404
    for path, fields in (
        (f"/devices/{device}/rename", {"name": "Taken"}),
        (f"/devices/{device}/delete", {"sure": "yes"}),
        (f"/devices/{device}/regenerate", {"sure": "yes"}),
        (f"/devices/{device}/take-over", {}),
        (f"{product}/devices", {"name": "x", "count": "1"}),
        (f"{product}/streams", {"name": "x", "dimension": "1"}),
    ):
        assert (await guest.post(path, fields)).status == 404, path
    assert (await guest.ask(f"/devices/{device}/secrets"))[0] == 404
    assert "Desk lamp" in (await person.get(f"/devices/{device}")).text


async def test_sharing_gives_a_key_that_the_owner_takes_back(
    person: Person, guest: Person
) -> None:
    """A guest has a key of their own, sees no master key, and neither renames nor deletes."""
    device = await person.make_device("Desk lamp")
    _, told = await person.ask(f"/devices/{device}/share")
    page = await guest.post("/devices/join", {"token": told["text"]})
    assert page.path == f"/devices/{device}?done=joined"
    assert (await guest.secrets(device)).keys() == {"device_key"}
    assert (await guest.get(f"/devices/{device}/ask/delete")).status == 403
    page = await guest.post(f"/devices/{device}/rename", {"name": "Taken"})
    assert page.status == 403
    page = await person.get(f"/devices/{device}")
    assert guest.email in page.text
    number = next(
        attributes["value"]
        for tag, attributes in page.tags
        if tag == "input" and attributes.get("name") == "key"
    )
    assert number
    await person.post(f"/devices/{device}/unshare", {"key": number})
    assert (await guest.get(f"/devices/{device}")).status == 404


async def test_a_token_that_is_not_known_is_refused_in_words(guest: Person) -> None:
    """The person learns what tokens are."""
    page = await guest.post("/devices/join", {"token": "0" * 40})
    assert page.status == 404
    assert "valid for ten minutes" in page.text


async def test_a_master_key_is_replaced_only_for_who_is_sure(person: Person) -> None:
    """It is asked twice; then the key is another one."""
    device = await person.make_device("Desk lamp")
    before = (await person.secrets(device))["master_key"]
    page = await person.post(f"/devices/{device}/regenerate")
    assert page.status == 400
    assert (await person.secrets(device))["master_key"] == before
    page = await person.get(f"/devices/{device}/ask/regenerate")
    assert "loses its connection" in page.text
    await person.post(f"/devices/{device}/regenerate", {"sure": "yes"})
    assert (await person.secrets(device))["master_key"] != before


async def test_a_deleted_device_is_gone(person: Person) -> None:
    """With its page, once it was asked twice."""
    device = await person.make_device("Desk lamp")
    assert (await person.post(f"/devices/{device}/delete")).status == 400
    page = await person.post(f"/devices/{device}/delete", {"sure": "yes"})
    assert page.path == "/devices?done=deleted"
    assert (await person.get(f"/devices/{device}")).status == 404


async def test_names_are_texts_wherever_they_stand(person: Person) -> None:
    """What a person types is shown, never taken for markup or for a template."""
    page = await person.post("/products", {"name": EVIL, "kind": "light"})
    product = page.path.split("?")[0]
    await person.post(
        f"{product}/streams",
        {"name": "x", "dimension": "1", "unit": EVIL[:32], "description": EVIL},
    )
    page = await person.post(f"{product}/devices", {"name": EVIL, "count": "1"})
    device = page.path.split("?")[0]
    for path in ("/products", product, "/devices", device, f"{device}/ask/delete"):
        page = await person.get(path)
        assert page.status == 200
        assert EVIL in page.text, path
        assert not any("onerror" in attributes for _, attributes in page.tags)
        assert not any(
            tag == "script" and "src" not in attributes for tag, attributes in page.tags
        )


async def test_a_device_is_renamed_by_its_owner(person: Person) -> None:
    """It needs a name, and has the new one everywhere."""
    device = await person.make_device("Desk lamp")
    page = await person.post(f"/devices/{device}/rename", {"name": " "})
    assert page.status == 400
    assert "A name is needed." in page.text
    page = await person.post(f"/devices/{device}/rename", {"name": "Hall lamp"})
    assert page.path == f"/devices/{device}?done=renamed"
    assert "Hall lamp" in (await person.get("/devices")).text


async def test_a_device_moves_from_group_to_group(person: Person) -> None:
    """Its page puts it into one group at a time, and takes it out again."""
    device = await person.make_device("Desk lamp")
    numbers = []
    for name in ("Kitchen", "Hall"):
        page = await person.post("/groups", {"name": name})
        numbers.append(page.path.split("?")[0].rpartition("/")[2])
    for wanted, shown in ((numbers[0], "Kitchen"), (numbers[1], "Hall"), ("0", "")):
        page = await person.post(f"/devices/{device}/move", {"group": wanted})
        assert page.path == f"/devices/{device}?done=moved"
        page = await person.get("/devices")
        for name in ("Kitchen", "Hall"):
            assert (name in page.text) is (name == shown)


async def test_a_group_that_is_gone_costs_a_device_no_other(person: Person) -> None:
    """A page that was opened before still offers it."""
    device = await person.make_device("Desk lamp")
    page = await person.post("/groups", {"name": "Kitchen"})
    kitchen = page.path.split("?")[0].rpartition("/")[2]
    await person.post(f"/devices/{device}/move", {"group": kitchen})
    page = await person.post(f"/devices/{device}/move", {"group": "987654"})
    assert page.status == 404
    page = await person.get("/groups")
    assert "Kitchen Change Desk lamp" in page.text


async def test_a_device_that_nobody_owns_is_taken_over_by_its_maker(
    person: Person, guest: Person
) -> None:
    """Made over the API it has no owner yet; one that has an owner is not to be had so."""
    page = await person.post("/products", {"name": "Mine", "kind": "light"})
    product = page.path.split("?")[0].rpartition("/")[2]
    key = await _user_key(person)
    async with person.session.post(
        f"{person.server.url}/v1/products/{product}/devices/",
        json={"devices": [{"name": "Orphan"}]},
        headers={"Authorization": f"token {key}"},
    ) as response:
        device = (await response.json())["devices"][0]["id"]
    page = await person.get(f"/devices/{device}")
    assert "Nobody owns this device" in page.text
    assert (await person.secrets(device)).keys() == {"master_key"}
    assert (await guest.post(f"/devices/{device}/take-over")).status == 404
    page = await person.post(f"/devices/{device}/take-over")
    assert page.path == f"/devices/{device}?done=taken"
    assert (await person.secrets(device)).keys() == {"master_key", "device_key"}
    assert (await person.post(f"/devices/{device}/take-over")).status == 409


async def test_a_guest_gives_a_device_back(person: Person, guest: Person) -> None:
    """The key is gone, and so is the page."""
    device = await person.make_device("Desk lamp")
    _, told = await person.ask(f"/devices/{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    page = await guest.post(f"/devices/{device}/leave")
    assert page.path == "/devices?done=left"
    assert (await guest.get(f"/devices/{device}")).status == 404
    assert (await person.get(f"/devices/{device}")).status == 200


async def _user_key(person: Person) -> str:
    """Sign in as a program does, and return its key."""
    async with person.session.post(
        f"{person.server.url}/v1/user/login/",
        json={"email": person.email, "password": person.password},
    ) as response:
        key: str = (await response.json())["key"]["token"]
        return key
