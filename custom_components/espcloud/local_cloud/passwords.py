"""Passwords, kept only as salted scrypt hashes and never computed on the event loop.

Whoever calls has waited for a turn (`fair_queue`): nothing queues up here.
"""

import asyncio
from concurrent.futures import Executor
import hashlib
import hmac
import os
import secrets

NO_PASSWORD = ""
"""Stands for the hash where no password opens an account."""
_LOG2_N, _R, _P = 14, 8, 1
_MAX_MEMORY = 64 << 20


def hashes_at_once() -> int:
    """Return how many hashes are computed at a time: one core is left to the event loop."""
    return max(1, min(4, (os.process_cpu_count() or 1) - 1))


class Passwords:
    """Hashes and checks passwords on worker threads."""

    def __init__(self, workers: Executor) -> None:
        """Use `workers` for the hashing, some 50 ms each."""
        self._workers = workers

    async def hash(self, password: str) -> str:
        """Return `scrypt$log2 N$r$p$salt$hash`."""
        salt = secrets.token_bytes(16)
        digest = await self._scrypt(password, salt, _LOG2_N, _R, _P)
        return f"scrypt${_LOG2_N}${_R}${_P}${salt.hex()}${digest.hex()}"

    async def matches(self, password: str, stored: str) -> bool:
        """Say whether the password is the one that was hashed; it takes as long where none was."""
        if stored == NO_PASSWORD:
            await self.hash(password)
            return False
        _, log2_n, r, p, salt, digest = stored.split("$")
        computed = await self._scrypt(
            password, bytes.fromhex(salt), int(log2_n), int(r), int(p)
        )
        return hmac.compare_digest(computed, bytes.fromhex(digest))

    async def _scrypt(
        self, password: str, salt: bytes, log2_n: int, r: int, p: int
    ) -> bytes:
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

        return await asyncio.get_running_loop().run_in_executor(self._workers, derive)


def is_password_hash(text: str) -> bool:
    """Say whether `text` is a hash or NO_PASSWORD; the state file is checked with it."""
    if text == NO_PASSWORD:
        return True
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
