"""What each row of the PASID lifetime table (smmuv3 §3.13) must come to, and why."""

from __future__ import annotations

from .scenario import Expected

EXPECTED = (
    Expected(
        params={"free": "unbind"},
        verdict="holds",
        why="5.11 to 5.17: the device has stopped and the CD is clear when the PASID goes back",
    ),
    Expected(
        params={"free": "mmput", "accesses": 0},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="5.18-rc: the next owner's CD is cleared by the unbind of the former one",
    ),
    Expected(
        params={"free": "mmput"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="5.18-rc: the device still works for the dead process, through the CD of the next owner",
    ),
    Expected(
        params={"free": "mmput", "reuse": "strict"},
        verdict="violated",
        oracle="no-pasid-reuse-while-bound",
        why="5.18-rc: the PASID goes back while the device has it",
    ),
    Expected(
        params={"free": "mmdrop"},
        verdict="holds",
        why="since 5.18: the domain's reference to the mm keeps __mmdrop, and so the PASID, until after unbind",
    ),
    Expected(
        params={"free": "mmdrop", "closer": "other", "reuse": "strict"},
        verdict="holds",
        why="the same, with the unbind before, during or after the exit",
    ),
    Expected(
        params={"free": "unbind", "closer": "other"},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="a release that has waited for sva_lock finds the PASID with its next owner, and turns his CD quiet",
    ),
    Expected(
        params={"free": "unbind-asks", "closer": "other", "reuse": "strict"},
        verdict="holds",
        why="asked under sva_lock whether the binding is still there, release leaves the next owner alone",
    ),
    Expected(
        params={"free": "iommu-mm"},
        verdict="holds",
        why="since 6.6: the mm has its PASID in iommu_mm, and the domain's reference keeps both until after unbind",
    ),
    Expected(
        params={"free": "iommu-mm", "closer": "other", "reuse": "strict"},
        verdict="holds",
        why="the same, with the unbind before, during or after the exit",
    ),
    Expected(
        params={"free": "iommu-mm-mmput", "accesses": 0},
        verdict="violated",
        oracle="no-use-after-free",
        why="unbind takes its domain off a list in iommu_mm, which exit has freed",
    ),
)
