"""What the stores and loads of CPUs may do, if memory is not sequentially consistent: `tso` (x86) and `arm` (Armv8).

Who belongs here: the accesses of a run and what must be before what among them (`accesses`), what each kind of CPU
keeps in order (`views`), memory that tells of stores which came another way (`memory`), what comes with other steps
(`passing`), and the cpu that chooses among what all that allows (`accessing`, `cpu`). Under `sc` none of it is used.
"""
