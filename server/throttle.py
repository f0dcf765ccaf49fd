"""Slows down guessing of passwords, by account and by address, and of API keys, by address: longer with each wrong attempt."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from governance.accounts import NAME_LENGTH

MOST_KEPT = 10_000
FORGOTTEN_AFTER_S = 3_600.0
LONGEST_S = 900.0
FREE_BY_ADDRESS = 30  # many people may share one


@dataclass(slots=True)
class Attempts:
    """Wrong attempts in a row, and until when no more are heard."""

    wrong: int = 0
    last: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a wrong attempt comes to: how many in a row, and the seconds until the next is heard (0: at once)."""

    wrong: int
    wait_s: int
    is_heard: bool = True


class Throttle:
    """Wrong attempts by one key: `free` of them cost nothing, each further one doubles the wait, from one second to a
    quarter of an hour. Forgotten after an hour, after a success, and by a restart; the oldest of very many keys go first."""

    def __init__(self, *, free: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._clock = free, clock
        self._kept: OrderedDict[Hashable, Attempts] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, key: Hashable) -> int:
        """Whole seconds until an attempt is heard; 0 if it is now."""
        with self._lock:
            found = self._kept.get(key)
            return max(0, math.ceil(found.until - self._clock())) if found else 0

    def failed(self, key: Hashable) -> Refusal:
        """One more wrong attempt."""
        with self._lock:
            now = self._clock()
            found = self._kept.pop(key, None)
            if found is None or now - found.last > FORGOTTEN_AFTER_S:
                found = Attempts()
            found.wrong, found.last = found.wrong + 1, now
            over = found.wrong - self._free
            wait = min(LONGEST_S, 2.0 ** min(over, 20)) if over >= 0 else 0.0
            found.until = now + wait
            self._kept[key] = found
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return Refusal(found.wrong, math.ceil(wait))

    def succeeded(self, key: Hashable) -> None:
        """The right password: what went before is forgotten."""
        with self._lock:
            self._kept.pop(key, None)

    def take_back(self, key: Hashable) -> None:
        """The last attempt was not wrong after all; those before it stay."""
        with self._lock:
            if found := self._kept.get(key):
                found.wrong, found.until = found.wrong - 1, 0.0


class SignInThrottle:
    """Both keys together. An address that signed in to an account before is not held up by others' guesses at it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts, self._addresses = Throttle(free=5, clock=clock), Throttle(free=FREE_BY_ADDRESS, clock=clock)
        self._trusted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, name: str, address: str) -> int:
        return max(self._addresses.wait_s(address), self._accounts.wait_s(self._account(name, address)))

    def begun(self, name: str, address: str) -> Refusal:
        """An attempt, counted as wrong before its password is looked at: of many that are sent side by side, those after
        the first wrong ones are not heard. What that comes to, if it does not succeed; the longer of both waits counts."""
        with self._lock:
            if wait_s := self.wait_s(name, address):
                return Refusal(0, wait_s, is_heard=False)
            by_account = self._accounts.failed(self._account(name, address))
            by_address = self._addresses.failed(address)
            return max(by_account, by_address, key=lambda refusal: refusal.wait_s)

    def succeeded(self, name: str, address: str) -> None:
        """The attempt that was begun had the right password."""
        with self._lock:
            self._accounts.succeeded(self._account(name, address))
            self._addresses.take_back(address)
            self._trusted[name, address] = None
            self._trusted.move_to_end((name, address))
            while len(self._trusted) > MOST_KEPT:
                self._trusted.popitem(last=False)

    def _account(self, name: str, address: str) -> Hashable:
        """A pair is no name that anybody could try from elsewhere. Longer names than accounts have are all the same one."""
        if len(name) > NAME_LENGTH[1]:
            return ""
        return (name, address) if (name, address) in self._trusted else name
