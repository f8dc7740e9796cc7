"""A function whose control bits the host writes through its configuration space, while it works."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from hw.pcie.tlp import ConfigurationCompletion, ConfigurationData, ConfigurationRead, ConfigurationWrite

from ..runtime.world import Cpu
from .device import Device


@dataclass(slots=True, kw_only=True)
class ConfigurableFunction(Device, ABC):
    """Each kind of function says what a write sets off."""

    completion_passes: bool = True
    """Whether the completion of a configuration write may pass what the function has posted (vtd-pcie §1.1)."""

    async def configuration(self, cpu: Cpu) -> None:
        """Configuration writes and reads, each with its completion."""
        while True:
            match await self.downstream.receive_ordered(cpu, "non-posted", "take configuration request"):
                case ConfigurationWrite() as write:
                    await self.written(cpu, write)
                    done = ConfigurationCompletion(sid=self.sid)
                    await self.upstream.send_ordered(
                        "completion", done, "send configuration completion", may_pass=self.completion_passes
                    )
                case ConfigurationRead():
                    data = ConfigurationData(sid=self.sid)
                    await self.upstream.send_ordered("completion", data, "send configuration data")
                case unexpected:
                    raise TypeError(f"a function cannot take {unexpected}")

    @abstractmethod
    async def written(self, cpu: Cpu, write: ConfigurationWrite) -> None:
        """What a configuration write sets off."""
