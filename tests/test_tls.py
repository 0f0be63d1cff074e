"""TLS on both ports, for real: who is let in, and what stays untouched."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
import socket
import ssl
import threading
from typing import Any
import warnings

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import ssl as ssl_util

from .cloud.certificates import Certificates
from .common import account_entry, account_input, server_data, wait_for_state
from .credentials import EMAIL, PASSWORD
from .dialogs.steps import ACTIONS, add_account, device_key_form, sign_in, submit_device

type ServerContext = Callable[[Certificates], ssl.SSLContext]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make an authority."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def shared_context(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ssl.SSLContext]:
    """Let Home Assistant trust the authority as it would a public one."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority_file()))
    ssl_util._client_context.cache_clear()
    yield ssl_util.client_context()
    monkeypatch.undo()
    ssl_util._client_context.cache_clear()
    for cipher in ssl_util.SSLCipherList:
        for protocols in ssl_util._SSL_ALPN_PROTOCOLS:
            ssl_util._client_context(cipher, protocols)


def settings(context: ssl.SSLContext) -> dict[str, Any]:
    """Return all that could be changed of a context."""
    return {
        "verify_mode": context.verify_mode,
        "check_hostname": context.check_hostname,
        "options": context.options,
        "minimum_version": context.minimum_version,
        "maximum_version": context.maximum_version,
        "ciphers": context.get_ciphers(),
        "authorities": context.cert_store_stats(),
    }


@asynccontextmanager
async def tls_cloud(
    context: ssl.SSLContext,
) -> AsyncGenerator[tuple[LocalCloud, Device]]:
    """Run a cloud with TLS on both ports, with an account and a device."""
    cloud = LocalCloud(ssl_context=context)
    await cloud.start()
    user = await cloud.add_account(EMAIL, PASSWORD)
    yield cloud, cloud.add_device("Desk lamp", user)
    await cloud.close()


@contextmanager
def old_server(certificates: Certificates) -> Iterator[int]:
    """Run a server that speaks nothing newer than TLS 1.1, and yield its port.

    In a thread of its own: asyncio would report each failed handshake as an error.
    """
    context = certificates.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Python warns of what this test is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client, suppress(ssl.SSLError, OSError):
                    context.wrap_socket(client, server_side=True).close()

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


REFUSED: dict[str, ServerContext] = {
    "expired": lambda it: it.server(expired=True),
    "wrong name": lambda it: it.server("127.0.0.9"),
    "self-signed": Certificates.self_signed_server,
}


async def test_valid_certificate(
    hass: HomeAssistant, certificates: Certificates, shared_context: ssl.SSLContext
) -> None:
    """Both ports over TLS; the context that all of Home Assistant shares stays as it was."""
    before = settings(shared_context)
    async with tls_cloud(certificates.server()) as (cloud, device):
        result = await add_account(
            hass, cloud, cloud.master_key(device), server={"ssl": True}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await wait_for_state(hass, "light.desk_lamp", "unknown")
        await hass.services.async_call(
            "light", "turn_on", {"entity_id": "light.desk_lamp"}, blocking=True
        )
        await wait_for_state(hass, "light.desk_lamp", "on")
        endpoint = result["result"].runtime_data.account.server.endpoint()
        assert endpoint.ssl_context is shared_context
        await hass.config_entries.async_unload(result["result"].entry_id)
    assert ssl_util.client_context() is shared_context
    assert settings(shared_context) == before


@pytest.mark.usefixtures("shared_context")
@pytest.mark.parametrize("make_context", REFUSED.values(), ids=REFUSED)
async def test_http_api_is_refused(
    hass: HomeAssistant, certificates: Certificates, make_context: ServerContext
) -> None:
    """The password does not leave for a server that cannot prove who it is."""
    async with tls_cloud(make_context(certificates)) as (cloud, _):
        keys = set(cloud.store.keyring.keys)
        form = await sign_in(hass, account_input(cloud, server={"ssl": True}))
        assert form["errors"] == {"server": "untrusted_certificate"}
        assert set(cloud.store.keyring.keys) == keys


@pytest.mark.usefixtures("shared_context")
@pytest.mark.parametrize("make_context", REFUSED.values(), ids=REFUSED)
async def test_device_port_is_refused(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    certificates: Certificates,
    make_context: ServerContext,
) -> None:
    """Nor does the master key: the HTTP server is fine, the device port is not."""
    async with tls_cloud(make_context(certificates)) as (other, _):
        server = {"ssl": True, "port": other.device_port}
        form = await sign_in(hass, account_input(cloud, server=server))
        assert form["errors"] == {"server": "untrusted_certificate"}


async def test_device_port_is_refused_when_the_account_is_changed(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    certificates: Certificates,
) -> None:
    """The reconfigure dialog, too, says that it is the certificate."""
    entry = await account_entry(hass, cloud, user.id, device)
    async with tls_cloud(certificates.self_signed_server()) as (other, _):
        form = await entry.start_reconfigure_flow(hass)
        form = await hass.config_entries.flow.async_configure(
            form["flow_id"],
            {
                "email": EMAIL,
                "server": server_data(cloud) | {"port": other.device_port, "ssl": True},
            },
        )
        assert form["errors"] == {"server": "untrusted_certificate"}


async def test_device_port_is_refused_when_a_device_is_added(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    certificates: Certificates,
) -> None:
    """A certificate that has expired since the account was set up gets no key."""
    entry = await account_entry(hass, cloud, user.id)
    async with tls_cloud(certificates.server(expired=True)) as (other, _):
        server = {"port": other.device_port, "ssl": True}
        hass.config_entries.async_update_entry(entry, data={**entry.data, **server})
        form = await device_key_form(hass, entry.entry_id)
        form = await submit_device(
            hass, form, {"device_key": cloud.master_key(device), **ACTIONS}
        )
        assert form["errors"] == {"base": "untrusted_certificate"}


@pytest.mark.usefixtures("shared_context")
async def test_protocol_downgrade(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    certificates: Certificates,
) -> None:
    """A trusted certificate does not help a server that speaks an old protocol."""
    with old_server(certificates) as port:
        server = {"ssl": True, "url": f"https://127.0.0.1:{port}"}
        form = await sign_in(hass, account_input(cloud, server=server))
        assert form["errors"] == {"server": "no_tls"}
        server = {"ssl": True, "port": port}
        form = await sign_in(hass, account_input(cloud, server=server))
        assert form["errors"] == {"server": "cannot_connect_device_port"}


async def test_self_signed_where_verification_is_off(
    hass: HomeAssistant, certificates: Certificates
) -> None:
    """A server of one's own may be self-signed, if its owner says so."""
    verifying = settings(ssl_util.client_context())
    trusting_all = settings(ssl_util.client_context_no_verify())
    async with tls_cloud(certificates.self_signed_server()) as (cloud, device):
        result = await add_account(
            hass,
            cloud,
            cloud.master_key(device),
            server={"ssl": True, "verify_ssl": False},
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await wait_for_state(hass, "light.desk_lamp", "unknown")
        await hass.services.async_call(
            "light", "turn_on", {"entity_id": "light.desk_lamp"}, blocking=True
        )
        await hass.config_entries.async_unload(result["result"].entry_id)
    assert settings(ssl_util.client_context()) == verifying
    assert settings(ssl_util.client_context_no_verify()) == trusting_all
