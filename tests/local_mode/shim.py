from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.operator_calls import Operator
import secrets

add = LocalCloud.add_account


async def add_account(self, e, p):
    return await add(self, e, p or secrets.token_hex(9))


LocalCloud.add_account = add_account


def user_key(self, user):
    for key in self.store.keyring.keys.values():
        if key.user_id == user.id and key.kind.name == "USER":
            return key.token
    return self.store.keyring.add_user_key(user).token


LocalCloud.user_key = user_key


def set_email(self, user, e):
    user.email = e


LocalCloud.set_email = set_email
LocalCloud.remove_device = lambda self, d: self.revoke_key(self.master_key(d))
