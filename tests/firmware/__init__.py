"""Espressif's firmware, simulated: the third reading of the protocol, beside client and server.

Written from the protocol's description, and from nothing in `local_cloud` or `espcloud`, so that a
misreading there shows here. `parser` is how firmware reads; `plug`, `light` … are what it is;
`connection` is how it keeps its connection; `upgrade` how it fetches another `image`.
"""
