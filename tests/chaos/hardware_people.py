"""What people do to the devices of an account, by chance."""

from itertools import count
import random

from .hardware_base import World
from .hardware_orders import Order, Set
from .hardware_things import SOCKETS, Command, Thing


class People:
    """Give commands that can be told apart by what they make of a device."""

    def __init__(self, chance: random.Random) -> None:
        """Choose by chance."""
        self._chance = chance
        self._numbers = count(1)
        self._bursts = count(1)

    def burst(self, thing: Thing) -> list[Command]:
        """Return a few commands that are given at once."""
        burst = next(self._bursts)
        size = self._chance.choice([1, 1, 2, 3])
        return [self._command(thing, burst) for _ in range(size)]

    def _command(self, thing: Thing, burst: int) -> Command:
        match thing.kind:
            case "plug":
                return self._switch(thing, burst)
            case "strip":
                return self._socket(thing, burst)
            case "self_made":
                return self._send(thing, burst)
        return self._color(thing, burst)

    def _switch(self, thing: Thing, burst: int) -> Command:
        what = self._chance.choice(["on", "off", "toggle"])
        data = {"entity_id": thing.entity_id}
        if what == "toggle":
            # From what Home Assistant knows, which may be no more than the last that worked.
            order = Order("toggle", lambda _: True, burst, merges=False)
            return "switch.toggle", data, order
        is_on = what == "on"
        return (
            f"switch.turn_{what}",
            data,
            Order(what, lambda each: each[1] is is_on, burst),
        )

    def _socket(self, thing: Thing, burst: int) -> Command:
        index, is_on = self._chance.randrange(SOCKETS), self._chance.random() < 0.5
        bit = 1 << index

        def fits(each: Set) -> bool:
            before, after = each
            return bool(after == (before | bit if is_on else before & ~bit))

        what = "on" if is_on else "off"
        entity_id = f"{thing.entity_id[:-1]}{index + 1}"
        order = Order(f"socket {index} {what}", fits, burst, merges=False)
        return f"switch.turn_{what}", {"entity_id": entity_id}, order

    def _send(self, thing: Thing, burst: int) -> Command:
        n = str(next(self._numbers))
        data = {
            "entity_id": thing.entity_id,
            "action": "count",
            "parameters": {"n": n},
        }
        order = Order(f"call {n}", lambda each: each[1] == n, burst, merges=False)
        return "espcloud.send_command", data, order

    def _color(self, thing: Thing, burst: int) -> Command:
        # No two of them are the same, nor any dark.
        number = next(self._numbers)
        color = (255, number % 251, number * 7 % 241)
        if thing.kind == "light_new":
            channels = dict(zip(("red", "green", "blue"), color, strict=True))
        else:
            scaled = (-(-level * 22222 // 255) for level in color)
            channels = dict(zip("yzk", scaled, strict=True))

        def fits(each: Set) -> bool:
            values = each[1]["z"] if thing.kind == "light_new" else each[1]
            return channels.items() <= values.items()

        data = {"entity_id": thing.entity_id, "rgb_color": color, "brightness": 255}
        return "light.turn_on", data, Order(f"color {color}", fits, burst)


def touch(chance: random.Random, here: World) -> None:
    """Press buttons and change the weather: nobody tells Home Assistant."""
    for thing in here.things:
        if thing.kind == "plug" and chance.random() < 0.5:
            thing.firmware.press()
        elif thing.kind == "strip" and chance.random() < 0.5:
            thing.firmware.press(chance.randrange(SOCKETS))
        elif thing.kind == "tem_hum":
            thing.firmware.reading.x = round(chance.uniform(-20, 40), 2)
