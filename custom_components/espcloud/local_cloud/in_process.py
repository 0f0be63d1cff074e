"""The third way in: a call within the process, with the rules and errors of the HTTP API."""

import asyncio
from collections.abc import Mapping
import json
import logging
from typing import Any

from .addresses import IN_PROCESS
from .bodies import read_body
from .errors import ApiError, bad_request
from .lists import SLICE
from .request import FileBody, Request, make_request
from .router import Router
from .wire import EncodedList, JsonObject, encode, encode_item

_LOGGER = logging.getLogger(__name__)


class InProcess:
    """Calls the router as the HTTP server does."""

    def __init__(self, router: Router) -> None:
        """Hand requests to `router`."""
        self._router = router

    async def call(
        self,
        method: str,
        path: str,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        *,
        time_zone: str | None = None,
        peer: str = IN_PROCESS,
    ) -> JsonObject:
        """Have a request answered, and return what its HTTP answer would say, `status` included.

        Nothing is raised: a request that is refused is answered with `{"message", "status"}`
        (protocol.md §2.2), one whose arguments have the wrong types with status 400. The answer is
        the caller's own: no record of the cloud is in it. `path` is without query and percent signs,
        `key` the text of a key, as behind `token` in the header; `time_zone` is the header of that
        name.

        The caller counts as an address of its own that every account knows: no stranger's failures
        lock it out, nor its own a stranger. Who calls for somebody else at an address says so with
        `peer`, and that address counts as if it had called itself. There is no limit to the size of a body; its JSON has
        the limits of depth and of values that all JSON has here.
        """
        try:
            request = _request(
                method, path, key, query, body, time_zone=time_zone, peer=peer
            )
            answer = self._router.handle(request)
            reply = answer if isinstance(answer, dict) else await answer
            return await _own({"status": 200, **reply})
        except ApiError as error:
            return {"message": error.message, "status": error.status}
        except Exception:
            _LOGGER.exception("A call within the process failed")
            return {"message": "internal error", "status": 500}


def _request(
    method: Any,
    path: Any,
    key: Any,
    query: Any,
    body: Any,
    *,
    time_zone: Any,
    peer: str,
) -> Request:
    """Return the request. Raises ApiError 400 for arguments of wrong types."""
    for name, value in (("method", method), ("path", path)):
        if not isinstance(value, str):
            raise bad_request(f"{name} must be a text")
    for name, value in (("key", key), ("time_zone", time_zone)):
        if value is not None and not isinstance(value, str):
            raise bad_request(f"{name} must be a text or None")
    if query is None:
        query = {}
    if not isinstance(query, Mapping) or not all(
        isinstance(text, str) for member in query.items() for text in member
    ):
        raise bad_request("query must have texts only")
    return make_request(
        method,
        path,
        dict(query),
        {} if body is None else _json(body),
        authorization=None if key is None else f"token {key}",
        time_zone=time_zone,
        peer=peer,
    )


def _json(body: Any) -> JsonObject:
    """Return a copy of the body as it would come over HTTP."""
    try:
        text = encode_item(body)
    except TypeError, ValueError, RecursionError:
        raise bad_request("the body must be a JSON object") from None
    return read_body(text)


async def _own(reply: JsonObject) -> JsonObject:
    """Return a copy of the reply as a client would read it, a file in it as it is.

    A long list is read in slices.
    """
    lists = {
        name: value.items
        for name, value in reply.items()
        if isinstance(value, EncodedList)
    }
    files = {
        name: value for name, value in reply.items() if isinstance(value, FileBody)
    }
    others = {name: reply[name] for name in reply if name not in lists | files}
    own: JsonObject = json.loads(encode(others)) | files
    for name, items in lists.items():
        own[name] = records = []
        for number, item in enumerate(items, 1):
            records.append(json.loads(item))
            if number % SLICE == 0:
                await asyncio.sleep(0)
    return own
