/* What a kernel gives: completions, wait queues, work queues. Each is a step, or some, on the very words of the object
 * that it works on, so that to free the object and to use it conflict. */
#include "runtime.h"
#include "primitives.h"

/* One step on 8 bytes that is not taken until `until`. */
static void wait_at(const char *verb, uint64_t address, uint64_t use, int (*until)(struct thread *), uint64_t value,
		    uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_may_sleep(pc);
	c_begin_step(verb, pc);
	c_range(address, 8, use);
	c_take_step(until, address, value);
	c_check(address, 8, use == WRITES, pc);
}

static int is_done(struct thread *t) { return !c_may_touch(t->until_a, 8) || *(volatile unsigned *)t->until_a; }

void complete(unsigned *done)
{
	c_touch(ATOMIC | PRIMITIVE, (uint64_t)done, 4, PC, SP);
	if (*done != ~0u)
		++*done;
}

void complete_all(unsigned *done)
{
	c_touch(ATOMIC | PRIMITIVE, (uint64_t)done, 4, PC, SP);
	*done = ~0u;
}

void wait_for_completion(unsigned *done)
{
	wait_at("wait for completion", (uint64_t)done, WRITES, is_done, 0, PC, SP);
	if (*done != ~0u)
		--*done;
}

int try_wait_for_completion(unsigned *done)
{
	unsigned before;

	c_touch(ATOMIC | PRIMITIVE, (uint64_t)done, 4, PC, SP);
	before = *done;
	if (before && before != ~0u)
		--*done;
	return before != 0;
}

static int is_zero(struct thread *t) { return !c_may_touch(t->until_a, 4) || !*(volatile unsigned *)t->until_a; }

void c_wait_for_zero(const char *verb, uint64_t address, uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_may_sleep(pc);
	c_begin_step(verb, pc);
	c_range(address, 4, READS);
	c_take_step(is_zero, address, 0);
	c_check(address, 4, 0, pc);
}

/* A wait queue is a count of wake-ups: who waits has read it before it looked at its condition. */
static int is_woken(struct thread *t)
{
	return !c_may_touch(t->until_a, 8) || *(volatile uint64_t *)t->until_a != t->until_b;
}

void c_wake_up(uint64_t *queue)
{
	c_barrier(BARRIER);
	c_touch(ATOMIC | PRIMITIVE, (uint64_t)queue, 8, PC, SP);
	++*queue;
}

uint64_t c_prepare_to_wait(uint64_t *queue)
{
	c_may_sleep(PC);
	c_touch(READ | PRIMITIVE, (uint64_t)queue, 8, PC, SP);
	c_barrier(BARRIER); /* the condition is looked at behind it */
	return *queue;
}

void c_schedule(uint64_t *queue, uint64_t before)
{
	wait_at("wait on queue", (uint64_t)queue, READS, is_woken, before, PC, SP);
}

void c_might_sleep(void) { c_may_sleep(PC); }

/* data_race(): who looks for data races passes over what is between. */
void c_races_off(void) { c_running->exempt++; }
void c_races_on(void) { c_running->exempt--; }

/* Something that a property may look at: a step of its own, which Python records. */
void stopmarker_note(const char *subject, long value)
{
	c_running->user_sp = SP;
	c_begin_step("note", PC);
	c_stop.address = (uint64_t)subject;
	c_stop.value = value;
	c_take_step(NULL, 0, 0);
}
