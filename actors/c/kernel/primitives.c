/* What a kernel gives: locks, completions, wait queues, work queues. Each is a step, or some, on the very words of the
 * object that it works on, so that to free the object and to use it conflict. */
#include "runtime.h"

/* Who holds a lock is kept apart from the lock's own words, which then are never written: what reads them by itself sees
 * what it sees in any order, and to give back and to take need not race. */
struct lock {
	uint64_t address, holder, pc;
};
enum { LOCKS_AT_MOST = 128 };
OURS static struct lock locks[LOCKS_AT_MOST];

static struct lock *lock_at(uint64_t address)
{
	uint64_t i = (address >> 3) % LOCKS_AT_MOST;

	for (uint64_t n = 0; n < LOCKS_AT_MOST; n++, i = (i + 1) % LOCKS_AT_MOST) {
		if (!locks[i].address)
			locks[i].address = address;
		if (locks[i].address == address)
			return &locks[i];
	}
	c_fault(EXHAUSTED, address, 0, 0);
}

static void might_sleep(uint64_t pc)
{
	if (c_running->spinning)
		c_fault(SLEEPS, 0, 0, pc);
}

static int is_free(struct thread *t)
{
	return !c_may_touch(t->until_a, 8) || !((struct lock *)t->until_b)->holder;
}

static void acquire(uint64_t address, const char *verb, int spins, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	if (!spins)
		might_sleep(pc);
	c_begin_step(verb, pc);
	c_range(address, 8, LOCKS);
	c_running->holder = (uint64_t)&lock->holder;
	c_take_step(is_free, address, (uint64_t)lock);
	c_check(address, 8, 1, pc);
	lock->holder = c_number() + 1;
	lock->pc = pc;
	c_running->held = pc;
	c_running->spinning += spins;
}

static void release(uint64_t address, const char *verb, int spins, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	c_begin_step(verb, pc);
	c_range(address, 8, UNLOCKS);
	c_take_step(NULL, 0, 0);
	c_check(address, 8, 1, pc);
	if (lock->holder != c_number() + 1)
		c_fault(NOT_HELD, address, 8, pc);
	lock->holder = 0;
	c_running->spinning -= spins;
	c_running->held = 0;
	for (int i = 0; i < LOCKS_AT_MOST; i++)
		if (locks[i].holder == c_number() + 1)
			c_running->held = locks[i].pc;
}

static int try(uint64_t address, const char *verb, int spins, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	c_begin_step(verb, pc);
	c_range(address, 8, WRITES);
	c_take_step(NULL, 0, 0);
	c_check(address, 8, 1, pc);
	if (lock->holder)
		return 0;
	lock->holder = c_number() + 1;
	lock->pc = pc;
	c_running->held = pc;
	c_running->spinning += spins;
	return 1;
}

static int holds(uint64_t address, uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_begin_step("look at lock", pc);
	c_range(address, 8, WRITES); /* in the eyes of whoever takes it or gives it back */
	c_take_step(NULL, 0, 0);
	c_check(address, 8, 0, pc);
	return lock_at(address)->holder != 0;
}

static void init(uint64_t address, uint64_t pc, uint64_t sp)
{
	c_touch(WRITE, address, 8, pc, sp);
	*(uint64_t *)address = 0;
	lock_at(address)->holder = 0;
}

void mutex_init(void *lock) { init((uint64_t)lock, PC, SP); }
void mutex_lock(void *lock) { acquire((uint64_t)lock, "lock", 0, PC, SP); }
void mutex_unlock(void *lock) { release((uint64_t)lock, "unlock", 0, PC, SP); }
int mutex_trylock(void *lock) { return try((uint64_t)lock, "try lock", 0, PC, SP); }
int mutex_is_locked(void *lock) { return holds((uint64_t)lock, PC, SP); }
void spin_lock_init(void *lock) { init((uint64_t)lock, PC, SP); }
void spin_lock(void *lock) { acquire((uint64_t)lock, "spin lock", 1, PC, SP); }
void spin_unlock(void *lock) { release((uint64_t)lock, "spin unlock", 1, PC, SP); }
int spin_trylock(void *lock) { return try((uint64_t)lock, "try spin lock", 1, PC, SP); }
int spin_is_locked(void *lock) { return holds((uint64_t)lock, PC, SP); }

/* An object with a lock that somebody holds must not be freed. */
void c_frees(uint64_t start, uint64_t size, uint64_t pc)
{
	for (int i = 0; i < LOCKS_AT_MOST; i++)
		if (locks[i].holder && locks[i].address - start < size)
			c_fault(FREES_LOCK, start, 0, pc);
}

/* One step on 8 bytes that is not taken until `until`. */
static void wait_at(const char *verb, uint64_t address, uint64_t use, int (*until)(struct thread *), uint64_t value,
		    uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	might_sleep(pc);
	c_begin_step(verb, pc);
	c_range(address, 8, use);
	c_take_step(until, address, value);
	c_check(address, 8, use == WRITES, pc);
}

static int is_done(struct thread *t) { return !c_may_touch(t->until_a, 8) || *(volatile unsigned *)t->until_a; }

void complete(unsigned *done)
{
	c_touch(ATOMIC, (uint64_t)done, 4, PC, SP);
	if (*done != ~0u)
		++*done;
}

