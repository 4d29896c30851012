"""pyNukiBT, a client by others. It imports async_timeout without asking for it: asyncio has the same."""

import asyncio
import sys
from types import ModuleType

if "async_timeout" not in sys.modules:
    stand_in = ModuleType("async_timeout")
    stand_in.timeout = asyncio.timeout  # type: ignore[attr-defined]
    sys.modules["async_timeout"] = stand_in

from pyNukiBT import NukiConst, NukiDevice, NukiErrorException

__all__ = ["NukiConst", "NukiDevice", "NukiErrorException"]
