/* Five small races that kernels had in many places, each with the way out of it. */
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <stopmarker.h>

/* A reference that two users drop: counted in two accesses, or by the instruction that is made for it. */
static struct object {
	refcount_t users;
	long payload;
} *object;

void setup_reference(void)
{
	object = kzalloc(sizeof(*object), GFP_KERNEL);
	refcount_set(&object->users, 2);
}

void put_in_two_steps(void)
{
	int left = refcount_read(&object->users) - 1;

	stopmarker_note("left", left);
	refcount_set(&object->users, left);
	if (!left)
		kfree(object);
}

void put_atomically(void)
{
	stopmarker_note("left", refcount_read(&object->users) - 1);
	if (refcount_dec_and_test(&object->users))
		kfree(object);
}

/* Who waits has the completion on its stack. A waiter that gives up as soon as it sees `done` returns while the other
 * side is still in complete(); wait_for_completion() does not. */
static struct completion *waiter;

static void wait_by_looking(void)
{
	struct completion done = { 0 };

	WRITE_ONCE(waiter, &done);
	while (!READ_ONCE(done.done))
		cpu_relax();
}

static void wait_properly(void)
{
	struct completion done = { 0 };

	WRITE_ONCE(waiter, &done);
	wait_for_completion(&done);
}

void wait_for_other(int properly)
{
	if (properly)
		wait_properly();
	else
		wait_by_looking();
	stopmarker_note("waited", 1);
}

void finish(int in_two_steps)
{
	struct completion *completion;

	while (!(completion = READ_ONCE(waiter)))
		cpu_relax();
	if (in_two_steps) {
		WRITE_ONCE(completion->done, 1);
		WRITE_ONCE(completion->unused, 0); /* as a lock in it is given back */
	} else {
		complete(completion);
	}
}

/* A sequence count: who reads two words that belong together looks at it before and after. */
static struct {
	unsigned sequence;
	u64 first, second;
} clock;

void advance(int counts)
{
	if (counts)
		WRITE_ONCE(clock.sequence, clock.sequence + 1);
	WRITE_ONCE(clock.first, clock.first + 1);
	WRITE_ONCE(clock.second, clock.second + 1);
	if (counts)
		WRITE_ONCE(clock.sequence, clock.sequence + 1);
}

void read_clock(void)
{
	unsigned before;
	u64 first, second;

	do {
		while ((before = READ_ONCE(clock.sequence)) & 1)
			cpu_relax();
		first = READ_ONCE(clock.first);
		second = READ_ONCE(clock.second);
	} while (READ_ONCE(clock.sequence) != before);
	stopmarker_note("apart by", first - second);
	stopmarker_note("read", first);
}

/* A device whose interrupt may come while it goes. Its data may be freed once no handler runs and none will. */
static struct device_data {
	spinlock_t lock;
	int interrupts;
} *data;

static irqreturn_t count_interrupt(int irq, void *device)
{
	struct device_data *data = device;
	unsigned long flags;

	spin_lock_irqsave(&data->lock, flags);
	data->interrupts++;
	spin_unlock_irqrestore(&data->lock, flags);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t report_interrupt(int irq, void *device)
{
	struct device_data *data = device;

	stopmarker_note("interrupts", READ_ONCE(data->interrupts));
	return IRQ_HANDLED;
}

void probe(void)
{
	data = kzalloc(sizeof(*data), GFP_KERNEL);
	spin_lock_init(&data->lock);
	request_threaded_irq(7, count_interrupt, report_interrupt, IRQF_ONESHOT, "device", data);
}

void remove_device(int waits)
{
	if (waits)
		free_irq(7, data); /* returns when handler and thread are over */
	kfree(data);
	if (!waits)
		free_irq(7, data);
}
