"""A stateful stand-in for Zoho's APIs: sign-in, CRM v8, People and Campaigns, with their limits and failures.

It follows Zoho's published contract, not the connector. Records are inserted, changed and deleted from
Python; responses follow from that state and from the account's own clock. A test does

    account = Account(Clock(datetime(2026, 1, 5, tzinfo=UTC)))
    people = account.add_module("Contacts", [Field("Last_Name", "text"), Field("Age", "integer")])
    ada = people.insert({"Last_Name": "Ada", "Age": 36})
    account.faults.add("Contacts$", after=1, status=503)  # the second page fails once
    with running_account(account) as served:
        ...  # call served.url, then check account.calls and account.credits_used
    people.delete(ada)
"""

from mel_pipeline.sandbox.zoho.account import Account
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.faults import Call
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.oauth import CLIENT, REFRESH, SECRET
from mel_pipeline.sandbox.zoho.schema import Field

__all__ = ["CLIENT", "REFRESH", "SECRET", "Account", "Call", "Clock", "Field", "Module"]
