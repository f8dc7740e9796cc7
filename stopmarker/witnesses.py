"""Witnesses, for `world.expect`: what some run must reach, else the experiment shows nothing.

Functions make goals, for `world.goal`: what it is good to have seen. `EventWitness` is what witnesses are made from.
"""

from scenarios.witnesses.access_behind import AccessBehind
from scenarios.witnesses.access_stalls import AccessStalls
from scenarios.witnesses.asid_shared_during_attach import AsidSharedDuringAttach
from scenarios.witnesses.both_lives_ask import BothLivesAsk
from scenarios.witnesses.device_is_lost import DeviceIsLost
from scenarios.witnesses.device_works_and_is_blocked import DeviceWorksAndIsBlocked
from scenarios.witnesses.device_works_in_the_window import DeviceWorksInTheWindow
from scenarios.witnesses.dma_after_release import DmaAfterRelease
from scenarios.witnesses.endpoint_works_in import EndpointWorksIn
from scenarios.witnesses.event_without_interrupt import EventWithoutInterrupt
from scenarios.witnesses.flush_meets_a_request import FlushMeetsARequest
from scenarios.witnesses.goals import (
    RequestsOfTwoBindings,
    answer_between_invalidations,
    event_taken_after_unbind,
    overflow_again,
    overflow_while_unbinding,
    response_after_unbind,
    stall_behind_quiet_context,
    stall_while_unbinding,
    stray_response_after_reset,
    write_after_reuse,
)
from scenarios.witnesses.invalidation_falls_into_reset import InvalidationFallsIntoReset
from scenarios.witnesses.invalidation_times_out import InvalidationTimesOut
from scenarios.witnesses.invalidations_overlap import InvalidationsOverlap
from scenarios.witnesses.leaf_is_allocated import LeafIsAllocated
from scenarios.witnesses.level1_is_fetched_invalid import Level1IsFetchedInvalid
from scenarios.witnesses.marker_is_queued import MarkerIsQueued
from scenarios.witnesses.owner_serves_others import OwnerServesOthers
from scenarios.witnesses.page_is_gone_after_success import PageIsGoneAfterSuccess
from scenarios.witnesses.partial_is_discarded import PartialIsDiscarded
from scenarios.witnesses.pasid_changes_hands import PasidChangesHands
from scenarios.witnesses.process_is_gone_first import ProcessIsGoneFirst
from scenarios.witnesses.queue_goes_round import QueueGoesRound
from scenarios.witnesses.queue_overflows import QueueOverflows
from scenarios.witnesses.record_outlives_its_access import RecordOutlivesItsAccess
from scenarios.witnesses.release_writes_context import ReleaseWritesContext
from scenarios.witnesses.request_is_refused import RequestIsRefused
from scenarios.witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound
from scenarios.witnesses.traffic_spans_the_update import TrafficSpansTheUpdate
from scenarios.witnesses.translation_is_taken_away import TranslationIsTakenAway
from scenarios.witnesses.walk_uses_a_table import WalkUsesATable
from scenarios.witnesses.witness import EventWitness, FirstEvent
from scenarios.witnesses.work_is_translated import WorkIsTranslated
from scenarios.witnesses.worker_ends_the_address_space import WorkerEndsTheAddressSpace

__all__ = [
    "AccessBehind",
    "AccessStalls",
    "AsidSharedDuringAttach",
    "BothLivesAsk",
    "DeviceIsLost",
    "DeviceWorksAndIsBlocked",
    "DeviceWorksInTheWindow",
    "DmaAfterRelease",
    "EndpointWorksIn",
    "EventWithoutInterrupt",
    "EventWitness",
    "FirstEvent",
    "FlushMeetsARequest",
    "InvalidationFallsIntoReset",
    "InvalidationTimesOut",
    "InvalidationsOverlap",
    "LeafIsAllocated",
    "Level1IsFetchedInvalid",
    "MarkerIsQueued",
    "OwnerServesOthers",
    "PageIsGoneAfterSuccess",
    "PartialIsDiscarded",
    "PasidChangesHands",
    "ProcessIsGoneFirst",
    "QueueGoesRound",
    "QueueOverflows",
    "RecordOutlivesItsAccess",
    "ReleaseWritesContext",
    "RequestIsRefused",
    "RequestQueuedWhileUnbound",
    "RequestsOfTwoBindings",
    "TrafficSpansTheUpdate",
    "TranslationIsTakenAway",
    "WalkUsesATable",
    "WorkIsTranslated",
    "WorkerEndsTheAddressSpace",
    "answer_between_invalidations",
    "event_taken_after_unbind",
    "overflow_again",
    "overflow_while_unbinding",
    "response_after_unbind",
    "stall_behind_quiet_context",
    "stall_while_unbinding",
    "stray_response_after_reset",
    "write_after_reuse",
]
