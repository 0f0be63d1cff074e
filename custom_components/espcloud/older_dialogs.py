"""Dialogs that somebody left open: Home Assistant keeps them until it restarts."""

from typing import Any

from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowHandler, FlowManager


@callback
def async_end_older_dialogs(
    manager: FlowManager[Any, Any, Any], flow: FlowHandler[Any, Any, Any]
) -> None:
    """End those that change the same thing, perhaps in a browser tab long closed.

    While one is there, Home Assistant would not ask to sign in again.
    """
    for each in manager.async_progress_by_handler(
        flow.handler, match_context=dict(flow.context)
    ):
        # A browser that opens this dialog by its id asks for its first step again.
        if each["flow_id"] != flow.flow_id:
            manager.async_abort(each["flow_id"])
