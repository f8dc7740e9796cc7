/* Work queues. A work has its turn in `slot`, until it begins; then its complement stands there, which points to nothing.
 * A queue counts what was queued and what is done. One worker serves each, so all before its number `done` is done. */
#include "runtime.h"

struct work {
	uint64_t pending;
	void (*function)(struct work *);
	struct queue *queue;
	uint64_t turn;
};
enum { TURNS = 256, QUEUES = 8, CANCELLED = 1, RESERVED = 2 };
struct queue {
	uint64_t is_there, is_served, tail, done, head;
	uint64_t slot[TURNS];
	char name[40];
};
OURS_SET struct queue c_queues[QUEUES] = { { .is_there = 1, .name = "events" } };
OURS_SET struct queue *system_wq = &c_queues[0];

struct queue *alloc_workqueue(const char *name, unsigned flags, int active, ...)
{
	(void)flags;
	(void)active;
	c_may_sleep(PC);
	c_running->user_sp = SP;
	c_begin_step("allocate work queue", PC);
	c_range((uint64_t)&system_wq, 8, WRITES); /* stands for the table of all */
	c_take_step(NULL, 0, 0);
	for (int i = 1; i < QUEUES; i++)
		if (!c_queues[i].name[0]) {
			for (int c = 0; c < 39 && name[c]; c++)
				c_queues[i].name[c] = name[c];
			c_queues[i].is_there = 1;
			return &c_queues[i];
		}
	c_fault(EXHAUSTED, 0, 0, PC);
}

int queue_work(struct queue *queue, struct work *work)
{
	uint64_t turn;

	c_running->user_sp = SP;
	c_begin_step("queue work", PC);
	c_range((uint64_t)work, sizeof *work, WRITES);
	c_range((uint64_t)&queue->tail, 8, WRITES);
	c_take_step(NULL, 0, 0);
	c_check((uint64_t)work, sizeof *work, 1, PC);
	if (!queue->is_there)
		c_fault(DESTROYED, 0, 0, PC);
	if (work->pending)
		return 0;
	if (queue->tail == TURNS)
		c_fault(EXHAUSTED, 0, 0, PC);
	work->pending = 1;
	work->queue = queue;
	work->turn = turn = queue->tail++;
	queue->slot[turn] = (uint64_t)work | RESERVED;
	/* Only now is it known which turn it has: that the worker may come to it is a step of its own. */
	c_touch(WRITE, (uint64_t)&queue->slot[turn], 8, PC, SP);
	queue->slot[turn] &= ~RESERVED;
	return 1;
}

static int is_behind(struct thread *t) { return ((struct queue *)t->until_a)->done >= t->until_b; }

static void wait_until_done(struct queue *queue, uint64_t turns, uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_begin_step("flush", pc);
	c_range((uint64_t)&queue->done, 8, READS);
	c_take_step(is_behind, (uint64_t)queue, turns);
}

void flush_workqueue(struct queue *queue)
{
	c_may_sleep(PC);
	c_touch(READ, (uint64_t)&queue->tail, 8, PC, SP);
	wait_until_done(queue, queue->tail, PC, SP);
}

void destroy_workqueue(struct queue *queue)
{
	c_may_sleep(PC);
	c_touch(READ, (uint64_t)&queue->tail, 8, PC, SP);
	wait_until_done(queue, queue->tail, PC, SP);
	c_touch(WRITE, (uint64_t)&queue->tail, 8, PC, SP);
	queue->is_there = 0;
}

/* Of each queue, how much of it must be done for all that is queued of a work, or has begun, to be over. Whoever asks has
 * just taken a step on the work. */
static void ends_of(struct work *work, uint64_t *ends)
{
	for (int i = 0; i < QUEUES; i++) {
		ends[i] = 0;
		for (uint64_t turn = 0; turn < c_queues[i].tail; turn++)
			if ((c_queues[i].slot[turn] & -8UL) == (uint64_t)work || ~c_queues[i].slot[turn] == (uint64_t)work)
				ends[i] = turn + 1;
	}
}

/* Begins the step that looks at a work, having read where it is queued. */
static void begin_look(const char *verb, struct work *work, uint64_t use, uint64_t pc, uint64_t sp)
{
	c_touch(READ, (uint64_t)&work->turn, 8, pc, sp);
	c_begin_step(verb, pc);
	c_range((uint64_t)work, sizeof *work, use);
}

