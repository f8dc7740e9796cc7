/* Work queues. A work has its turn in `slot`, until it begins; then its complement stands there, which points to nothing.
 * A queue counts what was queued and what is done. One worker serves each, so all before its number `done` is done. */
#include "runtime.h"
#include "primitives.h"

/* As a kernel lays it out: the lowest bit of the first word says that it is pending; the two pointers of its list say
 * which turn it has of which queue. */
struct work {
	uint64_t state;
	struct queue *queue;
	uint64_t turn;
	void (*function)(struct work *);
};
enum { TURNS = 256, QUEUES = 8, CANCELLED = 1, RESERVED = 2, PENDING = 1 };
struct queue {
	uint64_t is_there, is_served, tail, done, head;
	uint64_t slot[TURNS];
	char name[40];
};
OURS_SET struct queue c_queues[QUEUES] = { { .is_there = 1, .name = "events" }, { .is_there = 1, .name = "rcu" } };
#define CALLBACKS (&c_queues[1])
OURS_SET struct queue *system_wq = &c_queues[0];
/* The queues of a kernel that differ in how soon they are served. */
#define ALSO(name) OURS_SET struct queue *name = &c_queues[0];
ALSO(system_percpu_wq) ALSO(system_highpri_wq) ALSO(system_long_wq) ALSO(system_unbound_wq) ALSO(system_dfl_wq)
ALSO(system_freezable_wq) ALSO(system_power_efficient_wq)
/* What is to be called after a grace period, and of which readers. */
struct head {
	struct head *next;
	void (*function)(struct head *);
};
OURS static uint64_t domain_of[TURNS];
enum { MOST_OFFSET = 4096 };
#define RCU ((unsigned long)&rcu_readers)

/* The queue that a work was queued on last; NULL if it has never been. */
static struct queue *queue_of(struct work *work)
{
	return (uint64_t)work->queue - (uint64_t)c_queues < sizeof c_queues ? work->queue : NULL;
}

/* A name as `format` says it, of which texts and whole numbers are known. */
static void say(char *to, uint64_t room, const char *format, __builtin_va_list more)
{
	char *end = to + room - 1;

	for (; *format && to < end; format++) {
		if (format[0] == '%' && format[1] == 's') {
			for (const char *text = __builtin_va_arg(more, const char *); *text && to < end;)
				*to++ = *text++;
			format++;
		} else if (format[0] == '%' && (format[1] == 'd' || format[1] == 'u')) {
			unsigned number = __builtin_va_arg(more, unsigned), power = 1;

			while (number / power > 9)
				power *= 10;
			for (; power && to < end; power /= 10)
				*to++ = '0' + number / power % 10;
			format++;
		} else {
			*to++ = *format;
		}
	}
	*to = 0;
}

static struct queue *allocate_queue(const char *format, __builtin_va_list more, uint64_t pc, uint64_t sp)
{
	c_may_sleep(pc);
	c_running->user_sp = sp;
	c_begin_step("allocate work queue", pc);
	c_range((uint64_t)&system_wq, 8, WRITES); /* stands for the table of all */
	c_take_step(NULL, 0, 0);
	for (int i = 2; i < QUEUES; i++)
		if (!c_queues[i].name[0]) {
			say(c_queues[i].name, sizeof c_queues[i].name, format, more);
			c_queues[i].is_there = 1;
			return &c_queues[i];
		}
	c_fault(EXHAUSTED, 0, 0, pc);
}

#define ALLOCATES(name)                                                      \
	struct queue *name(const char *format, unsigned flags, int active, ...) \
	{                                                                    \
		__builtin_va_list more;                                      \
		struct queue *made;                                          \
									     \
		__builtin_va_start(more, active);                            \
		made = allocate_queue(format, more, PC, SP);                 \
		__builtin_va_end(more);                                      \
		return made;                                                 \
	}
ALLOCATES(alloc_workqueue)
ALLOCATES(alloc_workqueue_noprof)

static int queue(struct queue *queue, struct work *work, uint64_t pc, uint64_t sp)
{
	uint64_t turn;

	c_running->user_sp = sp;
	c_begin_step("queue work", pc);
	c_range((uint64_t)work, sizeof *work, WRITES);
	c_range((uint64_t)&queue->tail, 8, WRITES);
	c_take_step(NULL, 0, 0);
	c_check((uint64_t)work, sizeof *work, 1, pc);
	if (!queue->is_there)
		c_fault(DESTROYED, 0, 0, pc);
	if (work->state & PENDING)
		return 0;
	if (queue->tail == TURNS)
		c_fault(EXHAUSTED, 0, 0, pc);
	work->state |= PENDING;
	work->queue = queue;
	work->turn = turn = queue->tail++;
	queue->slot[turn] = (uint64_t)work | RESERVED;
	/* Only now is it known which turn it has: that the worker may come to it is a step of its own. */
	c_touch(WRITE | PRIMITIVE, (uint64_t)&queue->slot[turn], 8, pc, sp);
	queue->slot[turn] &= ~RESERVED;
	return 1;
}

