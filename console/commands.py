"""Commands to a device, as a person types them."""

from dataclasses import dataclass
import json
from typing import Any

from local_cloud.errors import bad_request
from local_cloud.models import DIMENSIONS
from local_cloud.wire import JsonObject

from .values import value_of

_MAX_PARAMETERS = 50
_DELIVER = {"deliver_to_device": "true"}


@dataclass(frozen=True, slots=True)
class Command:
    """A call of the cloud's API that goes to the device (protocol.md §2.7, §2.8)."""

    method: str
    path: str
    query: dict[str, str]
    body: JsonObject | None = None


def read_command(typed: JsonObject) -> Command:
    """Return the command that a form says. Raises ApiError 400 for what makes no sense.

    With an `action` it is a remote call, with `parameters` as a list of name and value. Otherwise it
    reads the datapoint of a `stream`, or with `values`, texts by dimension, sets it.
    """
    if "action" in typed:
        return rpc(_text(typed, "action"), typed.get("parameters", []))
    stream = _text(typed, "stream")
    if "/" in stream:
        raise bad_request("a datastream has another name")
    values = typed.get("values")
    if values is None:
        return read_point(stream)
    if not isinstance(values, dict):
        raise bad_request("values must be an object")
    point = {
        name: read_value(text)
        for name in DIMENSIONS
        if isinstance(text := values.get(name, ""), str) and text.strip()
    }
    return set_point(stream, point)


def rpc(action: str, parameters: Any) -> Command:
    """Return a remote call; the parameters arrive at the device as texts."""
    if not isinstance(parameters, list) or len(parameters) > _MAX_PARAMETERS:
        raise bad_request(f"parameters must be a list of at most {_MAX_PARAMETERS}")
    query: dict[str, str] = {}
    for parameter in parameters:
        match parameter:
            case [str(name), str(value)]:
                pass
            case _:
                raise bad_request("a parameter must be a name and a text")
        if not name or name in query or name in {"action", *_DELIVER}:
            raise bad_request("every parameter needs a name of its own")
        query[name] = value
    return Command("GET", "/v1/device/rpc/", {"action": action, **query, **_DELIVER})


def read_point(stream: str) -> Command:
    """Return the question for the device's own datapoint."""
    return Command("GET", f"/v1/datastreams/{stream}/datapoint/", _DELIVER)


def set_point(stream: str, point: JsonObject) -> Command:
    """Return the command that sends the device a datapoint."""
    path = f"/v1/datastreams/{stream}/datapoint/"
    return Command("POST", path, _DELIVER, {"datapoint": point})


def read_value(text: str) -> Any:
    """Return a value as it was meant: a number, a color as an object of numbers, or else the text.

    A number in quotes is a text, too. Raises ApiError 400 for an object that is none.
    """
    text = text.strip()
    if not text.startswith(("{", '"')):
        return value_of(text)
    try:
        value = json.loads(text)
    except ValueError, RecursionError:
        if text.startswith("{"):
            raise bad_request("a color must be an object of numbers") from None
        return text
    return value


def _text(typed: JsonObject, name: str) -> str:
    text = typed.get(name)
    if not isinstance(text, str) or not text.strip():
        raise bad_request(f"{name} is missing")
    return text.strip()
