"""A light or switch is switched by the instance: how long until its state says so?"""

import asyncio
from time import perf_counter

from bench.answering import Answer
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event


async def time_calls(hass: HomeAssistant, entity_id: str, count: int) -> Answer:
    """Switch an entity that is not on yet on and off, one call after the other.

    Returns milliseconds: from each call until the state was written, and until the call
    had returned and the state was written, which is when a script can go on.
    """
    domain = entity_id.partition(".")[0]
    changed = asyncio.Event()
    written_at = 0.0

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        nonlocal written_at
        written_at = perf_counter()
        changed.set()

    remove = async_track_state_change_event(hass, entity_id, note)
    written: list[float] = []
    returned: list[float] = []
    try:
        for number in range(count):
            changed.clear()
            begin = perf_counter()
            await hass.services.async_call(
                domain,
                "turn_off" if number % 2 else "turn_on",
                {"entity_id": entity_id},
                blocking=True,
            )
            await changed.wait()
            returned.append((perf_counter() - begin) * 1000)
            written.append((written_at - begin) * 1000)
    finally:
        remove()
    return {"written": written, "returned": returned}


async def wait_for_light(hass: HomeAssistant, *states: str) -> str:
    """Return the entity id of the instance's only light, once it is in one of the states."""
    return await wait_for_entity(hass, "light", *states)


async def wait_for_entity(hass: HomeAssistant, domain: str, *states: str) -> str:
    """Return the entity id of the first entity that is in one of the states, once one is."""
    while True:
        for state in hass.states.async_all(domain):
            if state.state in states:
                return state.entity_id
        await asyncio.sleep(0.02)
