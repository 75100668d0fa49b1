"""Secrets of an installation, encrypted and apart from the data: one without the other is of no use.

Scrypt makes a key from the passphrase, Fernet (AES-128-CBC with HMAC-SHA-256) encrypts. Both by ``cryptography``.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from mel_pipeline.core import environment
from mel_pipeline.core.errors import BackupError
from mel_pipeline.core.secret_files import write_secret
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.privacy.pseudonyms import FILE as PSEUDONYM_KEY

ENDING = ".keys"
_COST = {"length": 32, "n": 2**15, "r": 8, "p": 1}  # 32 MB and a tenth of a second a try
_ENV = "env"
SETTINGS = "settings-of-the-backup.env"


def file_of(backup: Path) -> Path:
    """Beside the backup, so that it can be kept elsewhere."""
    return backup.with_name(backup.name + ENDING)


def write_keys(settings: Settings, path: Path) -> list[str]:
    """Encrypt ``.env`` and MEL_HOME/secrets with MEL_BACKUP_PASSPHRASE; returns the names of what is in it."""
    held: dict[str, str] = {}
    if environment.written():
        held[_ENV] = environment.env_file().read_text(encoding=environment.ENCODING)
    if settings.secrets_dir.is_dir():
        for file in sorted(item for item in settings.secrets_dir.rglob("*") if item.is_file()):
            held[f"secrets/{file.relative_to(settings.secrets_dir).as_posix()}"] = file.read_text(
                encoding="utf-8"
            )
        held.pop(f"secrets/{SETTINGS}", None)
    given = settings.pseudonym_key.get_secret_value()
    if given and f"secrets/{PSEUDONYM_KEY}" not in held:
        held[f"secrets/{PSEUDONYM_KEY}"] = given
    salt = os.urandom(16)
    sealed = _fernet(settings.backup_passphrase.get_secret_value(), salt).encrypt(json.dumps(held).encode())
    write_secret(path, json.dumps({"salt": base64.b64encode(salt).decode(), "sealed": sealed.decode()}))
    return sorted(held)


def read_keys(path: Path, passphrase: str) -> dict[str, str]:
    """What is in such a file, by name.

    Raises:
        BackupError: the passphrase is another one, or the file is damaged.
    """
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        salt = base64.b64decode(written["salt"])
        opened: dict[str, str] = json.loads(_fernet(passphrase, salt).decrypt(written["sealed"].encode()))
    except (InvalidToken, ValueError, KeyError, TypeError):
        raise BackupError(
            f"Opening {path}: MEL_BACKUP_PASSPHRASE is not the one it was made with, or the file is damaged. Set the"
            " passphrase you kept (a service: in /etc/mel/mel.env), or use another backup."
        ) from None
    except OSError as error:
        raise BackupError(
            f"Opening {path}: {error.strerror}. It must belong to the account that runs `mel`: run `chown {os.getuid()} {path}`"
            " as root, then try again."
        ) from None
    return opened


def put_back(held: dict[str, str], settings: Settings, *, keep_settings: bool = False) -> list[str]:
    """Write what is missing; what is there stays. Returns what was written.

    Args:
        keep_settings: go on with this machine's settings where the backup holds others.

    Raises:
        BackupError: the pseudonym key of this machine is another one, or its settings are.
    """
    _settle(held, settings, keep_settings=keep_settings)
    done = []
    for name, text in held.items():
        path = (
            environment.env_file() if name == _ENV else settings.secrets_dir / name.removeprefix("secrets/")
        )
        if path.exists():
            if path.name == PSEUDONYM_KEY and path.read_text(encoding="utf-8") != text:
                raise BackupError(
                    f"Restoring the keys: {path} holds another pseudonym key, with which the restored people would count"
                    " twice. Move it away, then try again."
                )
            continue
        write_secret(path, text)
        done.append(path.name)
    return done


def _settle(held: dict[str, str], settings: Settings, *, keep_settings: bool) -> None:
    """Whose settings count is decided before anything is restored: they say where everything goes.

    An installed service has settings of its own, which only root can replace.

    Raises:
        BackupError: this machine has others than the backup.
    """
    kept, here = settings.secrets_dir / SETTINGS, environment.env_file()
    if keep_settings or _ENV not in held or not here.exists():
        kept.unlink(missing_ok=True)
        return
    if here.read_text(encoding=environment.ENCODING).strip() == held[_ENV].strip():
        kept.unlink(missing_ok=True)
        return
    write_secret(kept, held[_ENV])
    raise BackupError(
        f"Restoring the settings: this machine has others than the backup, whose settings are in {kept} now. Put them in"
        f" place (a service: sudo install -m 600 {kept} /etc/mel/mel.env; a clone: .env) and run this again, or go on with"
        " those of this machine: --keep-settings. Nothing else was changed."
    )


def _fernet(passphrase: str, salt: bytes) -> Fernet:
    key = Scrypt(salt=salt, **_COST).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))
