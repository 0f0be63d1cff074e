"""The rules for texts: hassfest's for English, and our own for Chinese."""

from collections.abc import Iterator
import re
from typing import Any

import pytest

from .paths import INTEGRATION, translations

LANGUAGES = ["en", "zh-Hans"]
TOP_LEVEL = {
    "config",
    "config_subentries",
    "device",
    "entity",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
    "title",
}
KEY = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
HAN = "\u4e00-\u9fff"


def texts(tree: dict[str, Any], *path: str) -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from texts(value, *path, key)
        else:
            yield ".".join((*path, key)), value


def placeholders(text: str) -> list[str]:
    """Return the names in curly brackets."""
    return sorted(set(PLACEHOLDER.findall(text)))


ENGLISH = dict(texts(translations("en")))
CHINESE = dict(texts(translations("zh-Hans")))
ALL = [*ENGLISH.items(), *CHINESE.items()]


def breaking(pattern: str) -> list[tuple[str, str]]:
    """Return the texts, with their paths, that a pattern occurs in."""
    return [(path, text) for path, text in ALL if re.search(pattern, text)]


def test_languages() -> None:
    """English is what hassfest reads, Simplified Chinese what most users speak."""
    files = (INTEGRATION / "translations").iterdir()
    assert sorted(path.name for path in files) == [f"{name}.json" for name in LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys(language: str) -> None:
    """Keys are what Home Assistant takes for keys, sorted, and never without a text."""
    assert set(translations(language)) <= TOP_LEVEL

    def check(tree: dict[str, Any], *path: str) -> None:
        assert tree, f"{path} is empty"
        assert list(tree) == sorted(tree), f"{path} is not sorted"
        for key, value in tree.items():
            assert KEY.fullmatch(key), f"{key} in {path}"
            if isinstance(value, dict):
                check(value, *path, key)
            else:
                assert isinstance(value, str) and value, f"{key} in {path}"

    check(translations(language))


def test_no_stray_space() -> None:
    """Not at the ends and not twice; an empty line between paragraphs is none."""
    assert not breaking(r"^\s|\s$|  |\t|\r| \n|\n ")


def test_no_html() -> None:
    """Markdown is what the browser shows."""
    assert not breaking(r"<[^>]*>")


def test_no_addresses() -> None:
    """An address is a placeholder, so that a translation cannot change it."""
    assert not breaking(r"://|www\.")


def test_no_references() -> None:
    """Only Home Assistant's own build resolves these."""
    assert not breaking(r"\[%")


def test_placeholders_are_well_formed() -> None:
    """Names in curly brackets, none left open, and none in single quotes."""
    assert not breaking(r"'\{[^{}]*\}'")
    for path, text in ALL:
        assert all(name.isidentifier() for name in placeholders(text)), path
        assert not set(PLACEHOLDER.sub("", text)) & set("{}"), path


def test_sentences_end_with_a_full_stop() -> None:
    """And labels and titles do not."""
    wrong = []
    for path, text in ENGLISH.items():
        last = path.rpartition(".")[2]
        is_sentence = last in {"description", "message"} or bool(
            re.search(r"\.(data_description|error|abort)\.", path)
        )
        if text.endswith((".", "?", "!")) != is_sentence:
            wrong.append((path, text))
    assert not wrong


def test_chinese_has_the_same_keys() -> None:
    """Nothing is missing and nothing is left over."""
    assert CHINESE.keys() == ENGLISH.keys()


def test_chinese_has_the_same_placeholders() -> None:
    """It names the same things."""
    assert {path: placeholders(text) for path, text in CHINESE.items()} == {
        path: placeholders(text) for path, text in ENGLISH.items()
    }


def test_chinese_is_chinese() -> None:
    """Names and actions may be in Latin letters, two English words in a row may not."""
    for path, text in CHINESE.items():
        without = PLACEHOLDER.sub("", text)
        assert not without or re.search(f"[{HAN}]", without), path
        assert not re.search(r"\b[a-z]{2,} [a-z]{2,}\b", without), path


def test_chinese_is_written_as_home_assistant_writes_it() -> None:
    """Polite, with full-width punctuation, and a space beside Latin letters."""
    for path, text in CHINESE.items():
        plain = PLACEHOLDER.sub("X", text)
        assert "你" not in plain, f"{path}: Home Assistant says 您"
        assert not re.search(f"[{HAN}][,.;:!?()]|[,;:!?()][{HAN}]", plain), path
        assert not set(plain) & set("\"'"), path
        assert not re.search(f"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]", plain), path


def test_chinese_ends_as_the_english() -> None:
    """A sentence stays a sentence."""
    for path, text in CHINESE.items():
        is_sentence = ENGLISH[path].endswith((".", "?", "!"))
        assert text.endswith(("。", "？", "！")) == is_sentence, path
