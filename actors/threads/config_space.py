"""The host's side of a function's configuration space: a non-posted request behind what is posted, and its completion.

On the way back only the completion of a read is sure to push page requests ahead of it (vtd-pcie §1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import StreamId
from hw.pcie.tlp import ConfigRegister, ConfigurationRead, ConfigurationWrite

from ..runtime.primitives.link import Link
from ..runtime.world import Cpu


@dataclass(slots=True)
class ConfigSpace:
    """One request at a time. Its completion is waited for by the instruction itself, which does not sleep."""

    upstream: Link
    downstream: Link
    sid: StreamId

    async def write(self, cpu: Cpu, register: ConfigRegister, value: int) -> None:
        """Write, and wait for the completion."""
        message = ConfigurationWrite(sid=self.sid, register=register, value=value)
        await self.downstream.send_ordered("non-posted", message, f"config write {register.name} = {value}")
        await self.upstream.receive_ordered(cpu, "completion", f"config write {register.name} completes", sleeps=False)

    async def switch_ats(self, cpu: Cpu, on: bool) -> None:
        """Write ATS Enable."""
        await self.write(cpu, ConfigRegister.ATS_ENABLE, int(on))

    async def read(self, cpu: Cpu, what: str) -> None:
        """Read, and wait for the data; `what` is read for."""
        await self.downstream.send_ordered("non-posted", ConfigurationRead(sid=self.sid), f"config read: {what}")
        await self.upstream.receive_ordered(cpu, "completion", f"config read: {what}: data", sleeps=False)
