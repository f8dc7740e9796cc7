#ifndef _ASM_IRQFLAGS_H
#define _ASM_IRQFLAGS_H
/* What interrupts a CPU is another actor: nothing is to be kept out but by locks. */
static inline unsigned long arch_local_save_flags(void) { return 0; }
static inline void arch_local_irq_restore(unsigned long flags) {}
#define arch_local_save_flags arch_local_save_flags
#define ARCH_IRQ_DISABLED 1
#define ARCH_IRQ_ENABLED 0
#include <asm-generic/irqflags.h>
#endif
