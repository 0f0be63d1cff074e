"""What a device is: datapoints and actions to a frozen state and back.

Pure: no Home Assistant, no input or output. Each file is one kind; `catalog` tells which
kind a device is. The facts are in docs/protocol.md, §4 and §10.
"""
