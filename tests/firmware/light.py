"""The light of the old stream (protocol.md §3.5, §3.9, 7, §4)."""

from . import parser

_NAMES = ("x", "y", "z", "k", "l")


class Light:
    """Five numbers: the period, red, green, blue, white.

    Attributes:
        values: the numbers by their names on the wire.
    """

    rom_version = "v1.0.5t45772(a)"

    def __init__(self) -> None:
        """Begin dark."""
        self.values = {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 0}

    def set(self, segment: bytes) -> None:
        """Take each value that a comma follows."""
        for name, text in parser.light_values(segment).items():
            self.values[name] = int(text)

    def answer(self, nonce: int) -> bytes:
        """Answer with the state, its spaces mixed as the firmware mixes them."""
        point = ",".join(f'"{name}": {self.values[name]}' for name in _NAMES)
        return (
            b'{"status": 200,"nonce": %d, "datapoint": {%b},"deliver_to_device":true}\n'
            % (nonce, point.encode())
        )
