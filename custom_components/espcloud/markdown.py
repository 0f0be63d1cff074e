"""Names within texts that Home Assistant's frontend shows as Markdown."""

import re

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is: no link, no picture, no emphasis.

    Descriptions of dialogs and repairs are Markdown; titles are not.
    """
    return _PUNCTUATION.sub(r"\\\g<0>", text)
