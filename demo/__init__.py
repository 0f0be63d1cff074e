"""The demo: a real Home Assistant beside a local Espressif cloud.

It is a stranger to both: it starts them as processes and uses only the ports that
anyone can use, which are command lines, HTTP and the websocket.
"""