/* Waits until a work is neither queued nor running; whether that had to be waited for. */
static int flush(struct work *work, uint64_t pc, uint64_t sp)
{
	uint64_t ends[QUEUES], now[QUEUES], differ;
	int is_busy = 0;

	c_may_sleep(pc);
	do {
		begin_look("look at work", work, READS, pc, sp);
		ends_of(work, ends);
		for (int i = 0; i < QUEUES; i++)
			if (ends[i])
				c_range((uint64_t)&c_queues[i].done, 8, READS);
		c_take_step(NULL, 0, 0);
		c_check((uint64_t)work, sizeof *work, 0, pc);
		ends_of(work, now);
		differ = 0;
		for (int i = 0; i < QUEUES; i++)
			differ |= ends[i] ^ now[i];
	} while (differ);
	for (int i = 0; i < QUEUES; i++)
		if (ends[i] > c_queues[i].done) {
			is_busy = 1;
			wait_until_done(&c_queues[i], ends[i], pc, sp);
		}
	return is_busy;
}

int flush_work(struct work *work) { return flush(work, PC, SP); }

/* Takes a work from its queue; whether it was there. */
static int cancel(struct work *work, uint64_t pc, uint64_t sp)
{
	struct queue *queue;
	uint64_t turn;

	do {
		begin_look("cancel work", work, WRITES, pc, sp);
		queue = work->queue;
		turn = work->turn;
		if (queue)
			c_range((uint64_t)&queue->slot[turn], 8, WRITES);
		c_take_step(NULL, 0, 0);
		c_check((uint64_t)work, sizeof *work, 1, pc);
	} while (work->queue != queue || work->turn != turn);
	if (!work->pending)
		return 0;
	work->pending = 0;
	queue->slot[turn] = CANCELLED | (queue->slot[turn] & RESERVED);
	return 1;
}

int cancel_work(struct work *work) { return cancel(work, PC, SP); }

int cancel_work_sync(struct work *work)
{
	uint64_t ends[QUEUES];
	int was_pending;

	c_may_sleep(PC);
	was_pending = cancel(work, PC, SP);
	ends_of(work, ends); /* where it runs */
	for (int i = 0; i < QUEUES; i++)
		if (ends[i])
			wait_until_done(&c_queues[i], ends[i], PC, SP);
	return was_pending;
}

static int has_work(struct thread *t)
{
	uint64_t slot = ((struct queue *)t->until_a)->slot[t->until_b];

	return slot && !(slot & RESERVED);
}

/* The queue of that name, if it is there and nobody serves it yet. */
uint64_t c_queue(const char *name)
{
	for (int i = 0; i < QUEUES; i++) {
		int c = 0;

		while (name[c] && name[c] == c_queues[i].name[c])
			c++;
		if (name[c] == c_queues[i].name[c] && c_queues[i].is_there && !c_queues[i].is_served) {
			c_queues[i].is_served = 1;
			return (uint64_t)&c_queues[i];
		}
	}
	return 0;
}

/* Whether a work that was found in the queue is still there: from now on it is no longer queued, and runs. */
static int begins(struct queue *queue, struct work *work)
{
	c_begin_step("begin work", PC);
	c_range((uint64_t)work, sizeof *work, WRITES);
	c_take_step(NULL, 0, 0);
	if (queue->slot[queue->head] == CANCELLED)
		return 0;
	c_check((uint64_t)work, sizeof *work, 1, PC);
	queue->slot[queue->head] = ~(uint64_t)work;
	work->pending = 0;
	return 1;
}

/* A worker: its actor is idle while nothing is queued. */
void c_worker(uint64_t address)
{
	struct queue *queue = (struct queue *)address;

	for (;; queue->head++) {
		struct work *work;

		if (queue->head == TURNS)
			c_fault(EXHAUSTED, 0, 0, PC);
		c_running->user_sp = SP;
		c_begin_step("take work", PC);
		c_range((uint64_t)&queue->slot[queue->head], 8, READS);
		c_stop.is_idle = 1;
		c_take_step(has_work, (uint64_t)queue, queue->head);
		work = (struct work *)queue->slot[queue->head];
		if (work != (struct work *)CANCELLED && begins(queue, work)) {
			work->function(work);
			if (c_running->held)
				c_fault(STILL_HELD, 0, 0, c_running->held);
		}
		c_touch(WRITE, (uint64_t)&queue->done, 8, PC, SP);
		queue->done++;
	}
}
