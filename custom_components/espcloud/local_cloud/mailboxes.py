"""Mailboxes: connections subscribe to them, and get what is published there (protocol.md §3.8).

A subscription lasts as long as its connection, and its key. A message is sent once to whoever is
there; nothing is kept, and nobody answers it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from .errors import ApiError
from .keyring import Keyring
from .models import Datapoint, Device, Key, KeyKind, User, render_datapoint
from .presence import Link
from .times import time_format
from .wire import JsonObject, encode

MAX_SUBSCRIPTIONS = 32
"""Subscriptions of a connection."""
MAX_SUBSCRIBERS = 100
"""Connections that subscribe to the same."""


class Topic(NamedTuple):
    """What one can subscribe to, by its kind, to whom it belongs, and its name."""

    kind: str
    owner_id: int
    name: str


def named(account_id: int, name: str) -> Topic:
    """Return the mailbox of a name; each account has its own."""
    return Topic("name", account_id, name)


def datastream(device: Device, name: str) -> Topic:
    """Return the mailbox of what is stored in a datastream."""
    return Topic("datastream", device.id, name)


def app(account_id: int) -> Topic:
    """Return the mailbox of an account's apps."""
    return Topic("app", account_id, "")


@dataclass(slots=True, frozen=True)
class _Subscription:
    """The text of the key with which it was made, and the name that an app gives itself."""

    key: str
    peer_token: str


class Mailboxes:
    """Who subscribes to what."""

    def __init__(self, keyring: Keyring) -> None:
        """Send to nobody whose key `keyring` does not have any more."""
        self._keyring = keyring
        self._subscribers: dict[Topic, dict[Link, _Subscription]] = {}
        self._topics: dict[Link, set[Topic]] = {}

    def account_of(self, key: Key) -> int:
        """Return whose mailboxes a key opens: with a master key the owner's, if there is one.

        A device that nobody owns has mailboxes of its own.
        """
        match key.kind:
            case KeyKind.USER:
                return key.user_id
            case KeyKind.MASTER:
                owner = self._keyring.owner_key_of(key.device_id)
                return owner.authorized_user_id if owner else -key.device_id
        return key.authorized_user_id

    def subscribe(
        self, link: Link, topic: Topic, key: str, peer_token: str = ""
    ) -> None:
        """Have a connection get what is published; a second time changes nothing else.

        Raises ApiError 403 where it subscribes to too much, or too many do.
        """
        if not link.is_open:
            return
        topics = self._topics.get(link, set())
        others = self._subscribers.get(topic, {})
        if topic not in topics:
            if len(topics) >= MAX_SUBSCRIPTIONS:
                raise ApiError(
                    403, f"a connection has at most {MAX_SUBSCRIPTIONS} subscriptions"
                )
            if len(others) >= MAX_SUBSCRIBERS:
                raise ApiError(
                    403, f"a mailbox has at most {MAX_SUBSCRIBERS} subscribers"
                )
        self._topics.setdefault(link, topics).add(topic)
        subscribers = self._subscribers.setdefault(topic, others)
        subscribers[link] = _Subscription(key, peer_token)
        link.is_subscribed = True

    def unsubscribe(self, link: Link, topic: Topic) -> None:
        """End a subscription, where there is one."""
        if topic not in self._topics.get(link, ()):
            return
        self._topics[link].remove(topic)
        if not self._topics[link]:
            del self._topics[link]
            link.is_subscribed = False
        del self._subscribers[topic][link]
        if not self._subscribers[topic]:
            del self._subscribers[topic]

    def forget_app(self, user: User, peer_token: str) -> None:
        """End the subscriptions that an app of the account has made under this name."""
        topic = app(user.id)
        for link, subscription in list(self._subscribers.get(topic, {}).items()):
            if subscription.peer_token == peer_token:
                self.unsubscribe(link, topic)

    def left(self, link: Link) -> None:
        """Forget a connection that has ended."""
        for topic in list(self._topics.get(link, ())):
            self.unsubscribe(link, topic)

    def publish(
        self, topic: Topic, body: JsonObject, sender: Link | None = None
    ) -> int:
        """Send a message to all subscribers but its sender, and return to how many.

        Who leaves what it was sent unread gets no more of it meanwhile.
        """
        subscribers = self._subscribers.get(topic)
        if not subscribers:
            return 0
        frame = encode({"body": body, "method": "POST", "path": "/v1/mbox/"})
        count = 0
        for link, subscription in list(subscribers.items()):
            key = self._keyring.key(subscription.key)
            if key is None or not self._opens(key, topic):
                self.unsubscribe(link, topic)
            elif link is not sender and link.stuck_since is None:
                link.outbox.reply(frame)
                count += 1
        return count

    def alert(self, users: set[int], text: str) -> int:
        """Tell the apps of these accounts something for their people; return how many."""
        body = {"data": {"alert": text}, "type": "pns_peer"}
        return sum(self.publish(app(number), body) for number in sorted(users))

    def stored(self, device: Device, stream: str, points: list[Datapoint]) -> None:
        """Tell who subscribes to a datastream of the last of the points that were stored."""
        topic = datastream(device, stream)
        if topic in self._subscribers:
            point = render_datapoint(points[-1], time_format(None))
            body = {"data": point, "stream": stream, "type": "datastream"}
            self.publish(topic, body)

    def _opens(self, key: Key, topic: Topic) -> bool:
        """Say whether a key still opens a mailbox: its device may have another owner by now."""
        return topic.kind != "name" or self.account_of(key) == topic.owner_id
