"""Texts from the cloud, made fit to be shown."""

from unicodedata import category

# Controls, formatting that is not seen, halves of characters, ends of lines and paragraphs.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Of which these belong into words of some scripts, and into emoji.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    r"""Return a text in which nothing is hidden: a line break becomes `\n`.

    A name that somebody chose at the cloud would otherwise begin a line of its own in a
    log, or turn around what stands beside it.
    """
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if category(char) in _UNSEEN and char not in _JOINERS
        else char
        for char in text
    )
