"""What the site says, in the languages it has."""

from collections.abc import Mapping
import json
from pathlib import Path
import re

from aiohttp import web

FOLDER = Path(__file__).parent / "locales"
COOKIE = "local_cloud_language"
LANGUAGES = {"en": "English", "zh-Hans": "简体中文"}
"""The languages by their tags, each under the name that it gives itself."""
_DEFAULT = "en"
_ERROR = "error."
_VALUE = re.compile(r"\\{(\w+)\\}")
"""A value in the escaped name of an error."""


class Texts:
    """The texts of one language: `t("devices.title", count=3)`."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        """Hold the texts by their names."""
        self.language = language
        self.languages = LANGUAGES
        self.all = texts
        self._errors = [
            (re.compile(_VALUE.sub(r"(?P<\1>.+)", re.escape(name))), text)
            for name, text in texts.items()
            if name.startswith(_ERROR) and "{" in name
        ]

    def __call__(self, name: str, /, **values: object) -> str:
        """Return a text with its values in place. Raises KeyError for a name that there is not."""
        text = self.all[name]
        return text.format(**values) if values else text

    def of_error(self, status: int, message: str) -> str:
        """Return what an error means to a person.

        The API's own text is English; where one is known in other languages, it stands in the file,
        with `{name}` for each value in it.
        """
        if (text := self.all.get(_ERROR + message)) is not None:
            return text
        for pattern, text in self._errors:
            if (found := pattern.fullmatch(_ERROR + message)) is not None:
                return text.format(**found.groupdict())
        general = self.all.get(f"{_ERROR}{status}", self.all["error.500"])
        if self.language == _DEFAULT and message:
            return f"{message[0].upper()}{message[1:]}."
        return f"{general} ({message})" if message else general


class Languages:
    """Chooses a language for a request."""

    def __init__(self) -> None:
        """Read the files."""
        self._texts = {
            tag: Texts(tag, json.loads((FOLDER / f"{tag}.json").read_text("utf-8")))
            for tag in LANGUAGES
        }

    def of(self, http: web.BaseRequest) -> Texts:
        """Return the texts in the language that was chosen, or else in the browser's."""
        chosen = http.cookies.get(COOKIE, "")
        if chosen in self._texts:
            return self._texts[chosen]
        return self._texts[preferred(http.headers.get("Accept-Language", ""))]


def preferred(header: str) -> str:
    """Return the first language of an Accept-Language header that the site has.

    Browsers list them in the order in which they are wanted.
    """
    for part in header.split(","):
        language = part.partition(";")[0].strip().lower()
        if language.startswith("en"):
            return "en"
        if language.startswith("zh"):
            return "zh-Hans"
    return _DEFAULT
