"""Mailboxes, and the messages to apps (protocol.md §3.8)."""

from collections.abc import Iterator
import time

from ..access import ANY_DEVICE_KEY, Access
from ..errors import ApiError, bad_request
from ..fields import read_text
from ..mailboxes import Mailboxes, Topic, app, datastream, named
from ..models import Device, Key, KeyKind, User
from ..rate_limits import MAX_REMEMBERED, RecentEvents
from ..request import Answer, Request
from ..router import Route
from ..store import Store
from ..stream_names import is_stream_name
from ..wire import JsonObject, encode_item

MAX_DATA = 4096
"""Bytes of a message."""
MAX_NAME = 64
"""Characters of a mailbox's name."""
MESSAGES = 600
"""Messages that an account publishes in a minute."""


class MailboxApi:
    """Subscribing, which takes a connection of the device port, and publishing."""

    def __init__(self, store: Store, access: Access, mailboxes: Mailboxes) -> None:
        """Serve `mailboxes`."""
        self._store = store
        self._access = access
        self._mailboxes = mailboxes
        self._published = RecentEvents(time.monotonic, 60.0, MESSAGES, MAX_REMEMBERED)

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        yield Route(("POST",), "/v1/mbox/", self._take)
        yield Route(("GET",), "/v1/pns/peer/", self._access.user(self._peer))

    def _take(self, request: Request) -> Answer:
        """Take any key that exists: a device's and a person's messages meet here."""
        key = self._store.keyring.key(request.token) if request.token else None
        if key and key.kind is KeyKind.USER:
            return self._access.user(self._of_user)(request)
        return self._access.device(ANY_DEVICE_KEY, self._of_device)(request)

    def _of_user(self, request: Request, user: User) -> JsonObject:
        return self._act(request, user.id, None)

    def _of_device(self, request: Request, device: Device, key: Key) -> JsonObject:
        return self._act(request, self._mailboxes.account_of(key), device)

    def _act(
        self, request: Request, account_id: int, device: Device | None
    ) -> JsonObject:
        action = read_text(request.body, "action")
        topic = self._topic(request, account_id, device)
        match action:
            case "subscribe" | "unsubscribe" if request.link is None:
                raise bad_request(
                    f"{action} on a connection of the device port, which gets the messages"
                )
            case "subscribe":
                assert request.link is not None
                peer_token = read_text(request.body, "peer_token", "")
                self._mailboxes.subscribe(
                    request.link, topic, str(request.token), peer_token
                )
                return {"status": 200}
            case "unsubscribe":
                assert request.link is not None
                self._mailboxes.unsubscribe(request.link, topic)
                return {"status": 200}
            case "publish" if topic.kind == "name":
                return self._publish(request, topic)
            case "publish":
                raise bad_request("publish to the name of a mailbox")
        raise bad_request("action must be subscribe, unsubscribe or publish")

    def _topic(self, request: Request, account_id: int, device: Device | None) -> Topic:
        """Return the mailbox that the request names."""
        match read_text(request.body, "type", ""):
            case "datastream":
                stream = read_text(request.body, "stream")
                if device is None:
                    raise bad_request("a datastream takes a key of its device")
                if not is_stream_name(stream):
                    raise bad_request("stream must be the name of a datastream")
                return datastream(device, stream)
            case "pns_peer":
                if device is not None:
                    raise bad_request("messages to an app take a user key")
                read_text(request.body, "pns_token")
                read_text(request.body, "peer_token")
                return app(account_id)
            case "":
                name = read_text(request.body, "name", limit=MAX_NAME)
                if not name:
                    raise bad_request("name must not be empty")
                return named(account_id, name)
        raise bad_request("type must be datastream or pns_peer, or missing")

    def _publish(self, request: Request, topic: Topic) -> JsonObject:
        """Send a message, and tell to how many others."""
        if "data" not in request.body:
            raise bad_request("data is missing")
        data = request.body["data"]
        if len(encode_item(data)) > MAX_DATA:
            raise bad_request(f"data has at most {MAX_DATA} bytes")
        if seconds := self._published.wait(topic.owner_id):
            raise ApiError(429, f"too many messages, try again in {seconds} seconds")
        self._published.count(topic.owner_id)
        body = {"data": data, "name": topic.name}
        return {
            "peers": self._mailboxes.publish(topic, body, request.link),
            "status": 200,
        }

    def _peer(self, request: Request, user: User) -> JsonObject:
        """Let an app say that it wants no more messages; nothing is registered beforehand."""
        if request.query.get("action") != "unregister":
            raise bad_request("action must be unregister")
        self._mailboxes.forget_app(user, request.query.get("peer_token", ""))
        return {"status": 200}
