"""PCIe: messages, ATS and PRI as a function has them, and functions that keep their contract, or break it.

What is on the link comes from `hw.pcie`, who acts from `actors.devices`. A device is given to a board as `device=`;
`STYLES` and `STOPPABLE_LOOPS` are tables of them, by the words that `-p` takes.
"""

from actors.devices.atc_writer import add_atc_writer
from actors.devices.ats_loop import AnswersEarly, AtsLoop, GivesUp, RetriesAfterFailure, TrustsSuccess
from actors.devices.believer import Believer
from actors.devices.burst import Burst
from actors.devices.device import STYLES, Device, LeakyDevice, MarkerDevice
from actors.devices.job import Job
from actors.devices.mute_function import MuteFunction
from actors.devices.prefetcher import (
    ForgetsTagsOnFlush,
    LeakyPrefetcher,
    Prefetcher,
    SilentPrefetcher,
    StoppablePrefetcher,
    WaitingPrefetcher,
)
from actors.devices.removable import RemovableFunction, Slot
from actors.devices.resettable import IN_FLR, ResettableFunction
from actors.devices.resettable_wq import ResettableWq
from actors.devices.second_context import SecondContext
from actors.devices.stoppable_loop import LOOPS as STOPPABLE_LOOPS
from actors.devices.stoppable_loop import CachedWriter, StoppableLoop, UntranslatedLoop
from actors.devices.streamer import StoppableStreamer, Streamer
from actors.devices.virtual_dma import Reader, Writer
from actors.devices.works_until_refused import WorksUntilRefused
from actors.devices.wq_device import WqDevice
from actors.iommus.invalidation_timer import add_invalidation_timer
from actors.iommus.untranslated import UntranslatedWrites
from hw.events.link import DeviceStopped, PageRequestQueued, pasid_resource
from hw.pcie.ats import Atc, AtcCachingLateCompletions, AtcEntry
from hw.pcie.events import DeviceLost
from hw.pcie.pri import CreditIgnoringPri, PageRequestInterface, TagForgettingPri, TagKeepingPri
from hw.pcie.tlp import NO_PASID, Dma, ResponseCode

__all__ = [
    "IN_FLR",
    "NO_PASID",
    "STOPPABLE_LOOPS",
    "STYLES",
    "AnswersEarly",
    "Atc",
    "AtcCachingLateCompletions",
    "AtcEntry",
    "AtsLoop",
    "Believer",
    "Burst",
    "CachedWriter",
    "CreditIgnoringPri",
    "Device",
    "DeviceLost",
    "DeviceStopped",
    "Dma",
    "ForgetsTagsOnFlush",
    "GivesUp",
    "Job",
    "LeakyDevice",
    "LeakyPrefetcher",
    "MarkerDevice",
    "MuteFunction",
    "PageRequestInterface",
    "PageRequestQueued",
    "Prefetcher",
    "Reader",
    "RemovableFunction",
    "ResettableFunction",
    "ResettableWq",
    "ResponseCode",
    "RetriesAfterFailure",
    "SecondContext",
    "SilentPrefetcher",
    "Slot",
    "StoppableLoop",
    "StoppablePrefetcher",
    "StoppableStreamer",
    "Streamer",
    "TagForgettingPri",
    "TagKeepingPri",
    "TrustsSuccess",
    "UntranslatedLoop",
    "UntranslatedWrites",
    "WaitingPrefetcher",
    "WorksUntilRefused",
    "WqDevice",
    "Writer",
    "add_atc_writer",
    "add_invalidation_timer",
    "pasid_resource",
]