void complete_all(unsigned *done)
{
	c_touch(ATOMIC, (uint64_t)done, 4, PC, SP);
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

	c_touch(ATOMIC, (uint64_t)done, 4, PC, SP);
	before = *done;
	if (before && before != ~0u)
		--*done;
	return before != 0;
}

/* A wait queue is a count of wake-ups: who waits has read it before it looked at its condition. */
static int is_woken(struct thread *t)
{
	return !c_may_touch(t->until_a, 8) || *(volatile uint64_t *)t->until_a != t->until_b;
}

void c_wake_up(uint64_t *queue)
{
	c_touch(ATOMIC, (uint64_t)queue, 8, PC, SP);
	++*queue;
}

uint64_t c_prepare_to_wait(uint64_t *queue)
{
	might_sleep(PC);
	c_touch(READ, (uint64_t)queue, 8, PC, SP);
	return *queue;
}

void c_schedule(uint64_t *queue, uint64_t before)
{
	wait_at("wait on queue", (uint64_t)queue, READS, is_woken, before, PC, SP);
}

/* Work queues: a work has its turn in `slot`; a queue counts what was queued and what is done. One worker serves each,
 * so all of a queue before its number `done` is done. */
struct work {
	uint64_t pending;
	void (*function)(struct work *);
	struct queue *queue;
	uint64_t turn;
};
enum { TURNS = 256, QUEUES = 8, CANCELLED = 1, TAKEN = 2 };
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
	might_sleep(PC);
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
	c_touch(WRITE, (uint64_t)&queue->slot[turn], 8, PC, SP);
	queue->slot[turn] = (uint64_t)work;
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
	might_sleep(PC);
	c_touch(READ, (uint64_t)&queue->tail, 8, PC, SP);
	wait_until_done(queue, queue->tail, PC, SP);
}

void destroy_workqueue(struct queue *queue)
{
	might_sleep(PC);
	c_touch(READ, (uint64_t)&queue->tail, 8, PC, SP);
	wait_until_done(queue, queue->tail, PC, SP);
	c_touch(WRITE, (uint64_t)&queue->tail, 8, PC, SP);
	queue->is_there = 0;
}

static int flush(struct work *work, uint64_t pc, uint64_t sp)
{
	struct queue *queue;
	uint64_t turns;

	might_sleep(pc);
	c_begin_step("look at work", pc);
	c_range((uint64_t)work, sizeof *work, READS);
	c_take_step(NULL, 0, 0);
	c_check((uint64_t)work, sizeof *work, 0, pc);
	queue = work->queue;
	turns = work->turn + 1;
	if (!queue)
		return 0;
	wait_until_done(queue, turns, pc, sp);
	return 1;
}

int flush_work(struct work *work) { return flush(work, PC, SP); }

int cancel_work_sync(struct work *work)
{
	uint64_t turn;
	struct queue *queue;
	int was_pending;

	might_sleep(PC);
	for (;;) {
		c_touch(READ, (uint64_t)&work->turn, 8, PC, SP);
		turn = work->turn;
		c_begin_step("cancel work", PC);
		c_range((uint64_t)work, sizeof *work, WRITES);
		queue = work->queue;
		if (queue)
			c_range((uint64_t)&queue->slot[turn], 8, WRITES);
		c_take_step(NULL, 0, 0);
		c_check((uint64_t)work, sizeof *work, 1, PC);
		if (work->queue == queue && work->turn == turn)
			break;
	}
	if (!queue)
		return 0;
	was_pending = work->pending;
	if (was_pending && queue->slot[turn] == (uint64_t)work) {
		work->pending = 0;
		queue->slot[turn] = CANCELLED;
		work->queue = 0; /* neither pending nor running: who flushes it waits for nothing */
		return 1;
	}
	wait_until_done(queue, turn + 1, PC, SP);
	return was_pending;
}

static int has_work(struct thread *t) { return ((struct queue *)t->until_a)->slot[t->until_b] != 0; }

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
		c_range((uint64_t)&queue->slot[queue->head], 8, WRITES);
		c_stop.is_idle = 1;
		c_take_step(has_work, (uint64_t)queue, queue->head);
		work = (struct work *)queue->slot[queue->head];
		if (work != (struct work *)CANCELLED) {
			queue->slot[queue->head] = TAKEN;
			c_begin_step("begin work", PC);
			c_range((uint64_t)work, sizeof *work, WRITES);
			c_take_step(NULL, 0, 0);
			c_check((uint64_t)work, sizeof *work, 1, PC);
			work->pending = 0;
			work->function(work);
			if (c_running->held)
				c_fault(STILL_HELD, 0, 0, c_running->held);
		}
		c_touch(WRITE, (uint64_t)&queue->done, 8, PC, SP);
		queue->done++;
	}
}

void c_might_sleep(void) { might_sleep(PC); }

/* Something that a property may look at: a step of its own, which Python records. */
void stopmarker_note(const char *subject, long value)
{
	c_running->user_sp = SP;
	c_begin_step("note", PC);
	c_stop.address = (uint64_t)subject;
	c_stop.value = value;
	c_take_step(NULL, 0, 0);
}
