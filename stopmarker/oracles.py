"""Properties: each is a class for `world.check`, which says what must not happen, or what must have happened.

The name is the theorem. An oracle reads events, never actors, so it can be used in any world whose drivers and hardware
tell of what it looks at; `EventOracle` is what they are made from. Two, `LockOrder` and `NoWaitUnderSpinLock`, are in
`stopmarker.kernel`.
"""

from scenarios.oracles.bound_pasid_is_not_refused import BoundPasidIsNotRefused
from scenarios.oracles.cleared_context_stays_clear import ClearedContextStaysClear
from scenarios.oracles.commands_run_as_issued import CommandsRunAsIssued
from scenarios.oracles.credits_come_back import CreditsComeBack
from scenarios.oracles.credits_stay_within_the_allocation import CreditsStayWithinTheAllocation
from scenarios.oracles.device_keeps_its_stop_contract import DeviceKeepsItsStopContract
from scenarios.oracles.device_sees_no_error import DeviceSeesNoError
from scenarios.oracles.every_access_lands_or_is_refused import EveryAccessLandsOrIsRefused
from scenarios.oracles.every_event_is_taken import EveryEventIsTaken
from scenarios.oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from scenarios.oracles.every_overflow_is_acknowledged import EveryOverflowIsAcknowledged
from scenarios.oracles.every_stall_is_resumed import EveryStallIsResumed
from scenarios.oracles.failed_attach_leaves_nothing import FailedAttachLeavesNothing
from scenarios.oracles.fault_after_unbind_is_visible import FaultAfterUnbindIsVisible
from scenarios.oracles.fault_log_is_silent_until_stop import FaultLogIsSilentUntilStop
from scenarios.oracles.fpd_is_clear_after_unbind import FpdIsClearAfterUnbind
from scenarios.oracles.groups_are_not_mixed import GroupsAreNotMixed
from scenarios.oracles.hitless_update_never_refuses import HitlessUpdateNeverRefuses
from scenarios.oracles.no_access_after_unbind import NoAccessAfterUnbind
from scenarios.oracles.no_access_through_a_foreign_entry import NoAccessThroughAForeignEntry
from scenarios.oracles.no_cross_binding_fault import NoCrossBindingFault
from scenarios.oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from scenarios.oracles.no_double_free import NoDoubleFree
from scenarios.oracles.no_fault_handled_after_unbind import NoFaultHandledAfterUnbind
from scenarios.oracles.no_foreign_teardown import NoForeignTeardown
from scenarios.oracles.no_invalidation_times_out import NoInvalidationTimesOut
from scenarios.oracles.no_itag_has_two_owners import NoItagHasTwoOwners
from scenarios.oracles.no_mark_in_a_freed_table import NoMarkInAFreedTable
from scenarios.oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from scenarios.oracles.no_overflow_while_the_thread_waits import NoOverflowWhileTheThreadWaits
from scenarios.oracles.no_page_for_a_stranger import NoPageForAStranger
from scenarios.oracles.no_pasid_reuse_while_bound import NoPasidReuseWhileBound
from scenarios.oracles.no_pasid_reuse_while_referenced import NoPasidReuseWhileReferenced
from scenarios.oracles.no_refusal_after_bind import NoRefusalAfterBind
from scenarios.oracles.no_response_after_unbind import NoResponseAfterUnbind
from scenarios.oracles.no_retry_after_failure import NoRetryAfterFailure
from scenarios.oracles.no_stall_after_release import NoStallAfterRelease
from scenarios.oracles.no_stray_response import NoStrayResponse
from scenarios.oracles.no_success_after_a_time_out import NoSuccessAfterATimeOut
from scenarios.oracles.no_unexpected_response import NoUnexpectedResponse
from scenarios.oracles.no_use_after_free import NoUseAfterFree
from scenarios.oracles.no_waiter_is_overtaken import NoWaiterIsOvertaken
from scenarios.oracles.no_walk_through_a_freed_table import NoWalkThroughAFreedTable
from scenarios.oracles.no_write_behind_its_invalidation import NoWriteBehindItsInvalidation
from scenarios.oracles.nobody_else_is_held_up import NobodyElseIsHeldUp
from scenarios.oracles.nobody_waits_for_a_lost_device import NobodyWaitsForALostDevice
from scenarios.oracles.nothing_leaks import NothingLeaks
from scenarios.oracles.nothing_left_when_unbind_returns import NothingLeftWhenUnbindReturns
from scenarios.oracles.one_table_per_asid import OneTablePerAsid
from scenarios.oracles.only_who_asks_a_device_gives_up import OnlyWhoAsksADeviceGivesUp
from scenarios.oracles.oracle import EventOracle
from scenarios.oracles.page_requests_stay_on import PageRequestsStayOn
from scenarios.oracles.response_trail import ResponseTrail
from scenarios.oracles.sync_covers_its_batch import SyncCoversItsBatch
from scenarios.oracles.walker_uses_old_or_new import WalkerUsesOldOrNew
from scenarios.oracles.work_keeps_its_identity import WorkKeepsItsIdentity

__all__ = [
    "BoundPasidIsNotRefused",
    "ClearedContextStaysClear",
    "CommandsRunAsIssued",
    "CreditsComeBack",
    "CreditsStayWithinTheAllocation",
    "DeviceKeepsItsStopContract",
    "DeviceSeesNoError",
    "EventOracle",
    "EveryAccessLandsOrIsRefused",
    "EveryEventIsTaken",
    "EveryLastIsAnsweredOnce",
    "EveryOverflowIsAcknowledged",
    "EveryStallIsResumed",
    "FailedAttachLeavesNothing",
    "FaultAfterUnbindIsVisible",
    "FaultLogIsSilentUntilStop",
    "FpdIsClearAfterUnbind",
    "GroupsAreNotMixed",
    "HitlessUpdateNeverRefuses",
    "NoAccessAfterUnbind",
    "NoAccessThroughAForeignEntry",
    "NoCrossBindingFault",
    "NoDmaIntoForeignFrame",
    "NoDoubleFree",
    "NoFaultHandledAfterUnbind",
    "NoForeignTeardown",
    "NoInvalidationTimesOut",
    "NoItagHasTwoOwners",
    "NoMarkInAFreedTable",
    "NoOldAnswerForANewRequest",
    "NoOverflowWhileTheThreadWaits",
    "NoPageForAStranger",
    "NoPasidReuseWhileBound",
    "NoPasidReuseWhileReferenced",
    "NoRefusalAfterBind",
    "NoResponseAfterUnbind",
    "NoRetryAfterFailure",
    "NoStallAfterRelease",
    "NoStrayResponse",
    "NoSuccessAfterATimeOut",
    "NoUnexpectedResponse",
    "NoUseAfterFree",
    "NoWaiterIsOvertaken",
    "NoWalkThroughAFreedTable",
    "NoWriteBehindItsInvalidation",
    "NobodyElseIsHeldUp",
    "NobodyWaitsForALostDevice",
    "NothingLeaks",
    "NothingLeftWhenUnbindReturns",
    "OneTablePerAsid",
    "OnlyWhoAsksADeviceGivesUp",
    "PageRequestsStayOn",
    "ResponseTrail",
    "SyncCoversItsBatch",
    "WalkerUsesOldOrNew",
    "WorkKeepsItsIdentity",
]
