"""Follows the state of a device through what passes between it and the cloud, whoever commands it."""

from collections.abc import Callable

from local_cloud.wire import JsonObject

from .controls import Control

_UNANSWERED = 16
"""Pushes whose answers may still come."""


class Follower:
    """Tells a control of accepted commands, of reports, and of datapoints that the device posts."""

    def __init__(self, control: Control, now: Callable[[], float]) -> None:
        """Begin with what `control` knows; `now` counts seconds."""
        self._control = control
        self._now = now
        self._path = f"/v1/datastreams/{control.stream}/datapoint"
        self._pushed: dict[int, JsonObject | None] = {}
        """By the nonce of a push what it sets, None where it asks only."""
        self._settled_at = 0.0

    @property
    def stream(self) -> str:
        """Where the device's datapoints are."""
        return self._control.stream

    @property
    def state(self) -> JsonObject | None:
        """What the page shows, None while nothing is known."""
        return self._control.state

    def heard(self, frame: JsonObject, *, is_sent_by_device: bool) -> bool:
        """Take a frame, and say whether it tells of the state.

        Firmware answers every push but those of timers and system calls with its state, whatever the
        path is (protocol.md §10.2).
        """
        nonce = frame.get("nonce")
        if not isinstance(nonce, int):
            return False
        if not is_sent_by_device:
            if "path" in frame:
                self._note_push(nonce, frame)
            return False
        if "path" in frame or nonce not in self._pushed:
            return False
        sets = self._pushed.pop(nonce)
        if frame.get("status", 200) != 200:
            return False
        point = frame.get("datapoint")
        if sets is not None and self._control.settles:
            self._settled_at = self._now() + self._control.settles
            self._control.sent(sets)
            return True
        if isinstance(point, dict):
            return self.reported(point)
        if sets is not None:
            self._control.sent(sets)
        return sets is not None

    def reported(self, point: JsonObject) -> bool:
        """Take what the device says of itself, unless it is only on its way there; say whether."""
        if self._now() < self._settled_at:
            return False
        self._control.reported(point)
        return True

    def _note_push(self, nonce: int, frame: JsonObject) -> None:
        body = frame.get("body", {})
        is_set = (
            frame.get("method") == "POST"
            and str(frame["path"]).rstrip("/") == self._path
            and isinstance(body, dict)
            and isinstance(body.get("datapoint"), dict)
        )
        self._pushed[nonce] = body["datapoint"] if is_set else None
        while len(self._pushed) > _UNANSWERED:
            del self._pushed[next(iter(self._pushed))]
