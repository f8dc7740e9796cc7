"""What each shipped combination of `pasid-reuse` must come to, and why."""

from __future__ import annotations

from .scenario import Expected

VTD = {"iommu": "vtd"}
ON_VTD = (
    Expected(
        params={"holds": "mmput", "accesses": 0, **VTD},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="VTD-R12: the child closes the file, and its unbind finds the PASID entry of the next owner present",
    ),
    Expected(
        params={"holds": "mmput", **VTD},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="VTD-R12: what is left in the dead process's queue runs in the next owner's address space",
    ),
    Expected(
        params={"holds": "mmput", "reuse": "strict", **VTD},
        verdict="violated",
        oracle="no-pasid-reuse-while-bound",
        why="VTD-R12: the PASID goes back while device and PASID entry have it",
    ),
    Expected(
        params={"holds": "mmput", "closer": "self", "accesses": 0, **VTD},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="no child is needed: who is killed closes its files after its address space is gone",
    ),
    Expected(
        params={"holds": "no-grab", "accesses": 0, **VTD},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="__mmdrop is no later than __mmput if nobody else holds the mm: the fix needs the bond's reference",
    ),
    Expected(
        params={"holds": "mmdrop", **VTD},
        verdict="holds",
        why="the bond holds the mm, and the mm holds the PASID, until the child's unbind is over",
    ),
    Expected(
        params={"holds": "mmdrop", "closer": "self", "reuse": "strict", **VTD},
        verdict="holds",
        why="the same, closed by the process itself",
    ),
    Expected(
        params={"holds": "mmdrop", "closer": "other", "reuse": "strict", **VTD},
        verdict="holds",
        why="the same, with the unbind before, during or after the exit",
    ),
)
ON_SMMUV3 = (
    Expected(
        params={"holds": "mmput", "accesses": 0},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="VTD-R12: the child closes the file, and its unbind clears the CD of the next owner",
    ),
    Expected(
        params={"holds": "no-grab", "accesses": 0},
        verdict="violated",
        oracle="no-use-after-free",
        why="VTD-R13: the exit frees the mm, and the child's unbind unpins the ASID that lies in it",
    ),
    Expected(
        params={"holds": "no-grab", "closer": "self", "accesses": 0},
        verdict="violated",
        oracle="no-use-after-free",
        why="VTD-R13 with one process: its own mmdrop comes before its files are closed",
    ),
    Expected(params={"holds": "mmdrop"}, verdict="holds", why="the bond's reference outlives ASID and PASID"),
    Expected(params={"holds": "mmdrop", "reuse": "strict"}, verdict="holds", why="nor is the PASID handed out before"),
)
EXPECTED = (*ON_VTD, *ON_SMMUV3)
