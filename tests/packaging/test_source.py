"""The reader of the source: what it cannot follow must not pass for nothing."""

import ast
from pathlib import Path

import pytest

from .flows import Form, flow_classes, read_flow
from .source import Source, UnreadableError, keyword

MODULE = """
from homeassistant.const import CONF_EMAIL
from enum import StrEnum

A_KEY: Final = "constant"
BY_KIND = {1: "first", 2: "second"}

class Kind(StrEnum):
    MEMBER = "member"

class Refused(Exception):
    def __init__(self, field, key, hint="no_hint"):
        self.key = key
        self.hint = hint

@dataclass
class Description:
    name: str
    wanted: str

Description("a name", "given_by_place")
Description(name="a name", wanted="given_by_name")

def key_of(err):
    match err:
        case 1:
            return "returned_first"
    return A_KEY

def pass_on(reason):
    use(passed=reason)

pass_on("passed_by_place")
pass_on(reason="passed_by_name")

def uses(err, description):
    local = "local_one"
    use(plain="plain", constant=A_KEY, imported=CONF_EMAIL, member=Kind.MEMBER)
    use(either="yes" if err else "no", table=BY_KIND[err], called=key_of(err))
    use(local=local, attribute=err.key, hint=err.hint, field=description.wanted)
    use(computed=f"{err}_key", unknown=err, method=err.lower())

class OneFlow(ConfigFlow, domain="x"):
    async def async_step_user(self, user_input=None):
        errors = {}
        try:
            helper()
        except Refused as err:
            errors["base"] = err.key
        return self.async_show_form(step_id="user", errors=errors)

class OtherFlow(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        try:
            raise Refused("base", "of_the_other")
        except Refused as err:
            return self.async_show_form(step_id="user", errors={"base": err.key})

class FormFlow(OptionsFlow):
    async def async_step_user(self, user_input=None):
        return self.async_show_form(step_id="user", data_schema=form(offer=True))

MORE = {vol.Optional("by_unpacking"): str}

def offered(offer):
    return {vol.Required("by_function"): bool} if offer else {}

def form(offer):
    inner = vol.Schema({vol.Required("inner"): str})
    return vol.Schema({
        vol.Required("plain"): str,
        **MORE,
        **offered(offer),
        vol.Required("more"): section(inner, {"collapsed": True}),
    })

def helper():
    raise Refused("base", key="of_the_one")
"""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Read a module with one of each."""
    (tmp_path / "module.py").write_text(MODULE)
    return Source(tmp_path)


def used(source: Source, name: str) -> ast.expr:
    """Return an argument that the module gives to `use`."""
    (value,) = (
        value
        for call in source.calls("use")
        if (value := keyword(call, name)) is not None
    )
    return value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("plain", {"plain"}),
        ("constant", {"constant"}),
        ("imported", {"email"}),
        ("member", {"member"}),
        ("either", {"yes", "no"}),
        ("table", {"first", "second"}),
        ("called", {"returned_first", "constant"}),
        ("local", {"local_one"}),
        ("passed", {"passed_by_place", "passed_by_name"}),
        ("attribute", {"of_the_one", "of_the_other"}),
        ("hint", {"no_hint"}),
        ("field", {"given_by_place", "given_by_name"}),
    ],
)
def test_values(source: Source, name: str, values: set[str]) -> None:
    """Every way in which a key reaches its use."""
    assert source.values(used(source, name)) == values


@pytest.mark.parametrize("name", ["computed", "unknown", "method"])
def test_what_cannot_be_followed_is_an_error(source: Source, name: str) -> None:
    """Silence would let a missing text pass."""
    with pytest.raises(UnreadableError, match=r"module\.py:\d+"):
        source.values(used(source, name))


def test_a_flow_has_the_errors_that_it_can_meet(source: Source) -> None:
    """Two flows share an exception, each with keys of its own."""
    (one,) = flow_classes(source, "ConfigFlow")
    (other,) = flow_classes(source, "ConfigSubentryFlow")
    assert read_flow(source, one).errors == {"of_the_one"}
    assert read_flow(source, other).errors == {"of_the_other"}


def test_a_form_has_the_fields_of_all_that_it_is_made_of(source: Source) -> None:
    """Through functions, unpacked dictionaries and sections."""
    (form_flow,) = flow_classes(source, "OptionsFlow")
    assert read_flow(source, form_flow).forms["user"] == Form(
        fields={"plain", "by_unpacking", "by_function"}, sections={"more": {"inner"}}
    )
