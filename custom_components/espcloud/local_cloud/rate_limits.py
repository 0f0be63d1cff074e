"""Limits on what strangers may do: guess passwords, forget them, and make accounts.

How guessing is limited:

1. *By account first.* All addresses that an account does not know have FAILURES_PER_ACCOUNT wrong
   passwords in any SIGN_IN_WINDOW together. More addresses do not buy more guesses, and nothing
   that a stranger makes up can push the count out of memory: only accounts that exist have one.
2. *By address*, the /64 of an IPv6 address: FAILURES_PER_PAIR at one account, so that one address
   alone does not use up what all share, and FAILURES_PER_ADDRESS whatever the account, so that it
   does not try a common password everywhere. These counters can be pushed out, by MAX_REMEMBERED
   other addresses; the first rule holds all the same.
3. *The owner has allowances of their own*, which no stranger can use up: each address that the
   account knows (`addresses.KnownAddresses`) has FAILURES_PER_PAIR and nothing else counts there;
   so has each user key of the account that comes with a sign-in, from wherever.

A limit refuses with 429 before a password is looked at, and once more before the outcome is told:
guesses that were under way when it was reached learn nothing. A success forgives the failures of its
own allowance. What is left: while an attack lasts, an owner without a key at an address that is new
to the account has to wait; nothing tells them from the attacker.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import NamedTuple

from .addresses import IN_PROCESS, KnownAddresses, network_of
from .errors import ApiError
from .models import Key, User

MAX_REMEMBERED = 10_000
"""Addresses whose events are remembered; beyond it the one that was silent for longest goes."""

SIGN_IN_WINDOW = 300.0
"""Seconds in which failures count; then they are forgotten."""
FAILURES_PER_ACCOUNT = 50
"""Failures at one account of all addresses that it does not know."""
FAILURES_PER_PAIR = 10
"""Failures of one address, or of the holder of one key, at one account."""
FAILURES_PER_ADDRESS = 50
"""Failures of one address, whatever the account."""

STRANGERS_WINDOW = 3600.0
"""Seconds in which new accounts and forgotten passwords count."""
ACCOUNTS_PER_ADDRESS = 20
"""New accounts of one address."""
ACCOUNTS_IN_ALL = 200
"""New accounts from wherever: more addresses do not fill the memory faster."""
RESETS_PER_ADDRESS = 20
"""Forgotten passwords of one address, whether there are such accounts or not."""
RESETS_IN_ALL = 200
"""Forgotten passwords from wherever."""
RESETS_PER_ACCOUNT = 3
"""Of these, the ones of one account that reach the person who runs the cloud."""


class RecentEvents:
    """The events of the last seconds, by name."""

    def __init__(
        self,
        now: Callable[[], float],
        length: float,
        limit: int,
        most: int | None = None,
    ) -> None:
        """Allow a name `limit` events in any `length` seconds of `now`.

        With `most`, no more names than that are remembered.
        """
        self._now = now
        self._length = length
        self._limit = limit
        self._most = most
        self._times: dict[Hashable, deque[float]] = {}
        """The last `limit` events of each name; the name with the newest event stands last."""

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._times)

    def wait(self, name: Hashable) -> int:
        """Return in how many seconds this is below the limit again, 0 where it is now."""
        times = self._times.get(name)
        if times is None or len(times) < self._limit:
            return 0
        left = times[0] + self._length - self._now()
        return int(left) + 1 if left > 0 else 0

    def count(self, name: Hashable) -> None:
        """Count an event."""
        now = self._now()
        times = self._times.pop(name, None) or deque(maxlen=self._limit)
        times.append(now)
        while self._times:
            oldest = next(iter(self._times))
            if now - self._times[oldest][-1] < self._length and (
                self._most is None or len(self._times) < self._most
            ):
                break
            del self._times[oldest]
        self._times[name] = times

    def forget(self, name: Hashable) -> None:
        """Start this name anew."""
        self._times.pop(name, None)

    def clear(self) -> None:
        """Start all of them anew."""
        self._times.clear()


class Attempt(NamedTuple):
    """A sign-in."""

    user: User | None
    """The account, where there is one of that name."""
    peer: str
    """The address that it comes from."""
    key: Key | None = None
    """A live key that came with it."""


class FailedSignIns:
    """Counts failed sign-ins, as the module says."""

    def __init__(self, now: Callable[[], float], known: KnownAddresses) -> None:
        """Read the time, in seconds, from `now`; `known` is where the owners are."""
        self._known = known
        self._at_account = RecentEvents(now, SIGN_IN_WINDOW, FAILURES_PER_ACCOUNT)
        self._of_pair = RecentEvents(
            now, SIGN_IN_WINDOW, FAILURES_PER_PAIR, MAX_REMEMBERED
        )
        self._of_address = RecentEvents(
            now, SIGN_IN_WINDOW, FAILURES_PER_ADDRESS, MAX_REMEMBERED
        )
        self._of_owner = RecentEvents(now, SIGN_IN_WINDOW, FAILURES_PER_PAIR)

    def check(self, attempt: Attempt) -> None:
        """Raise ApiError 429 where one of the attempt's allowances is used up."""
        for events, name in self._allowances(attempt):
            if seconds := events.wait(name):
                raise ApiError(
                    429, f"too many failed sign-ins, try again in {seconds} seconds"
                )

    def add(self, attempt: Attempt) -> None:
        """Count a failure."""
        for events, name in self._allowances(attempt):
            events.count(name)

    def forgive(self, attempt: Attempt) -> None:
        """Forget the failures of whoever knows the password after all."""
        user, network = attempt.user, network_of(attempt.peer)
        if user is not None:
            self._of_pair.forget((network, user.id))
            self._of_owner.forget((network, user.id))
        if attempt.key is not None:
            self._of_owner.forget(attempt.key.id)

    def clear(self) -> None:
        """Forget all failures."""
        for events in (
            self._at_account,
            self._of_pair,
            self._of_address,
            self._of_owner,
        ):
            events.clear()

    def _allowances(self, attempt: Attempt) -> list[tuple[RecentEvents, Hashable]]:
        user, network = attempt.user, network_of(attempt.peer)
        if user is None:
            return [(self._of_address, network)]
        if attempt.key is not None and attempt.key.user_id == user.id:
            return [(self._of_owner, attempt.key.id)]
        if self._known.has(user.id, attempt.peer):
            return [(self._of_owner, (network, user.id))]
        return [
            (self._at_account, user.id),
            (self._of_pair, (network, user.id)),
            (self._of_address, network),
        ]


