/* Interrupts: who asks for one is called when an actor raises it, and is never called again once it is freed. */
#include "runtime.h"
#include "primitives.h"

struct interrupt {
	uint64_t is_known, number, running, disabled;
	int (*handler)(int, void *), (*thread)(int, void *);
	void *device;
};
enum { INTERRUPTS = 64, WAKES_THREAD = 2 };
OURS static struct interrupt interrupts[INTERRUPTS];

/* Its place depends on nothing but its number: which is asked for first must decide nothing. */
static struct interrupt *interrupt_at(uint64_t number, uint64_t pc)
{
	struct interrupt *it = &interrupts[number % INTERRUPTS];

	if (it->is_known && it->number != number)
		c_fault(EXHAUSTED, number, 0, pc);
	it->is_known = 1;
	it->number = number;
	return it;
}

/* One step on the whole. */
static void step(struct interrupt *it, const char *verb, int (*until)(struct thread *), uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_begin_step(verb, pc);
	c_range((uint64_t)it, sizeof *it, WRITES);
	c_take_step(until, (uint64_t)it, 0);
}

static int is_quiet(struct thread *t) { return !((struct interrupt *)t->until_a)->running; }
static int is_enabled(struct thread *t) { return !((struct interrupt *)t->until_a)->disabled; }

static int request(uint64_t number, void *handler, void *thread, void *device, uint64_t pc, uint64_t sp)
{
	struct interrupt *it = interrupt_at(number, pc);

	c_may_sleep(pc);
	step(it, "request interrupt", NULL, pc, sp);
	it->handler = handler;
	it->thread = thread;
	it->device = device;
	return 0;
}

int request_threaded_irq(unsigned number, void *handler, void *thread, unsigned long flags, const char *name, void *device)
{
	return request(number, handler, thread, device, PC, SP);
}

/* That of a managed device is freed by whoever frees it by hand. */
int devm_request_threaded_irq(void *owner, unsigned number, void *handler, void *thread, unsigned long flags,
			      const char *name, void *device)
{
	return request(number, handler, thread, device, PC, SP);
}

static void quieten(uint64_t number, uint64_t pc, uint64_t sp)
{
	c_may_sleep(pc);
	step(interrupt_at(number, pc), "wait for handlers of interrupt", is_quiet, pc, sp);
}

const void *free_irq(unsigned number, void *device)
{
	struct interrupt *it = interrupt_at(number, PC);

	c_may_sleep(PC);
	step(it, "free interrupt", NULL, PC, SP);
	it->handler = it->thread = NULL;
	quieten(number, PC, SP);
	return NULL;
}

void synchronize_irq(unsigned number) { quieten(number, PC, SP); }
void disable_irq_nosync(unsigned number)
{
	struct interrupt *it = interrupt_at(number, PC);

	step(it, "disable interrupt", NULL, PC, SP);
	it->disabled++;
}
void disable_irq(unsigned number)
{
	struct interrupt *it = interrupt_at(number, PC);

	step(it, "disable interrupt", NULL, PC, SP);
	it->disabled++;
	quieten(number, PC, SP);
}
void enable_irq(unsigned number)
{
	struct interrupt *it = interrupt_at(number, PC);

	step(it, "enable interrupt", NULL, PC, SP);
	it->disabled -= it->disabled != 0;
}

/* An actor that is one interrupt: the handler must not sleep, its thread may. Without a handler nothing happens. */
void c_interrupt(uint64_t number)
{
	struct interrupt *it = interrupt_at(number, PC);
	int wakes = WAKES_THREAD, (*thread)(int, void *);
	void *device;

	step(it, "interrupt", is_enabled, PC, SP);
	if (!it->handler && !it->thread)
		return;
	it->running++;
	thread = it->thread;
	device = it->device;
	if (it->handler) {
		c_running->spinning++;
		wakes = it->handler(number, device);
		c_running->spinning--;
	}
	if (wakes == WAKES_THREAD && thread)
		thread(number, device);
	step(it, "interrupt ends", NULL, PC, SP);
	it->running--;
}
