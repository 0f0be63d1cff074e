"""The READMEs say what is there: fields, files, commands, automations that work."""

import re
from urllib.parse import unquote

from markdown_it import MarkdownIt
import pytest

from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml

from .paths import CHECKOUT, INTEGRATION, read_actions, read_json, translations
from .test_texts import texts

READMES = {"en": "README.md", "zh-Hans": "README.zh-CN.md"}
CONTENT = {
    language: (CHECKOUT / name).read_text("utf-8") for language, name in READMES.items()
}
every_readme = pytest.mark.parametrize("language", READMES)


def blocks(language: str, kind: str) -> list[str]:
    """Return the blocks of a kind of code."""
    return re.findall(
        rf"^```{kind}\n(.*?)^```$", CONTENT[language], re.MULTILINE | re.DOTALL
    )


def headings(content: str) -> list[tuple[str, str]]:
    """Return the headings of a page, with their levels."""
    without_code = re.sub(r"^```.*?^```$", "", content, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^(#+) (.+)$", without_code, re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*READMES.values(), "docs/local-mode.md"])
def test_local_links(page: str) -> None:
    """What is linked is in the repository, or a heading there or on the page."""
    file = CHECKOUT / page
    content = file.read_text("utf-8")
    found = re.findall(r"\]\(([^)]+)\)", content)
    found += re.findall(r'(?:src|srcset|href)="([^"]+)"', content)
    assert found
    for link in found:
        if "://" in link:
            assert link.startswith("https://"), link
            continue
        name, _, part = link.partition("#")
        target = file.parent / name if name else file
        assert target.is_file(), link
        if part:
            text = target.read_text("utf-8")
            assert part in {anchor(each) for _, each in headings(text)}, link


def test_pictures_are_in_the_language_of_the_page() -> None:
    """Each README shows its own, all that there are."""
    drawn = {path.name for path in (CHECKOUT / "docs" / "images").glob("*.png")}
    chinese = {name for name in drawn if name.endswith(".zh-CN.png")}
    assert chinese
    for language, pictures in (("en", drawn - chinese), ("zh-Hans", chinese)):
        shown = set(re.findall(r"docs/images/([\w.-]+\.png)", CONTENT[language]))
        assert shown == pictures, language


def test_both_languages_say_the_same() -> None:
    """As far as that can be told without reading: parts, tables, pictures, code."""
    english, chinese = CONTENT["en"], CONTENT["zh-Hans"]
    levels = [[level for level, _ in headings(each)] for each in CONTENT.values()]
    assert levels[0] == levels[1]
    for pattern in (r"^\|", r"^!?\[!?\[", r"^- ", r"^```", r"`espcloud\.\w+`", "<img"):
        assert len(re.findall(pattern, english, re.MULTILINE)) == len(
            re.findall(pattern, chinese, re.MULTILINE)
        ), pattern
    assert blocks("en", "sh") == blocks("zh-Hans", "sh")


@every_readme
def test_emphasis_is_emphasis(language: str) -> None:
    """Markdown ends no emphasis between a full-width sign and a letter."""
    page = MarkdownIt("commonmark").enable("table").render(CONTENT[language])
    without_code = re.sub(r"<(pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.findall(r".{,20}\*.{,20}", without_code)
    # Pages begin with HTML, in which Markdown means nothing.
    assert "<strong>" in page and "<table>" in page


def test_chinese_paragraphs_are_lines() -> None:
    """A line break within one would be shown as a space."""
    assert not re.findall(r"[\u3000-\uffef]\n[\u3000-\uffef]", CONTENT["zh-Hans"])


@every_readme
def test_every_field_is_explained(language: str) -> None:
    """Each field of each form, in the words of the form."""
    labels = {
        text
        for path, text in texts(translations(language))
        if re.search(r"^config(_subentries)?\..*\.data\.\w+$", path)
    }
    assert labels
    missing = {label for label in labels if f"**{label}**" not in CONTENT[language]}
    assert not missing


@every_readme
def test_every_action_is_explained(language: str) -> None:
    """With each of its fields."""
    for name, action in read_actions().items():
        assert f"`espcloud.{name}`" in CONTENT[language]
        for field in action.get("fields", {}):
            assert f"| `{field}` |" in CONTENT[language]


@every_readme
def test_every_option_of_local_cloud_is_explained(language: str) -> None:
    """And no other."""
    source = (INTEGRATION / "local_cloud" / "command_line.py").read_text("utf-8")
    options = set(re.findall(r'"(--[a-z-]+)"', source))
    assert options
    table = "\n".join(re.findall(r"^\| `--.*$", CONTENT[language], re.MULTILINE))
    assert set(re.findall(r"--[a-z-]+", table)) == options


@every_readme
def test_commands_exist(language: str) -> None:
    """What a person is told to run is there."""
    for script in re.findall(r"\bscripts/[\w-]+", CONTENT[language]):
        assert (CHECKOUT / script).is_file(), script


@every_readme
def test_floor_is_named(language: str) -> None:
    """The release that is needed is the one that hacs.json says."""
    year, month, _ = read_json(CHECKOUT / "hacs.json")["homeassistant"].split(".")
    assert f"Home Assistant {year}.{month}" in CONTENT[language]


@every_readme
def test_addresses_are_the_manifests(language: str) -> None:
    """The repository is named as everywhere else."""
    repository = read_json(INTEGRATION / "manifest.json")["documentation"]
    for link in re.findall(r"https://github\.com/[\w./-]+", CONTENT[language]):
        assert link.startswith(repository), link


@every_readme
def test_blueprints_can_be_imported(language: str) -> None:
    """The button leads to the file."""
    (address,) = re.findall(r"blueprint_url=([^)]+)\)", CONTENT[language])
    repository, _, path = unquote(address).partition("/blob/main/")
    assert repository == read_json(INTEGRATION / "manifest.json")["documentation"]
    assert (CHECKOUT / path).is_file()


@every_readme
async def test_automations_work(hass: HomeAssistant, language: str) -> None:
    """Home Assistant accepts each example as it stands."""
    examples = [parse_yaml(block) for block in blocks(language, "yaml")]
    assert examples
    assert await async_setup_component(hass, "event", {})
    assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: examples})
    await hass.async_block_till_done()
    states = hass.states.async_all(AUTOMATION)
    assert len(states) == len(examples)
    assert {state.state for state in states} == {STATE_ON}
