"""The names of a device's actions, as a person enters them."""

from collections.abc import Mapping
from typing import Any

from .const import (
    CONF_ACTIONS,
    CONF_DIM_ACTION,
    CONF_DIM_MAXIMUM,
    CONF_DIM_PARAMETER,
    CONF_LAMP_SHOWS,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    EVENT_CUSTOM,
    EVENT_TURN_OFF,
    EVENT_TURN_ON,
    MOST_DIM_MAXIMUM,
    RESERVED_PARAMETERS,
)
from .enrollment import EnrollmentError


def own_actions(user_input: Mapping[str, Any]) -> list[str]:
    """Return the actions of the person's own that a device's form lists.

    Each will be a type of event, so it has to differ from the other types, and from the
    light's actions, which have types already.

    Raises:
        EnrollmentError: a name is not possible.
    """
    of_light = {
        user_input[name].strip() for name in (CONF_TURN_ON_ACTION, CONF_TURN_OFF_ACTION)
    }
    actions: list[str] = []
    for text in user_input.get(CONF_ACTIONS, []):
        if not (action := text.strip()):
            continue
        if action in (EVENT_TURN_ON, EVENT_TURN_OFF, EVENT_CUSTOM):
            raise EnrollmentError(CONF_ACTIONS, "reserved_action")
        if action in of_light:
            raise EnrollmentError(CONF_ACTIONS, "action_of_light")
        if action in actions:
            raise EnrollmentError(CONF_ACTIONS, "duplicate_action")
        actions.append(action)
    return actions


def two_actions(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the actions that turn a device on and off, as a subentry keeps them.

    Raises:
        EnrollmentError: one is missing, or they are the same.
    """
    turn_on: str = user_input[CONF_TURN_ON_ACTION].strip()
    turn_off: str = user_input[CONF_TURN_OFF_ACTION].strip()
    if not turn_on:
        raise EnrollmentError(CONF_TURN_ON_ACTION, "empty_action")
    if not turn_off:
        raise EnrollmentError(CONF_TURN_OFF_ACTION, "empty_action")
    if turn_on == turn_off:
        raise EnrollmentError(CONF_TURN_OFF_ACTION, "same_action")
    return {CONF_TURN_ON_ACTION: turn_on, CONF_TURN_OFF_ACTION: turn_off}


def lamp_settings(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a subentry keeps of what a lamp shows, and of how it is dimmed.

    Raises:
        EnrollmentError: the action that dims is another one already, or cannot be read.
    """
    action: str = user_input.get(CONF_DIM_ACTION, "").strip()
    settings: dict[str, Any] = {CONF_LAMP_SHOWS: user_input[CONF_LAMP_SHOWS]}
    if not action:
        return settings
    if action in two_actions(user_input).values():
        raise EnrollmentError(CONF_DIM_ACTION, "action_of_light")
    parameter: str = user_input[CONF_DIM_PARAMETER].strip()
    if not parameter or parameter in RESERVED_PARAMETERS:
        raise EnrollmentError(CONF_DIM_PARAMETER, "bad_parameter")
    maximum: float = user_input[CONF_DIM_MAXIMUM]
    if not 1 <= maximum <= MOST_DIM_MAXIMUM or maximum != int(maximum):
        raise EnrollmentError(CONF_DIM_MAXIMUM, "bad_maximum")
    return {
        **settings,
        CONF_DIM_ACTION: action,
        CONF_DIM_PARAMETER: parameter,
        CONF_DIM_MAXIMUM: int(maximum),
    }
