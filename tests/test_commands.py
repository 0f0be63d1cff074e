"""Whose doing a command is that arrives."""

from custom_components.espcloud.commands import Command, OwnCommands
from homeassistant.core import Context


def test_command_under_way_is_known_once() -> None:
    """By its action; the next one like it, and any other, is somebody else's."""
    own = OwnCommands()
    pressed, automated = Context(user_id="somebody"), Context()
    with own.sending("LED_ON", pressed), own.sending("BLINK", automated):
        assert own.context_of("LED_OFF") not in (pressed, automated)
        assert own.context_of("BLINK") is automated
        assert own.context_of("LED_ON") is pressed
        assert own.context_of("LED_ON") is not pressed


def test_command_that_did_not_arrive_is_forgotten() -> None:
    """What arrives later is somebody else's."""
    own = OwnCommands()
    pressed = Context(user_id="somebody")
    with own.sending("LED_ON", pressed):
        pass
    assert own.context_of("LED_ON") is not pressed


def test_two_presses_at_once_are_two() -> None:
    """One that ends does not take the other's place."""
    own = OwnCommands()
    first, second = Context(), Context()
    with own.sending("LED_ON", first):
        with own.sending("LED_ON", second):
            assert own.context_of("LED_ON") is first
        assert own.context_of("LED_ON") not in (first, second)


def test_long_texts_are_cut() -> None:
    """With a mark, so that nobody takes the rest for the whole."""
    fits, long, cut = "a" * 255, "a" * 256, "a" * 254 + "…"
    command = Command.from_push(long, {long: long, "level": fits})
    assert command.action == cut
    assert command.parameters == {cut: cut, "level": fits}
    assert Command.from_push(fits, {}).action == fits
