"""Turns at something slow, shared fairly among those who ask for it."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .errors import ApiError

MAX_OF_ACCOUNT = 64
"""Requests of one account at one address that may wait."""
MAX_IN_ALL = 1024
"""Requests that may wait altogether."""

type _Turn = asyncio.Future[None]


class FairQueue:
    """Lets a few in at a time: the addresses by turns, and at one address its accounts by turns.

    So one person who asks 80 times at once waits for 80 turns, and everybody else for one of
    theirs. Where all places are taken, the address with the most requests loses its newest one.
    """

    def __init__(self, at_once: int) -> None:
        """Let `at_once` in at a time."""
        self._free = at_once
        self._waiting: OrderedDict[str, OrderedDict[str, deque[_Turn]]] = OrderedDict()
        """By address and account; whose turn comes next is in front."""
        self._count = 0

    def __len__(self) -> int:
        """Return how many requests wait."""
        return self._count

    @asynccontextmanager
    async def turn(self, address: str, account: str) -> AsyncGenerator[None]:
        """Wait for a turn, which ends with the context. Raises ApiError 429 where too many wait."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._enter(address, account))
        try:
            yield
        finally:
            self._next()

    async def _wait(self, turn: _Turn) -> None:
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()
            raise

    def _enter(self, address: str, account: str) -> _Turn:
        if self._count >= MAX_IN_ALL:
            self._make_room(address)
        accounts = self._waiting.setdefault(address, OrderedDict())
        turns = accounts.setdefault(account, deque())
        if len(turns) >= MAX_OF_ACCOUNT:
            raise _too_many()
        turn: _Turn = asyncio.get_running_loop().create_future()
        turns.append(turn)
        self._count += 1
        return turn

    def _make_room(self, newcomer: str) -> None:
        """Refuse the newest request of the address that has the most, or the newcomer's."""

        def size(address: str) -> int:
            return sum(map(len, self._waiting.get(address, {}).values()))

        longest = max(self._waiting, key=size)
        if size(longest) <= size(newcomer) + 1:
            raise _too_many()
        accounts = self._waiting[longest]
        account = max(accounts, key=lambda account: len(accounts[account]))
        turn = accounts[account].pop()
        if not accounts[account]:
            del accounts[account]
        self._count -= 1
        if not turn.done():
            turn.set_exception(_too_many())

    def _next(self) -> None:
        """Pass a turn on."""
        while self._waiting:
            address, accounts = next(iter(self._waiting.items()))
            account, turns = next(iter(accounts.items()))
            turn = turns.popleft()
            self._count -= 1
            if turns:
                accounts.move_to_end(account)
            else:
                del accounts[account]
            if accounts:
                self._waiting.move_to_end(address)
            else:
                del self._waiting[address]
            # Who was cancelled meanwhile does not come.
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _too_many() -> ApiError:
    return ApiError(429, "too many requests at once, try again in a moment")
