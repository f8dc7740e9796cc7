#ifndef _LINUX_INTERRUPT_H
#define _LINUX_INTERRUPT_H
#include <linux/spinlock.h>

typedef enum { IRQ_NONE, IRQ_HANDLED, IRQ_WAKE_THREAD } irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *device);
#define IRQF_SHARED 0x80UL
#define IRQF_ONESHOT 0x2000UL

/* `code.interrupt(irq)` is an actor: the interrupt comes once. */
int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread, unsigned long flags,
			 const char *name, void *device);
static inline int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags, const char *name, void *device)
{
	return request_threaded_irq(irq, handler, NULL, flags, name, device);
}
const void *free_irq(unsigned int irq, void *device);
void synchronize_irq(unsigned int irq);
void disable_irq_nosync(unsigned int irq);
void disable_irq(unsigned int irq);
void enable_irq(unsigned int irq);
#endif
