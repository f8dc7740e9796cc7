"""Lines of traces: each event by hand, in the headings of each tool."""

from __future__ import annotations

import pytest

from hw.bus import Pasid, VirtAddr
from hw.tlb import PageRange
from hw.vtd import invalidation
from hw.vtd.descriptors import pasid_iotlb
from hw.vtd.pasid import Did

from .reading import only, read, records, says

MAP = "map: IOMMU: iova=0x0000000000001000 - 0x0000000000003000 paddr=0x00000001a6800000 size=8192"


@pytest.mark.parametrize(
    ("heading", "task", "cpu"),
    [
        ("        qemu-kvm-4575    [008] .......   438.308478: ", "qemu-kvm", 8),
        ("   kworker/u8:1-ev-77    (     77) [001] d..1.   438.308478: ", "kworker/u8:1-ev", 1),
        (" my (odd) task-1-33      [000]   438.308478: ", "my (odd) task-1", 0),
        ("qemu-kvm  4575/4576 [008]   438.308478: iommu:", "qemu-kvm", 8),
    ],
)
def test_headings(heading: str, task: str, cpu: int) -> None:
    record = only(f"{heading}{MAP}")
    assert (record.time, record.fields["task"], record.fields["cpu"]) == ("438.308478", task, cpu)
    assert record.title == "map 0x1000 to 0x1a6800000, 8192 bytes"


def test_maps_of_each_generation() -> None:
    old = only("map: IOMMU: iova=0x0000000ffff36000 paddr=0x00000001164d8000 size=4096")
    assert old.fields == {"iova": "0xffff36000", "paddr": "0x1164d8000", "size": 4096}
    assert says(only(MAP.replace("3000 ", "4000 ")), "its end 0x4000 and its size 0x2000 differ")
    part = only("unmap: IOMMU: iova=0x1000 - 0x3000 size=8192 unmapped_size=4096")
    assert part.notes == ["4096 bytes were unmapped where 8192 were asked for"]


def test_faults_and_devices() -> None:
    record = only("io_page_fault: IOMMU:arm-smmu 0000:01:00.0 iova=0x0000000000000040 flags=0x0001")
    assert record.title == "fault of 0000:01:00.0: write at 0x40"
    assert says(record, "a null buffer")
    assert says(only("io_page_fault: IOMMU:a b iova=0x5000 flags=0x0004"), "flags 0x4")
    assert only("attach_device_to_domain: IOMMU: device=0000:01:00.0").title == "attach device to domain: 0000:01:00.0"
    assert only("add_device_to_group: IOMMU: groupID=7 device=0000:01:00.0").fields["group"] == 7


def test_descriptors() -> None:
    words = invalidation.encode(pasid_iotlb(Did(1), Pasid(5), PageRange(address=VirtAddr(0x8000), order=3)))
    record = only(f"qi_submit: p_iotlb_inv dmar1: {' '.join(map(hex, words))}")
    assert record.unit == "dmar1"
    assert record.title == "PASID_IOTLB, submitted: G=3 DID=1 PASID=5 AM=3 IH=0 ADDR=8"
    assert says(only("qi_submit: page_stream_resp dmar1: 0xa 0x0 0x0 0x0"), "unknown type 10")
    assert says(only("qi_submit: inv_wait dmar1: 0x805 0x0 0x0 0x0"), "word 0 bit 11: set")


def request(number: int, rest: str = "r---l pasid=0x2 index=0x1", rid: str = "0x50") -> str:
    return f"prq_report: dmar0/0000:00:0a.0 seq# {number}: rid={rid} addr=0x559ef6f97 {rest}"


def test_page_requests_are_counted() -> None:
    first, second, third = records(request(1), request(2), request(6))
    assert first.fields == {
        "device": "0000:00:0a.0", "seq": 1, "RID": "00:0a.0", "address": "0x559ef6f97000", "R": True, "W": False,
        "X": False, "Priv": False, "Last": True, "PASID": "0x2", "PRGI": 1,
    }  # fmt: skip
    assert (second.lost, third.lost) == (0, 3)
    assert third.notes == ["seq# goes from 2 to 6: 3 page requests are missing here"]
    assert says(only(request(1, "----l pasid=0x2 index=0x0")), "it is a Stop Marker")
    assert says(only(request(1, rid="0x51")), "its RID is 00:0a.1, which is not 0000:00:0a.0")
    assert only(request(1, "rwxpl pasid=0x2 index=0x1 private=0x1/0x2")).fields["private"] == "0x1/0x2"


def test_cache_tags() -> None:
    tag = only("cache_tag_assign: dmar9/0000:00:01.0 type nesting_devtlb did 1 pasid 9 ref 2")
    assert tag.title == "cache tag assign: nesting_devtlb of 0000:00:01.0, DID 1, PASID 9, ref 2"
    flush = "cache_tag_flush_range_np: dmar1 0000:00:1b.0[7] type iotlb did 9 "
    flush += "[0x1000-0x2fff] addr 0x0 pages 0x4 mask 0x2"
    assert only(flush).fields["PASID"] == 7
    assert only(flush).notes == []
    assert says(only(flush.replace("mask 0x2", "mask 0x1")), "4 pages and a mask of 1, which is 2 pages, differ")
    assert says(only(flush.replace("0x4 mask 0x2", "0x2 mask 0x1")), "what is left stays cached")


def test_an_event_that_a_mailer_broke() -> None:
    record = only(
        "| cache_tag_flush_range: dmar1 0000:00:1b.0[0] type iotlb did 9",
        "|         [0xeab00000-0xeab1afff] addr 0xeab00000 pages 0x20 mask 0x5",
    )
    assert record.lines == [1, 2]


def test_reports_and_answers() -> None:
    fault = only("dev_fault: IOMMU:0000:01:00.0 type=2 reason=0 addr=0x5000 pasid=3 group=7 flags=1 prot=2")
    assert (fault.unit, fault.fields["pasid"]) == ("0000:01:00.0", "3")
    answer = only("dev_page_response: IOMMU:0000:01:00.0 code=1 pasid=3 group=7")
    assert answer.title == "answer to 0000:01:00.0: INVALID, code=1 pasid=3 group=7"


def test_kprobes() -> None:
    record = only("  bash-7  [001] d..2   5.000001: unbind: (iommu_sva_unbind_device+0x0/0x80) handle=0xffff")
    assert record.fields == {
        "function": "iommu_sva_unbind_device",
        "event": "unbind",
        "arguments": "handle=0xffff",
        "task": "bash",
        "cpu": 1,
    }
    assert only("p: (__mmu_notifier_invalidate_range_start+0x0/0x10)").title == "__mmu_notifier_invalidate_range_start"
    assert read("p: (vfs_read+0x0/0x10)").others == 1


def test_words_of_others_are_not_events() -> None:
    log = read("map: the city", "unmap: done", "iommu:map: something new", "sched:map: IOMMU: x", "intel_iommu:new: x")
    assert (log.others, log.not_understood, log.records) == (3, 2, [])
