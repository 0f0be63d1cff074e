"""The keys and one-time tokens of the cloud: who may do what to which device."""

from collections.abc import Collection, Iterator
import secrets

from .models import Device, Key, KeyKind, Scope, Token, User
from .store_context import StoreContext

KEY_LIFETIME = 36_500 * 86_400
"""Keys of the later generation live 36,500 days (protocol.md §2.1)."""
TOKEN_LIFETIME = 600
"""One-time tokens live ten minutes (protocol.md §2.6)."""
OWN_KEY = "in process"
"""The name of the user key that the program has which embeds the cloud; no other can be named."""
MAX_TOKENS = 5
"""One-time tokens of a device that live at a time; the oldest goes first."""


class Keyring:
    """The tables of keys and of one-time tokens; every look-up is O(1)."""

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        self._context = context
        self.keys: dict[str, Key] = {}
        """Every key, by its token."""
        self.tokens: dict[str, Token] = {}
        """Every one-time token by its text, oldest first."""
        self.keys_by_id: dict[int, Key] = {}
        self.tokens_by_id: dict[int, Token] = {}
        self._of_user: dict[int, dict[int, Key]] = {}
        self._tokens_of: dict[int, dict[str, Token]] = {}
        self._masters: dict[int, Key] = {}
        self._owners: dict[int, Key] = {}
        self._on_device: dict[int, dict[str, Key]] = {}
        self._held_by: dict[int, dict[int, Key]] = {}

    def key(self, token: str) -> Key | None:
        """Return the live key of this text."""
        key = self.keys.get(token)
        return key if key and self._works(key) else None

    def _works(self, key: Key) -> bool:
        return key.expired_at > self._context.clock()

    def by_id(self, number: int) -> Key | None:
        """Return the key of this id."""
        return self.keys_by_id.get(number)

    def concerning(self, user: User) -> Iterator[Key]:
        """Return the account's user keys, the keys it holds, and all keys to its own devices."""
        yield from self._of_user.get(user.id, {}).values()
        for key in self.held_by(user):
            if key.kind is KeyKind.OWNER:
                yield from self._on_device[key.device_id].values()
            else:
                yield key

    def master_key(self, device: Device) -> Key | None:
        """Return the device's master key, unless it was revoked."""
        return self._masters.get(device.id)

    def owner_key(self, device: Device) -> Key | None:
        """Return the owner's key of a device, where it has an owner."""
        return self._owners.get(device.id)

    def owner_key_of(self, device_id: int) -> Key | None:
        """Return the owner's key of the device of this id, where it has an owner."""
        return self._owners.get(device_id)

    def held_by(self, user: User) -> Collection[Key]:
        """Return the owner and shared keys that the account holds, one a device."""
        return self._held_by.get(user.id, {}).values()

    def held_for(self, user: User, device_id: int) -> Key | None:
        """Return the key that the account holds for a device."""
        return self._held_by.get(user.id, {}).get(device_id)

    def count_user_keys(self, user: User) -> int:
        """Return how many user keys the account has that work."""
        return sum(map(self._works, self._of_user.get(user.id, {}).values()))

    def holders(self, device: Device) -> set[int]:
        """Return the ids of the accounts that hold a key to the device."""
        keys = self._on_device.get(device.id, {}).values()
        return {
            key.authorized_user_id for key in keys if key.kind is not KeyKind.MASTER
        }

    def count_guests(self, device: Device) -> int:
        """Return how many accounts hold a shared key to the device."""
        keys = self._on_device.get(device.id, {}).values()
        return sum(key.kind is KeyKind.SHARED for key in keys)

    def add_user_key(
        self, user: User, name: str = "", lifetime: int = KEY_LIFETIME
    ) -> Key:
        """Make a user key that works for `lifetime` seconds, in place of those that do no more."""
        for old in list(self._of_user.get(user.id, {}).values()):
            if not self._works(old):
                self.remove(old)
        key = self._key(name, Scope.USER, user)
        key.expired_at = key.created + lifetime
        return self._add(key)

    def own_key(self, user: User) -> Key | None:
        """Return the account's user key for calls within the process, where it has one."""
        for key in self._of_user.get(user.id, {}).values():
            if key.name == OWN_KEY:
                return self.key(key.token)
        return None

    def add_own_key(self, user: User) -> Key:
        """Make the account's user key for calls within the process."""
        return self._add(self._key(OWN_KEY, Scope.USER, user))

    def add_master_key(
        self, device: Device, token: str = "", *, creator_id: int = 0
    ) -> Key:
        """Make the master key of a device, with a text that no key has yet or a new one.

        `creator_id` is the account that made the device, where one did.
        """
        key = self._device_key("master", device, is_master_key=1)
        key.user_id = creator_id
        key.token = token or key.token
        device.key_id = key.id
        return self._add(key)

    def set_owner(self, device: Device, user: User) -> Key:
        """Make the account the owner of a device and return its new owner key.

        The previous owner key is revoked (protocol.md §2.6, revoke_prekeys_if_ownerkey). Where the
        owner is another account now, so are the keys that the previous one shared: what the former
        owner granted should not outlive a sale (our reading).
        """
        former = self._owners.get(device.id)
        owner_changes = former is None or former.authorized_user_id != user.id
        if owner_changes:
            self._forget_tokens(device, is_owner_key=0)
        for key in list(self._on_device.get(device.id, {}).values()):
            if key.kind is KeyKind.OWNER or (
                key.kind is KeyKind.SHARED
                and (owner_changes or key.authorized_user_id == user.id)
            ):
                self.remove(key)
        return self._add(self._device_key("owner", device, user, is_owner_key=1))

    def share_with(self, device: Device, user: User, name: str) -> Key:
        """Return the account's key to a device; who has one already, keeps that."""
        held = self.held_for(user, device.id)
        return held or self._add(self._device_key(name, device, user))

    def admit(self, token: Token, device: Device, user: User) -> Key | None:
        """Return the key that a share token gives the account, None where it gives none.

        A token admits one guest. It does so once: a guest who asks again because the answer was
        lost gets the same key, one whose key was revoked gets no other. Who has a key to the device
        anyway, such as the owner who tries it out, keeps that, and does not use the token up.
        """
        held = self.held_for(user, device.id)
        if held is not None or token.used_by:
            return held
        token.used_by = user.id
        self._context.changed(token)
        return self.share_with(device, user, token.name)

    def remove(self, key: Key) -> None:
        """Revoke a key."""
        self.take_out(key)
        self._context.removed(key)

    def remove_all(self, device: Device) -> None:
        """Revoke all keys to a device, whoever holds them, and forget its one-time tokens."""
        for key in list(self._on_device.get(device.id, {}).values()):
            self.remove(key)
        for token in list(self._tokens_of.get(device.id, {}).values()):
            self._forget_token(token)

    def take_out(self, key: Key) -> None:
        """Take a key out of the table and its indexes."""
        del self.keys[key.token]
        del self.keys_by_id[key.id]
        if key.scope == Scope.USER:
            del self._of_user[key.user_id][key.id]
        else:
            del self._on_device[key.device_id][key.token]
            if key.kind is KeyKind.MASTER:
                del self._masters[key.device_id]
            else:
                if key.kind is KeyKind.OWNER:
                    del self._owners[key.device_id]
                del self._held_by[key.authorized_user_id][key.device_id]

    def renew(self, key: Key) -> None:
        """Give a device's key another text: whoever knows the old one has no key any more."""
        del self.keys[key.token]
        del self._on_device[key.device_id][key.token]
        key.token = secrets.token_hex(20)
        key.updated = self._context.now()
        self._add(key)

    def renew_master_key(self, device: Device) -> Key:
        """Replace the master key; one-time tokens that were made with the old one go, too."""
        self._forget_tokens(device, is_owner_key=1)
        key = self.master_key(device)
        if key is None:
            owner = self._owners.get(device.id)
            return self.add_master_key(device, creator_id=owner.user_id if owner else 0)
        self.renew(key)
        return key

    def end_with_password(self, user: User, *, keep_devices: bool) -> None:
        """End what somebody may have who knew the password that was just replaced.

        User keys are gone, but for the one that nobody gets who signs in. An owner or shared key that the account holds gets another text, for the
        lists of devices showed it; with `keep_devices` those stay that are marked to be kept, since
        scripts rely on them. What the account has shared stays: those are other people's keys.
        """
        for key in list(self._of_user.get(user.id, {}).values()):
            if key.name != OWN_KEY:
                self.remove(key)
        for key in list(self.held_by(user)):
            if not (keep_devices and key.keep):
                self.renew(key)

    def put(self, key: Key) -> None:
        """Enter a key, new or from the database, into the table and its indexes."""
        self.keys[key.token] = key
        self.keys_by_id[key.id] = key
        if key.scope == Scope.USER:
            self._of_user.setdefault(key.user_id, {})[key.id] = key
            return
        self._on_device.setdefault(key.device_id, {})[key.token] = key
        if key.kind is KeyKind.MASTER:
            self._masters[key.device_id] = key
            return
        if key.kind is KeyKind.OWNER:
            self._owners[key.device_id] = key
        self._held_by.setdefault(key.authorized_user_id, {})[key.device_id] = key

    def token(self, text: str) -> Token | None:
        """Return the live one-time token of this text."""
        self._drop_old_tokens()
        token = self.tokens.get(text)
        # Where the clock was set back, an old one may stand behind a younger one.
        return (
            token if token and token.token_expired_at > self._context.clock() else None
        )

    def add_token(
        self,
        device: Device,
        text: str,
        name: str,
        *,
        is_owner_key: int,
        creator_id: int = 0,
    ) -> Token:
        """Make a one-time token, in the name of the account of this id.

        The cloud checks no text and echoes any (protocol.md §2.6). A blank one is not kept, though:
        it would hand the device to the next stranger who presents nothing.
        """
        self._drop_old_tokens()
        now = self._context.now()
        token = Token(
            id=self._context.next_id("tokens"),
            created=now,
            updated=now,
            name=name,
            user_id=creator_id,
            product_id=device.product_id,
            device_id=device.id,
            token=text,
            is_owner_key=is_owner_key,
            expired_at=now + KEY_LIFETIME,
            token_expired_at=now + TOKEN_LIFETIME,
            revoke_prekeys_if_ownerkey=is_owner_key,
        )
        if text.strip():
            if text in self.tokens:
                self._forget_token(self.tokens[text])
            self.put_token(token)
            self._context.changed(token)
            while len(self._tokens_of[device.id]) > MAX_TOKENS:
                self._forget_token(next(iter(self._tokens_of[device.id].values())))
        return token

    def put_token(self, token: Token) -> None:
        """Enter a one-time token, new or from the database."""
        self.tokens[token.token] = token
        self.tokens_by_id[token.id] = token
        self._tokens_of.setdefault(token.device_id, {})[token.token] = token

    def _forget_tokens(self, device: Device, *, is_owner_key: int) -> None:
        """Forget the device's tokens of this kind."""
        for token in list(self._tokens_of.get(device.id, {}).values()):
            if token.is_owner_key == is_owner_key:
                self._forget_token(token)

    def take_out_token(self, token: Token) -> None:
        """Take a one-time token out of the table and its indexes."""
        del self.tokens[token.token]
        del self.tokens_by_id[token.id]
        del self._tokens_of[token.device_id][token.token]

    def _forget_token(self, token: Token) -> None:
        self.take_out_token(token)
        self._context.removed(token)

    def _drop_old_tokens(self) -> None:
        """Forget tokens past their time: all live equally long, so the oldest are in front."""
        now = self._context.clock()
        while self.tokens:
            oldest = next(iter(self.tokens))
            if self.tokens[oldest].token_expired_at > now:
                return
            self._forget_token(self.tokens[oldest])

    def _add(self, key: Key) -> Key:
        self.put(key)
        self._context.changed(key)
        return key

    def _device_key(
        self,
        name: str,
        device: Device,
        user: User | None = None,
        *,
        is_master_key: int = 0,
        is_owner_key: int = 0,
    ) -> Key:
        key = self._key(name, Scope.DEVICE, user)
        key.authorized_user_id = key.user_id
        key.product_id = device.product_id
        key.device_id = device.id
        key.activate_status = device.activate_status
        key.is_master_key = is_master_key
        key.is_owner_key = is_owner_key
        return key

    def _key(self, name: str, scope: Scope, user: User | None) -> Key:
        now = self._context.now()
        return Key(
            id=self._context.next_id("keys"),
            created=now,
            updated=now,
            name=name,
            scope=scope,
            user_id=user.id if user else 0,
            token=secrets.token_hex(20),
            activate_status=1,
            expired_at=now + KEY_LIFETIME,
        )
