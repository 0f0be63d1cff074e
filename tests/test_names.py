"""Names that strangers choose at the cloud do no harm where they are shown."""

import logging

from markdown_it import MarkdownIt
import pytest

from custom_components.espcloud.issues import DeviceIssues
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from custom_components.espcloud.markdown import escaped
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from .common import account_entry, wait_for_coordinator

FORGED = "Lamp\n2026-11-24 ERROR (MainThread) [homeassistant] forged"
SHOWN = FORGED.replace("\n", r"\n")


async def test_name_forges_no_line_of_the_log(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    cloud: LocalCloud,
    user: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the dialog on, through a set-up and an outage."""
    device = cloud.add_device("Lamp", user)
    device.name = FORGED
    entry = await account_entry(hass, cloud, user.id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "device"), context={"source": SOURCE_USER}
    )
    form = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {"next_step_id": "device_key"}
    )
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"],
        {
            "device_key": cloud.master_key(device),
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )
    assert result["title"] == SHOWN
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
    cloud.disconnect(device)
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    (shown,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert shown.name == SHOWN
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.espcloud")
        and record.levelno >= logging.INFO
    ]
    assert [text for text in ours if SHOWN in text]
    assert not [text for text in ours if "\n" in text]


@pytest.mark.parametrize(
    "name",
    [
        "[Fix it](http://example.org)",
        "![](http://example.org/a.png)",
        "http://example.org and www.example.org, a@example.org",
        "<img src=x>",
        "# *Lamp* _one_ `two` ~~three~~",
        "| a | b |\\",
        "1. &amp; - > = +",
        r"a\n\*b",
        "台灯",
    ],
)
def test_markdown_shows_a_name_as_it_is(name: str) -> None:
    """Whatever it looks like."""
    page = MarkdownIt("gfm-like", {"linkify": False}).render(f"The {escaped(name)} is")
    plain = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert page == f"<p>The {plain} is</p>\n"


async def test_repairs_and_dialogs_escape_names(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """In descriptions, which are Markdown; a title is shown as it is."""
    name = "[Fix it](http://example.org)"
    entry = await account_entry(hass, cloud, user.id, cloud.add_device(name, user))
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_entry(entry, title="me_and_you")
    DeviceIssues(hass, entry, subentry).raise_set_up_twice("you_and_me")
    (issue,) = ir.async_get(hass).issues.values()
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "device"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    for given in (issue.translation_placeholders, form["description_placeholders"]):
        assert given["device"] == name
        assert given["device_markdown"] == r"\[Fix it\]\(http\:\/\/example\.org\)"
    assert issue.translation_placeholders["account_markdown"] == r"you\_and\_me"
