#ifndef _ASM_SMP_H
#define _ASM_SMP_H
#include <asm/percpu.h>
#define raw_smp_processor_id() c_cpu()
#endif
