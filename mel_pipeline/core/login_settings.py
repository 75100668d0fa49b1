"""Settings of a login in front of the UI; part of ``Settings``."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

SHORTEST_SECRET = 32
LOCAL = ("localhost", "127.0.0.1", "::1")


class LoginSettings(BaseSettings):
    """Where people reach the UI from outside, and how the proxy with the login proves that it is the proxy."""

    public_url: str = Field(
        "",
        description="The one address at which others open the UI, behind a proxy with a login: https://mel.example.org.",
    )
    proxy_secret: SecretStr = Field(
        SecretStr(""),
        description="What the proxy sends with each request, 32 characters or more: `openssl rand -hex 32`. With it people"
        " sign in, and users.yml in MEL_HOME says who may do what.",
    )

    @field_validator("public_url")
    @classmethod
    def _address_is_an_origin(cls, text: str) -> str:
        if not text:
            return ""
        parts = urlsplit(text)
        is_origin = parts.hostname and parts.path in ("", "/") and not (parts.query or parts.fragment)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
        if not is_origin or not is_safe or "@" in parts.netloc:
            raise ValueError("write it like https://mel.example.org, without a path")
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        port = "" if parts.port in (None, {"https": 443, "http": 80}[parts.scheme]) else f":{parts.port}"
        return f"{parts.scheme}://{host}{port}".lower()

    @field_validator("proxy_secret")
    @classmethod
    def _secret_is_long(cls, secret: SecretStr) -> SecretStr:
        given = secret.get_secret_value()
        if given and (
            len(given) < SHORTEST_SECRET or not given.isascii() or not given.isprintable() or " " in given
        ):
            raise ValueError(
                f"it needs {SHORTEST_SECRET} characters or more, without spaces: `openssl rand -hex 32` makes one"
            )
        return secret

    @model_validator(mode="after")
    def _address_and_secret_come_together(self) -> Self:
        if bool(self.public_url) != self.has_login:
            missing = "MEL_PROXY_SECRET" if self.public_url else "MEL_PUBLIC_URL"
            raise ValueError(
                f"{missing} is missing: an address for others needs a login, and a login an address. Set both, or neither"
            )
        return self

    @property
    def has_login(self) -> bool:
        """Whether people sign in, so that what they do is theirs."""
        return bool(self.proxy_secret.get_secret_value())
