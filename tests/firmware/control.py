"""Devices described in JSON, and what they can be told: the language of `python -m tests.firmware`."""

from collections.abc import Mapping
import json
import re
from typing import Any

from .device import Device
from .kinds import PTYPES, make
from .self_made import SelfMade
from .sensor import Sensor

_KEY = re.compile(r"[0-9a-f]{40}")
_NUMBER = (int, float)
_COMMON: dict[str, Any] = {
    "name": str, "kind": str, "key": str, "bssid": str, "token": str, "activates": bool,
    "source": str,
}  # fmt: skip
_CONNECTED: dict[str, Any] = {"beacon": _NUMBER, "retry": _NUMBER}
_SLEEPING: dict[str, Any] = {"interval": _NUMBER}
_ANSWERS: dict[str, Any] = {"answers": bool, "status": int, "members": dict}
_OPTIONS: dict[str, dict[str, Any]] = {
    "strip": {**_CONNECTED, "sockets": int},
    "tem_hum": _SLEEPING,
    "gas": _SLEEPING,
    "voltage": _SLEEPING,
    "self_made": {**_CONNECTED, **_ANSWERS},
}


class CommandError(ValueError):
    """What was asked for cannot be; the text says why, and names no key."""


def read_devices(
    text: str | bytes, address: tuple[str, int], http_port: int
) -> dict[str, Device]:
    """Return the devices that a JSON list describes, by name, without power.

    Each has `name`, `kind` (one of PTYPES) and `key`; it may have `bssid`, `token`, `activates` and
    `source`; and `beacon` and `retry` (but sensors: `interval`), a strip `sockets`, a self-made
    device `answers`, `status` and `members`: all as the arguments of these names. Raises
    ValueError, which names no key.
    """
    try:
        entries = json.loads(text)
    except ValueError:
        raise CommandError("the devices are no JSON") from None
    if not isinstance(entries, list):
        raise CommandError("the devices must be a list")
    devices: dict[str, Device] = {}
    for number, entry in enumerate(entries, 1):
        try:
            name, kind, key, options = _read_device(entry)
            device = make(kind, address, key, http_port=http_port, **options)
        except ValueError as error:
            raise CommandError(f"device {number}: {error}") from None
        if name in devices:
            raise CommandError(f"device {number}: the name {name} is there already")
        devices[name] = device
    return devices


def _read_device(entry: Any) -> tuple[str, str, str, dict[str, Any]]:
    """Return the name, kind and key of a device, and its other members."""
    if not isinstance(entry, dict):
        raise CommandError("it must be an object")
    options = dict(entry)
    kind = options.get("kind")
    if not isinstance(kind, str) or kind not in PTYPES:
        raise CommandError(f"kind must be one of {', '.join(PTYPES)}")
    _check(options, {**_COMMON, **_OPTIONS.get(kind, _CONNECTED)})
    name, key = options.pop("name", ""), options.pop("key", "")
    if not name:
        raise CommandError("name is missing")
    if not _KEY.fullmatch(key):
        raise CommandError("key must be 40 lower-case hex digits")
    del options["kind"]
    return name, kind, key, options


async def obey(devices: Mapping[str, Device], text: str | bytes) -> dict[str, Any]:
    """Do what a command says, `{"device": name, "do": …}`, and return its answer; raises nothing.

    The answer has `device` and `do` again, and the `state` afterwards, or an `error`. To do are:

    - `state`: nothing else.
    - `power_on`, `power_off`, and `disconnect`, after which it comes back by itself.
    - `press`, of a plug or a strip, with `button`, the first being 0 and understood.
    - `post`: of a sensor, now, with a new `reading`, its arguments, or the one that it has; of a
      self-made device with `stream` and `values`. The answer has the `status` of the server's.
    - `answer`, of a self-made device: with `answers`, `status`, `members` as it shall from now on.
    """
    answer: dict[str, Any] = {}
    try:
        command = _read_object(text)
        answer |= {name: command.pop(name, None) for name in ("device", "do")}
        device = _find(devices, answer["device"])
        answer |= await _do(device, answer["do"], command)
        answer["state"] = device.state
    except Exception as error:  # noqa: BLE001 - a device may have crashed of anything
        # A TimeoutError has no text.
        answer["error"] = str(error) or "there was no answer"
    return answer


def _read_object(text: str | bytes) -> dict[str, Any]:
    try:
        command = json.loads(text)
    except ValueError:
        raise CommandError("a command must be JSON") from None
    if not isinstance(command, dict):
        raise CommandError("a command must be an object")
    return command


def _find(devices: Mapping[str, Device], name: Any) -> Device:
    if not isinstance(name, str) or name not in devices:
        raise CommandError("there is no such device")
    return devices[name]


async def _do(device: Device, do: Any, options: dict[str, Any]) -> dict[str, Any]:
    match do:
        case "state" | "power_on" | "power_off" | "disconnect":
            _check(options, {})
            if do == "power_on":
                device.power_on()
            elif do == "power_off":
                await device.power_off()
            elif do == "disconnect":
                device.disconnect()
        case "press":
            _check(options, {"button": int})
            device.press(options.get("button", 0))
        case "post" if isinstance(device, Sensor):
            _check(options, {"reading": dict})
            if "reading" in options:
                device.reading = _read_reading(device, options["reading"])
            return {"status": await device.post()}
        case "post" if isinstance(device, SelfMade):
            _check(options, {"stream": str, "values": dict})
            if not options.get("stream") or not options.get("values"):
                raise CommandError("stream and values are needed")
            reply = await device.post(options["stream"], **options["values"])
            return {"status": reply.get("status")}
        case "answer" if isinstance(device, SelfMade):
            _check(options, _ANSWERS)
            for name, value in options.items():
                setattr(device, name, value)
        case _:
            raise CommandError("this device does no such thing")
    return {}


def _read_reading(sensor: Sensor, values: dict[str, Any]) -> Any:
    """Return another reading of the sensor's kind; what is not told stays."""
    known = sensor.reading.values
    _check(
        values,
        {
            name: list if isinstance(value, list) else _NUMBER
            for name, value in known.items()
        },
    )
    reading = {**known, **values}
    for value in reading.values():
        if isinstance(value, list) and not all(type(item) is int for item in value):
            raise CommandError("all readings must be of type int")
    return type(sensor.reading)(**reading)


def _check(options: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise ValueError for a member that is not known or has another type."""
    for name, value in options.items():
        if name not in known:
            raise CommandError(f"{name} is not known here")
        kinds = known[name] if isinstance(known[name], tuple) else (known[name],)
        if type(value) not in kinds:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise CommandError(f"{name} must be of type {wanted}")