class _OfStrangers:
    """Counts what strangers have done in any hour, and refuses more."""

    def __init__(
        self, now: Callable[[], float], of_address: int, in_all: int, what: str
    ) -> None:
        """Allow an address `of_address`, all together `in_all` of `what`; `now` is in seconds."""
        self._what = what
        self._of_address = RecentEvents(now, STRANGERS_WINDOW, of_address)
        self._in_all = RecentEvents(now, STRANGERS_WINDOW, in_all)

    def add(self, peer: str) -> None:
        """Count one that is about to happen. Raises ApiError 429 beyond a limit.

        Who calls within the process is no stranger and does not count.
        """
        if peer == IN_PROCESS:
            return
        counters = (self._of_address, network_of(peer)), (self._in_all, "")
        for events, name in counters:
            if seconds := events.wait(name):
                raise ApiError(
                    429, f"too many {self._what}, try again in {seconds} seconds"
                )
        for events, name in counters:
            events.count(name)

    def clear(self) -> None:
        """Forget all of them."""
        self._of_address.clear()
        self._in_all.clear()


class NewAccounts(_OfStrangers):
    """Counts the accounts that strangers make."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        super().__init__(now, ACCOUNTS_PER_ADDRESS, ACCOUNTS_IN_ALL, "new accounts")


class WantedResets(_OfStrangers):
    """Counts how often strangers say that they have forgotten a password."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        super().__init__(now, RESETS_PER_ADDRESS, RESETS_IN_ALL, "forgotten passwords")
        self._of_account = RecentEvents(now, STRANGERS_WINDOW, RESETS_PER_ACCOUNT)

    def allow(self, user: User) -> bool:
        """Say whether an account may have one more, and count it."""
        if self._of_account.wait(user.id):
            return False
        self._of_account.count(user.id)
        return True
