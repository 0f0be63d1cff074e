"""A queue in which nobody can keep the others waiting."""

from collections import deque
from collections.abc import Callable


class SenderQueue[Item]:
    """Items of several senders: each sender's in their order, the senders' in turns."""

    def __init__(self) -> None:
        """Begin empty."""
        self._senders: dict[str, deque[Item]] = {}
        """The next turn is the first sender's; none is here without an item."""
        self._size = 0

    def __len__(self) -> int:
        """Return how many items wait."""
        return self._size

    def put(self, sender: str, item: Item) -> None:
        """Add an item."""
        self._senders.setdefault(sender, deque()).append(item)
        self._size += 1

    def take(self) -> Item:
        """Remove and return the item whose turn it is. Raises StopIteration where there is none."""
        sender = next(iter(self._senders))
        items = self._senders.pop(sender)
        item = items.popleft()
        if items:
            self._senders[sender] = items
        self._size -= 1
        return item

    def drop_newest(self) -> Item:
        """Remove and return the last item of who has most. Raises ValueError where there is none."""
        sender = max(self._senders, key=lambda one: len(self._senders[one]))
        items = self._senders[sender]
        item = items.pop()
        if not items:
            del self._senders[sender]
        self._size -= 1
        return item

    def drop_oldest(self, is_over: Callable[[Item], bool]) -> list[Item]:
        """Remove and return those that are over; a sender's are over in their order."""
        dropped = []
        for sender, items in list(self._senders.items()):
            while items and is_over(items[0]):
                dropped.append(items.popleft())
            if not items:
                del self._senders[sender]
        self._size -= len(dropped)
        return dropped

    def oldest(self) -> list[Item]:
        """Return the first item of each sender."""
        return [items[0] for items in self._senders.values()]
