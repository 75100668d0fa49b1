"""A Zoho account over loopback: CRM v8, Bulk Read, COQL and People with their real limits, state and faults.

It follows Zoho's documentation, not the connector.
"""

from mel_pipeline.sandbox.zoho.account import CLIENT, REFRESH, SECRET, Account, Call
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.schema import Field

__all__ = ["CLIENT", "REFRESH", "SECRET", "Account", "Call", "Clock", "Field", "Module"]
