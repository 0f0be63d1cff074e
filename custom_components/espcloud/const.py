"""Constants of the Espressif IoT Cloud integration."""

from datetime import timedelta
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "espcloud"
MANUFACTURER: Final = "Espressif"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.REMOTE,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]

SUBENTRY_TYPE_DEVICE: Final = "device"
SUBENTRY_TYPE_HARDWARE: Final = "hardware"
# Of a type of its own: the texts of a type are the same in every entry.
SUBENTRY_TYPE_LOCAL: Final = "local_device"

# The one entry in which Home Assistant is the cloud.
LOCAL_UNIQUE_ID: Final = "local"
LOCAL_TITLE: Final = "Local cloud"
DEFAULT_API_PORT: Final = 8080
SECTION_API: Final = "api"
CONF_SERVE_API: Final = "serve_api"

CONF_ACTIONS: Final = "actions"
CONF_API_PORT: Final = "api_port"
CONF_AREA: Final = "area"
CONF_CLEAR_TEXT: Final = "clear_text"
CONF_DEVICE: Final = "device"
CONF_DEVICE_ID: Final = "device_id"
CONF_DEVICE_KEY: Final = "device_key"
CONF_DIM_ACTION: Final = "dim_action"
CONF_DIM_MAXIMUM: Final = "dim_maximum"
CONF_DIM_PARAMETER: Final = "dim_parameter"
CONF_HAS_WHITE: Final = "has_white"
CONF_IS_SILENT: Final = "is_silent"
CONF_LAMP_SHOWS: Final = "lamp_shows"
CONF_KEY_HASH: Final = "key_hash"
CONF_KIND: Final = "kind"
CONF_SERIAL: Final = "serial"
CONF_SHOW_DEVICES: Final = "show_devices"
CONF_SHOWN_AS: Final = "shown_as"
CONF_STREAMS: Final = "streams"
CONF_TAKE_OVER: Final = "take_over"
CONF_TURN_OFF_ACTION: Final = "turn_off_action"
CONF_TURN_ON_ACTION: Final = "turn_on_action"
CONF_USER1: Final = "user1"
CONF_USER2: Final = "user2"
CONF_USER_ID: Final = "user_id"
CONF_USER_KEY: Final = "user_key"
CONF_VERSION: Final = "version"
SECTION_SERVER: Final = "server"

# What a self-made device can be shown as; the first is what it is shown as by itself.
SHOWN_AS: Final = ("light", "switch")

EVENT_TURN_ON: Final = "turn_on"
EVENT_TURN_OFF: Final = "turn_off"
EVENT_CUSTOM: Final = "custom"

ATTR_ACTION: Final = "action"
ATTR_PARAMETERS: Final = "parameters"

DEFAULT_URL: Final = "https://iot.espressif.cn"
DEFAULT_PORT: Final = 8000  # protocol.md §1
DEFAULT_TURN_ON_ACTION: Final = "LED_ON"
DEFAULT_TURN_OFF_ACTION: Final = "LED_OFF"
DEFAULT_DIM_PARAMETER: Final = "level"
DEFAULT_DIM_MAXIMUM: Final = 100
MOST_DIM_MAXIMUM: Final = 65535

# These steer the delivery of an action itself (protocol.md §2.8).
RESERVED_PARAMETERS: Final = ("action", "deliver_to_device")

# What a device is made of that Home Assistant makes for itself (protocol.md §2.11, §4).
PRODUCT_NAME: Final = "Home Assistant"
PRODUCT_PTYPE: Final = 45772

# A connection that is back within this many seconds was never gone, as far as the
# states and their history are concerned.
GRACE_TIME: Final = 15.0
# An outage of this many seconds is worth a warning.
LONG_OUTAGE: Final = 300.0
# A connection that has lived this many seconds is nobody else's.
STABLE_TIME: Final = 60.0
# How long a command waits for a connection that is down, in seconds.
RECONNECT_WAIT: Final = 5.0
# How long a person who wants it now waits for it, in seconds: a local cloud may hold
# back for 8 s whom it saw in a fight.
CONNECT_NOW_WAIT: Final = 12.0

# What the cloud never pushes (names, firmware versions, keys) is asked this often.
ACCOUNT_INTERVAL: Final = timedelta(minutes=15)
# Where it also tells which of the account's own devices are there.
DEVICES_INTERVAL: Final = timedelta(seconds=60)

# How often the names of other clouds are looked up: one may lead here since.
ADDRESS_INTERVAL: Final = timedelta(hours=1)

# What the cloud calls `ptype` (protocol.md §4).
MODELS: Final = {
    2355: "Remote control",
    3835: "Flammable gas sensor",
    12335: "Temperature and humidity sensor",
    23701: "Plug",
    43902: "Soundbox",
    45772: "Light",
    47446: "Power strip",
    68574: "Voltage sensor",
}
SELF_MADE: Final = "Self-made device"
