"""The host's side of a function's configuration space: a non-posted write behind what is posted, and its completion.

Both ways nothing passes a posted request (vtd-pcie §1.1), which is what makes a reset orderly.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import StreamId
from hw.pcie.tlp import ConfigRegister, ConfigurationWrite

from .runtime.ports import Link
from .runtime.world import Cpu


@dataclass(slots=True)
class ConfigSpace:
    """One write at a time."""

    upstream: Link
    downstream: Link
    sid: StreamId

    async def write(self, cpu: Cpu, register: ConfigRegister, value: int) -> None:
        """Write, and wait for the completion."""
        message = ConfigurationWrite(sid=self.sid, register=register, value=value)
        await self.downstream.send_ordered("non-posted", message, f"config write {register.name} = {value}")
        await self.upstream.receive_ordered(cpu, "completion", f"config write {register.name} completes")
