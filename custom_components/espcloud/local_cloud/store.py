"""Everything the cloud remembers, in memory; every look-up is O(1)."""

from collections.abc import Collection, Mapping
import secrets
from typing import Any

from .account_tokens import AccountToken, AccountTokens
from .debug_reports import DebugReport, DebugReports
from .keyring import Keyring
from .models import (
    Datastream,
    DatastreamTmpl,
    Device,
    DeviceGroup,
    Key,
    Product,
    Record,
    RomFile,
    Timer,
    Token,
    User,
)
from .record_table import RecordTable
from .roms import Model, Roms
from .store_context import StoreContext
from .streams import Streams
from .times import DEFAULT_ZONE
from .triggers import Trigger, Triggers
from .wire import JsonObject


class Store:
    """The cloud's tables.

    The methods note their change for the database; who changes a record's fields calls
    `context.changed(record)`. `put` enters a record, new or from the database, into its table and
    indexes, and `take_out` takes it out of them; neither is a change by itself.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.context = StoreContext()
        self.keyring = Keyring(self.context)
        self.streams = Streams(self.context)
        self.roms = Roms(self.context)
        self.account_tokens = AccountTokens(self.context)
        self.triggers = Triggers(self.context)
        self.debugs = DebugReports(self.context)
        self._products = RecordTable[Product](lambda each: each.user_id)
        self._templates = RecordTable[DatastreamTmpl](lambda each: each.product_id)
        self._groups = RecordTable[DeviceGroup](lambda each: each.user_id)
        self._timers = RecordTable[Timer](lambda each: each.device_id)
        self.products = self._products.records
        self.templates = self._templates.records
        self.groups = self._groups.records
        self.timers = self._timers.records
        self._tables: dict[type[Record], RecordTable[Any]] = {
            Product: self._products,
            DatastreamTmpl: self._templates,
            DeviceGroup: self._groups,
            Timer: self._timers,
            AccountToken: self.account_tokens,
            Trigger: self.triggers,
            DebugReport: self.debugs,
        }
        self.users: dict[int, User] = {}
        self.devices: dict[int, Device] = {}
        self._users_by_email: dict[str, User] = {}
        self._users_by_name: dict[str, User] = {}
        self._devices_of: dict[int, dict[int, Device]] = {}

    def table(self, kind: type[Record]) -> Mapping[int, Record]:
        """Return all records of a type by their ids."""
        tables: dict[type[Record], Mapping[int, Record]] = {
            User: self.users,
            RomFile: self.roms.files,
            Device: self.devices,
            Key: self.keyring.keys_by_id,
            Token: self.keyring.tokens_by_id,
            Datastream: self.streams.streams,
            **{kind: table.records for kind, table in self._tables.items()},
        }
        return tables[kind]

    def put(self, record: Record) -> None:
        """Enter a record."""
        match record:
            case User():
                self.users[record.id] = record
                self._users_by_email[record.email.casefold()] = record
                self._users_by_name[record.username.casefold()] = record
            case RomFile():
                self.roms.put(record)
            case Device():
                record.latest_rom_version = self.roms.latest(Model.of(record))
                self.devices[record.id] = record
                _enter(self._devices_of, record.product_id, record)
            case Key():
                self.keyring.put(record)
            case Token():
                self.keyring.put_token(record)
            case Datastream():
                self.streams.put(record)
            case _:
                self._tables[type(record)].put(record)

    def take_out(self, record: Record) -> None:
        """Take a record out."""
        match record:
            case User():
                del self.users[record.id]
                del self._users_by_email[record.email.casefold()]
                del self._users_by_name[record.username.casefold()]
            case RomFile():
                self.roms.take_out(record)
            case Device():
                del self.devices[record.id]
                del self._devices_of[record.product_id][record.id]
            case Key():
                self.keyring.take_out(record)
            case Token():
                self.keyring.take_out_token(record)
            case Datastream():
                self.streams.take_out(record)
            case _:
                self._tables[type(record)].take_out(record)

    def user_by_email(self, email: str) -> User | None:
        """Find an account; upper and lower case are alike."""
        return self._users_by_email.get(email.strip().casefold())

    def user_by_name(self, username: str) -> User | None:
        """Find an account by its user name; upper and lower case are alike."""
        return self._users_by_name.get(username.strip().casefold())

    def add_user(self, email: str, username: str, password_hash: str) -> User:
        """Add an account; the caller has seen that neither name is taken."""
        now = self.context.now()
        user = User(
            id=self.context.next_id("users"),
            created=now,
            updated=now,
            username=username.strip(),
            email=email.strip(),
            password_hash=password_hash,
        )
        self._add(user)
        return user

    def products_of(self, user: User) -> Collection[Product]:
        """Return the products that the account made."""
        return self._products.of(user.id).values()

    def add_product(
        self, user: User, name: str, ptype: int, is_private: int
    ) -> Product:
        """Add a product."""
        now = self.context.now()
        product = Product(
            id=self.context.next_id("products"),
            created=now,
            updated=now,
            name=name,
            serial=secrets.token_hex(4),
            ptype=ptype,
            is_private=is_private,
            user_id=user.id,
        )
        self._add(product)
        return product

    def templates_of(self, product_id: int) -> dict[int, DatastreamTmpl]:
        """Return the datastream templates of a product by id."""
        return self._templates.of(product_id)

    def add_template(
        self,
        product: Product,
        name: str,
        dimension: int,
        *,
        description: str = "",
        tags: str = "",
        unit: str = "",
        symbol: str = "",
    ) -> DatastreamTmpl:
        """Add a datastream template."""
        now = self.context.now()
        template = DatastreamTmpl(
            id=self.context.next_id("templates"),
            created=now,
            updated=now,
            product_id=product.id,
            name=name,
            description=description,
            dimension=dimension,
            tags=tags,
            unit=unit,
            symbol=symbol,
        )
        self._add(template)
        return template

    def remove_template(self, template: DatastreamTmpl) -> None:
        """Remove a datastream template; what was stored in the datastream stays."""
        self.take_out(template)
        self.context.removed(template)

    def made_by(self, user: User) -> list[Device]:
        """Return the devices of the account's products."""
        return [
            device
            for product in self.products_of(user)
            for device in self.devices_of(product)
        ]

    def owned_by(self, user: User) -> list[Device]:
        """Return the devices to which the account holds the owner key."""
        held = self.keyring.held_by(user)
        return [self.devices[key.device_id] for key in held if key.is_owner_key]

    def devices_of(self, product: Product) -> Collection[Device]:
        """Return the devices of a product."""
        return self._devices_of.get(product.id, {}).values()

    def add_device(
        self,
        name: str,
        ptype: int,
        *,
        serial: str = "",
        product: Product | None = None,
        master_key: str = "",
        creator: User | None = None,
    ) -> Device:
        """Add a device with its master key; one without a name gets the kind that apps replace.

        Where it is of no product, `creator` is the account that made it.
        """
        now = self.context.now()
        serial = serial or secrets.token_hex(4)
        device = Device(
            id=self.context.next_id("devices"),
            created=now,
            updated=now,
            ptype=ptype,
            product_id=product.id if product else 0,
            name=name or f"device-name-{serial}",
            serial=serial,
            is_private=product.is_private if product else 1,
        )
        self._add(device)
        creator_id = product.user_id if product else creator.id if creator else 0
        self.keyring.add_master_key(device, master_key, creator_id=creator_id)
        return device

    def set_ptype(self, device: Device, ptype: int) -> None:
        """Make a device one of another kind."""
        device.ptype = ptype
        device.latest_rom_version = self.roms.latest(Model.of(device))
        device.updated = self.context.now()
        self.context.changed(device)

    def add_firmware(
        self, user: User, model: Model, version: str, files: dict[str, bytes]
    ) -> None:
        """Add a firmware version with its files by their names, and offer it to its devices."""
        self.roms.add(user, model, version, files)
        self._offer_latest(model)

    def remove_firmware(self, model: Model, version: str) -> None:
        """Remove a firmware version. Raises ApiError 404 where there is none."""
        self.roms.remove(model, version)
        self._offer_latest(model)

    def _offer_latest(self, model: Model) -> None:
        latest = self.roms.latest(model)
        for device in self._devices_of.get(model.product_id, {}).values():
            if device.ptype == model.ptype and device.latest_rom_version != latest:
                device.latest_rom_version = latest
                self.context.changed(device)

    def groups_of(self, user: User) -> dict[int, DeviceGroup]:
        """Return the account's groups by id."""
        return self._groups.of(user.id)

    def add_group(self, user: User, name: str, desc: str) -> DeviceGroup:
        """Add an empty group."""
        now = self.context.now()
        group = DeviceGroup(
            id=self.context.next_id("groups"),
            created=now,
            updated=now,
            name=name,
            desc=desc,
            user_id=user.id,
        )
        self._add(group)
        return group

    def remove_group(self, group: DeviceGroup) -> None:
        """Remove a group; its devices stay."""
        self.take_out(group)
        self.context.removed(group)

    def timers_of(self, device: Device) -> dict[int, Timer]:
        """Return the device's timers by id."""
        return self._timers.of(device.id)

    def add_timer(
        self, device: Device, plan: JsonObject, zone: str = DEFAULT_ZONE
    ) -> Timer:
        """Add a timer with a plan whose times are in `zone`."""
        now = self.context.now()
        timer = Timer(
            id=self.context.next_id("timers"),
            created=now,
            updated=now,
            device_id=device.id,
            plan=plan,
            zone=zone,
        )
        self._add(timer)
        return timer

    def remove_timer(self, timer: Timer) -> None:
        """Remove a timer."""
        self.take_out(timer)
        self.context.removed(timer)

    def _add(self, record: Record) -> None:
        self.put(record)
        self.context.changed(record)


def _enter[R: Record](index: dict[int, dict[int, R]], number: int, record: R) -> None:
    index.setdefault(number, {})[record.id] = record
