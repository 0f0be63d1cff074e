"""The kinds of device that Espressif's app knows, by the names that people give them."""

PTYPES = {
    "plug": 23701,
    "light": 45772,
    "strip": 47446,
    "humiture": 12335,
    "gas": 3835,
    "voltage": 68574,
    "remote": 2355,
    "soundbox": 43902,
}
"""The ptype of each kind (protocol.md §4); a strip is a power strip."""

LIGHT = PTYPES["light"]

_NAMES = {ptype: name for name, ptype in PTYPES.items()}


def kind_name(ptype: int) -> str:
    """Return the name of a kind; one that the app does not know goes by its ptype."""
    return _NAMES.get(ptype, f"ptype {ptype}")
