#ifndef _ASM_PERCPU_H
#define _ASM_PERCPU_H
/* Each actor is a CPU of its own, with its own copy of what lies in this section; its name is one of C, so that the
 * linker says where it begins and ends. */
#define PER_CPU_BASE_SECTION "c_per_cpu"
unsigned long c_cpu_offset(int cpu) __attribute__((__const__));
int c_cpu(void) __attribute__((__const__));
#define __per_cpu_offset
#define per_cpu_offset(cpu) c_cpu_offset(cpu)
#define __my_cpu_offset c_cpu_offset(c_cpu())
#include <asm-generic/percpu.h>
#endif
