"""What the peer of a device connection has shown of itself."""

from .errors import ApiError, UnknownKeyError
from .request import Request

_MINUTE = 60.0
_SILENT = "no frame came"


class Standing:
    """Knows whether a peer has shown a good key, and how much it may say before.

    Attributes:
        is_known: whether a key of its was good, for whatever it was.
    """

    __slots__ = ("_frames", "_limit", "_since", "_trouble", "is_known")

    def __init__(self, limit: int) -> None:
        """Allow `limit` frames a minute before."""
        self._limit = limit
        self._since = 0.0
        self._frames = 0
        self._trouble = _SILENT
        self.is_known = False

    def allows_frame(self, now: float) -> bool:
        """Count a frame that came; return whether it is one that the peer may send."""
        if self.is_known:
            return True
        if now - self._since >= _MINUTE:
            self._since, self._frames = now, 0
        if self._trouble == _SILENT:
            self._trouble = "no key"
        self._frames += 1
        return self._frames <= self._limit

    def note(self, request: Request, error: ApiError | None) -> bool:
        """Note what became of a request; return whether the peer is known now."""
        if request.authorized:
            self.is_known = True
            self._trouble = "good key, not identified"
        elif isinstance(error, UnknownKeyError):
            self._trouble = "unknown key"
        return self.is_known

    def describe(self) -> str:
        """Say for a log how far a peer without a device has come; nothing in it is the peer's."""
        return self._trouble
