"""A person's session with Home Assistant: sign in, look, press."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

import aiohttp

from .errors import DemoError, deadline

USERNAME = PASSWORD = "demo"
ANSWER_TIMEOUT = 30
START_TIMEOUT = 120


class Session:
    """Home Assistant's REST and websocket APIs, signed in."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        tokens: Mapping[str, Any],
        socket: aiohttp.ClientWebSocketResponse,
    ) -> None:
        """Take over what `sign_in` has opened."""
        self._http = http
        self._tokens = tokens
        self._socket = socket
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._events: dict[int, asyncio.Queue[Any]] = {}

    async def get(self, path: str) -> dict[str, Any]:
        """Read from the REST API."""
        return await _request(self._http, "GET", path, headers=self._headers)

    async def post(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Call the REST API."""
        return await _post(self._http, path, json=data, headers=self._headers)

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file as the field of a form does, and return what the form sends for it."""
        data = aiohttp.FormData()
        data.add_field("file", content, filename=name)
        path = "/api/file_upload"
        answer = await _post(self._http, path, data=data, headers=self._headers)
        file_id: str = answer["file_id"]
        return file_id

    async def call(
        self, kind: str, *, seconds: float = ANSWER_TIMEOUT, **data: Any
    ) -> Any:
        """Send a websocket command and return its result, which may take `seconds`."""
        return await self._send(next(self._ids), kind, data, seconds)

    async def subscribe(self, kind: str, **data: Any) -> asyncio.Queue[Any]:
        """Subscribe to events, which arrive in the queue."""
        number = next(self._ids)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._events[number] = queue
        await self._send(number, kind, data)
        return queue

    async def _send(
        self,
        number: int,
        kind: str,
        data: Mapping[str, Any],
        seconds: float = ANSWER_TIMEOUT,
    ) -> Any:
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        try:
            async with deadline(seconds, f"Home Assistant's answer to {kind}"):
                await self._socket.send_json({"id": number, "type": kind, **data})
                result = await answer
        finally:
            del self._answers[number]
        if not result["success"]:
            raise DemoError(f"{kind} failed: {result['error']['message']}")
        return result["result"]

    async def wait_until_running(self) -> None:
        """Wait for the end of Home Assistant's start; its web page answers before."""
        started = await self.subscribe(
            "subscribe_events", event_type="homeassistant_started"
        )
        async with deadline(START_TIMEOUT, "the end of Home Assistant's start"):
            if (await self.call("get_config"))["state"] != "RUNNING":
                await started.get()

    async def read_socket(self) -> None:
        """Hand answers and events to those who wait for them, until the socket closes."""
        async for message in self._socket:
            content = message.json()
            if content["type"] == "result":
                self._answers[content["id"]].set_result(content)
            elif content["type"] == "event":
                self._events[content["id"]].put_nowait(content["event"])
        closed = DemoError("Home Assistant closed the websocket")
        for answer in self._answers.values():
            answer.set_exception(closed)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens['access_token']}"}

    async def revoke(self) -> None:
        """Sign out, so that the user's list of sessions does not grow with each start."""
        token = self._tokens["refresh_token"]
        async with self._http.post("/auth/revoke", data={"token": token}):
            pass


@asynccontextmanager
async def sign_in(url: str, language: str = "en") -> AsyncIterator[Session]:
    """Open a session, for a user that is created where there is none yet.

    The rooms that Home Assistant makes then are named in `language`.
    """
    async with aiohttp.ClientSession(url) as http:
        client_id = f"{url}/"
        code = await _create_user(http, client_id, language)
        code = code or await _log_in(http, client_id)
        grant = {"grant_type": "authorization_code", "code": code}
        tokens = await _post(
            http, "/auth/token", data={"client_id": client_id, **grant}
        )
        async with http.ws_connect("/api/websocket", max_msg_size=0) as socket:
            await socket.receive_json()
            token = tokens["access_token"]
            await socket.send_json({"type": "auth", "access_token": token})
            if (await socket.receive_json())["type"] != "auth_ok":
                raise DemoError("Home Assistant's websocket refused the sign-in")
            session = Session(http, tokens, socket)
            reader = asyncio.create_task(session.read_socket())
            try:
                yield session
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader
                with suppress(aiohttp.ClientError):
                    await session.revoke()


async def _create_user(
    http: aiohttp.ClientSession, client_id: str, language: str
) -> str | None:
    """Do the first step of onboarding; without effect once it has been done."""
    async with http.get("/api/onboarding") as response:
        # Home Assistant takes the address away when it starts with a user.
        if response.status == 404:
            return None
        steps = await response.json()
    if any(step["step"] == "user" and step["done"] for step in steps):
        return None
    user = {"name": "Demo", "username": USERNAME, "password": PASSWORD}
    data = {**user, "client_id": client_id, "language": language}
    answer = await _post(http, "/api/onboarding/users", json=data)
    code: str = answer["auth_code"]
    return code


async def _log_in(http: aiohttp.ClientSession, client_id: str) -> str:
    who = {"client_id": client_id, "redirect_uri": client_id}
    handler = {"handler": ["homeassistant", None]}
    flow = await _post(http, "/auth/login_flow", json={**who, **handler})
    credentials = {"username": USERNAME, "password": PASSWORD}
    answer = await _post(
        http,
        f"/auth/login_flow/{flow['flow_id']}",
        json={"client_id": client_id, **credentials},
    )
    if answer["type"] != "create_entry":
        raise DemoError(
            f"Home Assistant refuses the user {USERNAME} with the password {PASSWORD}; "
            "to start over, remove the folder .demo"
        )
    code: str = answer["result"]
    return code


async def _post(
    http: aiohttp.ClientSession, path: str, **arguments: Any
) -> dict[str, Any]:
    return await _request(http, "POST", path, **arguments)


async def _request(
    http: aiohttp.ClientSession, method: str, path: str, **arguments: Any
) -> dict[str, Any]:
    async with (
        deadline(ANSWER_TIMEOUT, f"Home Assistant's answer to {method} {path}"),
        http.request(method, path, **arguments) as response,
    ):
        if not response.ok:
            reason = (await response.text())[:500]
            raise DemoError(f"{method} {path}: {response.status} {reason}")
        answer: dict[str, Any] = await response.json()
        return answer
