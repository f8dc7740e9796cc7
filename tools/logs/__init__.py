"""Logs of real machines: lines of dmesg and ftrace as typed records, with what each record rules out.

A file here reads one kind of line (`smmu_lines`, `dmar_lines`, `trace_lines`, `loss_lines`), decodes one kind of
record (`smmu_event`, `dmar_fault`, `dmar_tables`), or says what records mean together (`series`). The bits are those of
`hw`; the formats stand in docs/logs.md. Who draws conclusions about scenarios does not belong here.
"""
