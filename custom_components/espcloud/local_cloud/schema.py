"""The tables of the database, and how older ones become like them."""

import sqlite3

APPLICATION_ID = 0x65737063
"""What stands in the file's header, "espc": SQLite's own mark of whose database a file is."""
VERSION = 4
"""The version of the tables below, which stands there as well."""

_RECORD = "id INTEGER PRIMARY KEY, created INTEGER NOT NULL, updated INTEGER NOT NULL, visibly INTEGER NOT NULL"

_ACCOUNT_TOKENS = f"""
CREATE TABLE account_tokens ({_RECORD},
    purpose TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, user_id INTEGER NOT NULL,
    note TEXT NOT NULL, token_expired_at INTEGER NOT NULL) STRICT;
"""

_TRIGGERS = f"""
CREATE TABLE triggers ({_RECORD},
    device_id INTEGER NOT NULL REFERENCES devices DEFERRABLE INITIALLY DEFERRED,
    user_id INTEGER NOT NULL, rule TEXT NOT NULL, is_met INTEGER NOT NULL) STRICT;
"""

_DEBUGS = f"""
CREATE TABLE debugs ({_RECORD},
    device_id INTEGER NOT NULL REFERENCES devices DEFERRABLE INITIALLY DEFERRED,
    entry TEXT NOT NULL) STRICT;
"""

TABLES = f"""
CREATE TABLE users ({_RECORD},
    username TEXT NOT NULL, email TEXT NOT NULL, password_hash TEXT NOT NULL) STRICT;
CREATE TABLE products ({_RECORD},
    name TEXT NOT NULL, description TEXT NOT NULL, serial TEXT NOT NULL, ptype INTEGER NOT NULL,
    is_private INTEGER NOT NULL, status INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED) STRICT;
CREATE TABLE templates ({_RECORD},
    product_id INTEGER NOT NULL REFERENCES products DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL, description TEXT NOT NULL, dimension INTEGER NOT NULL,
    tags TEXT NOT NULL, unit TEXT NOT NULL, symbol TEXT NOT NULL,
    stream_type INTEGER NOT NULL) STRICT;
CREATE TABLE rom_files ({_RECORD},
    product_id INTEGER NOT NULL, ptype INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED,
    version TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL) STRICT;
CREATE TABLE rom_contents (
    id INTEGER PRIMARY KEY REFERENCES rom_files ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    content BLOB NOT NULL) STRICT;
CREATE TABLE devices ({_RECORD},
    ptype INTEGER NOT NULL, product_id INTEGER NOT NULL, productbatch_id INTEGER NOT NULL,
    name TEXT NOT NULL, description TEXT NOT NULL, serial TEXT NOT NULL, bssid TEXT NOT NULL,
    is_private INTEGER NOT NULL, is_frozen INTEGER NOT NULL, status INTEGER NOT NULL,
    metadata TEXT NOT NULL, key_id INTEGER NOT NULL, location TEXT NOT NULL,
    last_push INTEGER NOT NULL, last_pull INTEGER NOT NULL, last_active INTEGER NOT NULL,
    last_activated_at INTEGER NOT NULL, activate_status INTEGER NOT NULL,
    activated_at INTEGER NOT NULL, rom_version TEXT NOT NULL,
    latest_rom_version TEXT NOT NULL) STRICT;
CREATE TABLE keys ({_RECORD},
    authorized_user_id INTEGER NOT NULL, name TEXT NOT NULL, scope INTEGER NOT NULL,
    user_id INTEGER NOT NULL, product_id INTEGER NOT NULL, device_id INTEGER NOT NULL,
    datastream_tmpl_id INTEGER NOT NULL, datastream_id INTEGER NOT NULL,
    access_methods TEXT NOT NULL, source_ip TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    level INTEGER NOT NULL, is_master_key INTEGER NOT NULL, is_owner_key INTEGER NOT NULL,
    activate_status INTEGER NOT NULL, expired_at INTEGER NOT NULL, keep INTEGER NOT NULL) STRICT;
CREATE TABLE tokens ({_RECORD},
    name TEXT NOT NULL, scope INTEGER NOT NULL, user_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    device_id INTEGER NOT NULL REFERENCES devices DEFERRABLE INITIALLY DEFERRED,
    datastream_tmpl_id INTEGER NOT NULL, datastream_id INTEGER NOT NULL,
    access_methods TEXT NOT NULL, source_ip TEXT NOT NULL, token TEXT NOT NULL,
    is_owner_key INTEGER NOT NULL, activate_status INTEGER NOT NULL,
    expired_at INTEGER NOT NULL, generated_at INTEGER NOT NULL,
    token_expired_at INTEGER NOT NULL, delete_after_used INTEGER NOT NULL,
    revoke_prekeys_if_ownerkey INTEGER NOT NULL, used_by INTEGER NOT NULL) STRICT;
CREATE TABLE groups ({_RECORD},
    name TEXT NOT NULL, desc TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED,
    device_ids TEXT NOT NULL) STRICT;
CREATE TABLE timers ({_RECORD},
    device_id INTEGER NOT NULL REFERENCES devices DEFERRABLE INITIALLY DEFERRED,
    plan TEXT NOT NULL, zone TEXT NOT NULL) STRICT;
CREATE TABLE datastreams ({_RECORD},
    device_id INTEGER NOT NULL REFERENCES devices DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL, latest TEXT NOT NULL) STRICT;
CREATE TABLE datapoints (
    datastream_id INTEGER NOT NULL REFERENCES datastreams DEFERRABLE INITIALLY DEFERRED,
    at INTEGER NOT NULL, id INTEGER NOT NULL, created INTEGER NOT NULL, point TEXT NOT NULL,
    PRIMARY KEY (datastream_id, at, id)) STRICT, WITHOUT ROWID;
CREATE TABLE last_ids (name TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
{_ACCOUNT_TOKENS}
{_TRIGGERS}
{_DEBUGS}
"""
"""Columns stand in the order of the records' fields; 0 refers to nothing. Lists and objects are JSON."""

MIGRATIONS: dict[int, str] = {1: _ACCOUNT_TOKENS, 2: _TRIGGERS, 3: _DEBUGS}
"""What makes the tables of each older version those of the next one."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database."""
    connection.executescript(
        f"BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; "
        f"PRAGMA user_version = {VERSION}; COMMIT;"
    )


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of an older version up to date: all the way, or not at all."""
    steps = "".join(MIGRATIONS[number] for number in range(version, VERSION))
    connection.executescript(
        f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;"
    )
