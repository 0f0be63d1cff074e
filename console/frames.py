"""The frames of a device's session, for people to paste (protocol.md §3.2, §3.3, §3.5, §3.8).

`key` is what stands for the master device key, or the key itself.
"""

from local_cloud.wire import JsonObject


def activate(key: str, nonce: int, token: str) -> JsonObject:
    """Say once that the device is there; with `token` an account becomes its owner."""
    return _request(
        key,
        nonce,
        "POST",
        "/v1/device/activate/",
        {
            "encrypt_method": "PLAIN",
            "token": token,
            "bssid": "18:fe:34:00:00:01",
            "rom_version": "v1.0.0",
        },
    )


def identify(key: str, nonce: int) -> JsonObject:
    """Say after each connecting who this is."""
    return _request(key, nonce, "GET", "/v1/device/identify")


def datapoint(key: str, nonce: int, stream: str, point: JsonObject) -> JsonObject:
    """Store a datapoint."""
    path = f"/v1/datastreams/{stream}/datapoint/"
    return _request(key, nonce, "POST", path, {"datapoint": point})


def ping(key: str, nonce: int) -> JsonObject:
    """Say that the device is still there."""
    return _request(key, nonce, "POST", "/v1/ping/")


def answer(nonce: int) -> JsonObject:
    """Answer the command that has this nonce."""
    return {"status": 200, "nonce": nonce, "deliver_to_device": True}


def _request(
    key: str, nonce: int, method: str, path: str, body: JsonObject | None = None
) -> JsonObject:
    return {
        "nonce": nonce,
        "path": path,
        "method": method,
        **({} if body is None else {"body": body}),
        "meta": {"Authorization": f"token {key}"},
    }
