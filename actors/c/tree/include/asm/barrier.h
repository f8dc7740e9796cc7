#ifndef _ASM_BARRIER_H
#define _ASM_BARRIER_H
/* Every access is seen in the order of the program, so none says more than the compiler's own, which is the default. */
#define cpu_relax() barrier()
#define mb() barrier()
#define rmb() barrier()
#define wmb() barrier()
#include <asm-generic/barrier.h>
#endif
