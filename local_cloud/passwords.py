"""Passwords, kept only as salted scrypt hashes and never computed on the event loop."""

import asyncio
from concurrent.futures import Executor
import hashlib
import hmac
import secrets

from .errors import ApiError

_LOG2_N, _R, _P = 14, 8, 1
_MAX_MEMORY = 64 << 20
_MAX_WAITING = 64
"""Hashes under way or waiting; a flood of sign-ins is refused rather than queued for minutes."""


class Passwords:
    """Hashes and checks passwords on worker threads."""

    def __init__(self, workers: Executor) -> None:
        """Use `workers` for the hashing, some 50 ms each."""
        self._workers = workers
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return `scrypt$log2 N$r$p$salt$hash`. Raises ApiError 429 under a flood."""
        salt = secrets.token_bytes(16)
        digest = await self._scrypt(password, salt, _LOG2_N, _R, _P)
        return f"scrypt${_LOG2_N}${_R}${_P}${salt.hex()}${digest.hex()}"

    async def matches(self, password: str, stored: str) -> bool:
        """Say whether the password is the one that was hashed. Raises ApiError 429 under a flood."""
        _, log2_n, r, p, salt, digest = stored.split("$")
        computed = await self._scrypt(
            password, bytes.fromhex(salt), int(log2_n), int(r), int(p)
        )
        return hmac.compare_digest(computed, bytes.fromhex(digest))

    async def _scrypt(
        self, password: str, salt: bytes, log2_n: int, r: int, p: int
    ) -> bytes:
        if self._waiting >= _MAX_WAITING:
            raise ApiError(429, "too many sign-ins at once, try again in a moment")

        def derive() -> bytes:
            return hashlib.scrypt(
                password.encode("utf-8", "surrogatepass"),
                salt=salt,
                n=1 << log2_n,
                r=r,
                p=p,
                maxmem=_MAX_MEMORY,
                dklen=32,
            )

        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._workers, derive
            )
        finally:
            self._waiting -= 1


def is_password_hash(text: str) -> bool:
    """Say whether `text` is something that Passwords.hash wrote; the state file is checked with it."""
    match text.split("$"):
        case ["scrypt", log2_n, r, p, salt, digest]:
            try:
                numbers = int(log2_n), int(r), int(p)
                return (
                    bool(bytes.fromhex(salt))
                    and len(bytes.fromhex(digest)) == 32
                    and all(0 < number <= 20 for number in numbers)
                    and 128 * numbers[1] * (1 << numbers[0]) < _MAX_MEMORY
                )
            except ValueError:
                return False
    return False
