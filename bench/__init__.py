"""The benchmark: espcloud beside what else a person could run, measured in one go.

`rows` holds one file per measured row. What they measure are processes of their own:
Home Assistants (`instances`), those who talk to them (`traffic`), local clouds and an MQTT
broker. The processes are told what to do, and tell what they measured, as lines of JSON
(`child.py` on this side, `answering.py` on theirs).
"""
