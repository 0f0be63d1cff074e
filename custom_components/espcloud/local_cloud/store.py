"""Everything the cloud remembers, in memory; every look-up is O(1)."""

from collections.abc import Collection
import secrets

from .keyring import Keyring
from .models import DatastreamTmpl, Device, DeviceGroup, Product, Timer, User
from .roms import Model, Roms
from .store_context import StoreContext
from .streams import Streams
from .times import DEFAULT_ZONE
from .wire import JsonObject


class Store:
    """The cloud's tables.

    The methods note their change for the state file; who changes a record's fields calls
    `context.changed(record)`. A `put_…` enters a record, new or from the state file, into its indexes.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.context = StoreContext()
        self.keyring = Keyring(self.context)
        self.streams = Streams(self.context)
        self.roms = Roms(self.context)
        self.users: dict[int, User] = {}
        self.products: dict[int, Product] = {}
        self.devices: dict[int, Device] = {}
        self.templates: dict[int, DatastreamTmpl] = {}
        self.groups: dict[int, DeviceGroup] = {}
        self.timers: dict[int, Timer] = {}
        self._users_by_email: dict[str, User] = {}
        self._users_by_name: dict[str, User] = {}
        self._products_of: dict[int, dict[int, Product]] = {}
        self._templates_of: dict[int, dict[int, DatastreamTmpl]] = {}
        self._devices_of: dict[int, dict[int, Device]] = {}
        self._groups_of: dict[int, dict[int, DeviceGroup]] = {}
        self._timers_of: dict[int, dict[int, Timer]] = {}

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
        self.put_user(user)
        self.context.changed(user)
        return user

    def put_user(self, user: User) -> None:
        """Enter an account."""
        self.users[user.id] = user
        self._users_by_email[user.email.casefold()] = user
        self._users_by_name[user.username.casefold()] = user

    def products_of(self, user: User) -> Collection[Product]:
        """Return the products that the account made."""
        return self._products_of.get(user.id, {}).values()

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
        self.put_product(product)
        self.context.changed(product)
        return product

    def put_product(self, product: Product) -> None:
        """Enter a product."""
        self.products[product.id] = product
        self._products_of.setdefault(product.user_id, {})[product.id] = product

    def templates_of(self, product_id: int) -> dict[int, DatastreamTmpl]:
        """Return the datastream templates of a product by id."""
        return self._templates_of.get(product_id, {})

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
        self.put_template(template)
        self.context.changed(template)
        return template

    def put_template(self, template: DatastreamTmpl) -> None:
        """Enter a datastream template."""
        self.templates[template.id] = template
        of_product = self._templates_of.setdefault(template.product_id, {})
        of_product[template.id] = template

    def remove_template(self, template: DatastreamTmpl) -> None:
        """Remove a datastream template; what was stored in the datastream stays."""
        del self.templates[template.id]
        del self._templates_of[template.product_id][template.id]
        self.context.removed(template)

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
        self.put_device(device)
        self.context.changed(device)
        creator_id = product.user_id if product else creator.id if creator else 0
        self.keyring.add_master_key(device, master_key, creator_id=creator_id)
        return device

    def put_device(self, device: Device) -> None:
        """Enter a device."""
        device.latest_rom_version = self.roms.latest(Model.of(device))
        self.devices[device.id] = device
        self._devices_of.setdefault(device.product_id, {})[device.id] = device

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
        return self._groups_of.get(user.id, {})

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
        self.put_group(group)
        self.context.changed(group)
        return group

    def put_group(self, group: DeviceGroup) -> None:
        """Enter a group."""
        self.groups[group.id] = group
        self._groups_of.setdefault(group.user_id, {})[group.id] = group

    def remove_group(self, group: DeviceGroup) -> None:
        """Remove a group; its devices stay."""
        del self.groups[group.id]
        del self._groups_of[group.user_id][group.id]
        self.context.removed(group)

    def timers_of(self, device: Device) -> dict[int, Timer]:
        """Return the device's timers by id."""
        return self._timers_of.get(device.id, {})

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
        self.put_timer(timer)
        self.context.changed(timer)
        return timer

    def put_timer(self, timer: Timer) -> None:
        """Enter a timer."""
        self.timers[timer.id] = timer
        self._timers_of.setdefault(timer.device_id, {})[timer.id] = timer

    def remove_timer(self, timer: Timer) -> None:
        """Remove a timer."""
        del self.timers[timer.id]
        del self._timers_of[timer.device_id][timer.id]
        self.context.removed(timer)