static void call_after(uint64_t domain, struct head *head, void (*function)(struct head *), uint64_t pc, uint64_t sp)
{
	uint64_t turn;

	c_running->user_sp = sp;
	c_begin_step("call after readers", pc);
	c_range((uint64_t)head, sizeof *head, WRITES);
	c_range((uint64_t)&CALLBACKS->tail, 8, WRITES);
	c_take_step(NULL, 0, 0);
	c_check((uint64_t)head, sizeof *head, 1, pc);
	if (CALLBACKS->tail == TURNS)
		c_fault(EXHAUSTED, 0, 0, pc);
	head->function = function;
	turn = CALLBACKS->tail++;
	domain_of[turn] = domain;
	CALLBACKS->slot[turn] = (uint64_t)head | RESERVED;
	c_touch(WRITE | PRIMITIVE, (uint64_t)&CALLBACKS->slot[turn], 8, pc, sp);
	CALLBACKS->slot[turn] &= ~RESERVED;
}

void call_rcu(struct head *head, void (*function)(struct head *)) { call_after(RCU, head, function, PC, SP); }
void call_srcu(uint64_t domain, struct head *head, void (*function)(struct head *))
{
	call_after(domain, head, function, PC, SP);
}

/* To free what holds the head, or has none; older kernels say how far the head is from its beginning instead. */
void kvfree_call_rcu(struct head *head, uint64_t object)
{
	if (head) {
		call_after(RCU, head, (void *)(object < MOST_OFFSET ? object : (uint64_t)head - object), PC, SP);
		return;
	}
	c_wait_for_readers(RCU, PC, SP);
	c_free(object, PC, SP);
}

static void call_back(struct head *head, uint64_t domain)
{
	c_wait_for_readers(domain, PC, SP);
	if ((uint64_t)head->function < MOST_OFFSET)
		c_free((uint64_t)head - (uint64_t)head->function, PC, SP);
	else
		head->function(head);
}

int queue_work(struct queue *to, struct work *work) { return queue(to, work, PC, SP); }
int queue_work_on(int cpu, struct queue *to, struct work *work) { return queue(to, work, PC, SP); }

static int is_behind(struct thread *t) { return ((struct queue *)t->until_a)->done >= t->until_b; }

static void wait_until_done(struct queue *queue, uint64_t turns, uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_begin_step("flush", pc);
	c_range((uint64_t)&queue->done, 8, READS);
	c_take_step(is_behind, (uint64_t)queue, turns);
}

static void flush_all(struct queue *queue, uint64_t pc, uint64_t sp)
{
	c_may_sleep(pc);
	c_touch(READ | PRIMITIVE, (uint64_t)&queue->tail, 8, pc, sp);
	wait_until_done(queue, queue->tail, pc, sp);
}

void flush_workqueue(struct queue *queue) { flush_all(queue, PC, SP); }
void __flush_workqueue(struct queue *queue) { flush_all(queue, PC, SP); }

void destroy_workqueue(struct queue *queue)
{
	flush_all(queue, PC, SP);
	c_touch(WRITE | PRIMITIVE, (uint64_t)&queue->tail, 8, PC, SP);
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
	c_touch(READ | PRIMITIVE, (uint64_t)&work->turn, 8, pc, sp);
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
		queue = queue_of(work);
		turn = queue ? work->turn : 0; /* what else lies there is no turn */
		if (queue)
			c_range((uint64_t)&queue->slot[turn], 8, WRITES);
		c_take_step(NULL, 0, 0);
		c_check((uint64_t)work, sizeof *work, 1, pc);
	} while (queue_of(work) != queue || (queue && work->turn != turn));
	if (!(work->state & PENDING))
		return 0;
	work->state &= ~PENDING;
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
	work->state &= ~PENDING;
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
		if (queue == CALLBACKS) {
			queue->slot[queue->head] = ~(uint64_t)work;
			call_back((struct head *)work, domain_of[queue->head]);
		} else if (work != (struct work *)CANCELLED && begins(queue, work)) {
			work->function(work);
			if (c_running->held)
				c_fault(STILL_HELD, 0, 0, c_running->held);
		}
		c_touch(WRITE | PRIMITIVE, (uint64_t)&queue->done, 8, PC, SP);
		queue->done++;
	}
}
