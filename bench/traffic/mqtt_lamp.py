"""A lamp or plug that speaks MQTT: does as it is told and says what it does; or says a lot."""

import asyncio
import sys
import threading

import orjson
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.answering import Answer, answer
from bench.paths import LOOPBACK

COMMANDS, STATES = "bench/set", "bench/state"
DISCOVERY = "homeassistant/{domain}/bench/config"
_LAMP = {
    "name": "Lamp",
    "unique_id": "bench",
    "command_topic": COMMANDS,
    "state_topic": STATES,
    "qos": 0,
    "device": {"identifiers": ["bench"], "name": "Bench"},
}


def follow(client: Client, _userdata: object, message: MQTTMessage) -> None:
    """Obey, and say so."""
    client.publish(STATES, message.payload)


async def main(port: int, domain: str) -> None:
    """Announce the lamp as a light or a switch, and push states of it on demand."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = follow
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(LOOPBACK, port)
    client.loop_start()
    client.subscribe(COMMANDS)
    client.publish(STATES, b"OFF", retain=True)
    client.publish(DISCOVERY.format(domain=domain), orjson.dumps(_LAMP), retain=True)
    await asyncio.to_thread(subscribed.wait, 10)

    async def push(count: int) -> Answer:
        def publish() -> None:
            for number in range(count):
                client.publish(STATES, b"OFF" if number % 2 else b"ON")

        await asyncio.to_thread(publish)
        return {}

    await answer({"push": push}, {})
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
