/* A little of each, upon a kernel's own types. */
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct fault {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t users;
	int handled;
};
static DEFINE_MUTEX(lock);
static DEFINE_SPINLOCK(spin);
static DECLARE_RWSEM(many);
static LIST_HEAD(faults);
static DECLARE_COMPLETION(done);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static DEFINE_PER_CPU(int, counted);
static struct fault __rcu *current_fault;
static struct workqueue_struct *workers;
static struct work_struct work;
static struct completion served;
int handled, unlocked, total;

static void serve(struct work_struct *given)
{
	handled++;
	complete(&served);
}

void setup(void)
{
	struct fault *fault = kzalloc(sizeof(*fault), GFP_KERNEL);

	refcount_set(&fault->users, 1);
	rcu_assign_pointer(current_fault, fault);
	workers = alloc_workqueue("%s/%d", WQ_UNBOUND, 1, "iopf", 7);
	INIT_WORK(&work, serve);
	init_completion(&served);
}

void add_fault(void)
{
	struct fault *fault = kzalloc(sizeof(*fault), GFP_KERNEL);

	mutex_lock(&lock);
	list_add_tail(&fault->node, &faults);
	mutex_unlock(&lock);
}

int faults_are_lost(void)
{
	struct fault *fault, *next;
	int count = 0;

	list_for_each_entry_safe(fault, next, &faults, node) {
		list_del(&fault->node);
		kfree(fault);
		count++;
	}
	return count != 2;
}

void finish(void) { complete(&done); }
void await(void) { wait_for_completion(&done); }

void raise_condition(void)
{
	WRITE_ONCE(handled, 1);
	wake_up(&queue);
}
void raise_unheard(void) { WRITE_ONCE(handled, 1); }
void wait_for_condition(void) { wait_event(queue, READ_ONCE(handled)); }

int queue_and_flush(void)
{
	queue_work(workers, &work);
	flush_work(&work);
	return 0;
}
int await_served(void)
{
	wait_for_completion(&served);
	return 0;
}
int is_not_handled(void) { return handled != 1; }

void read_fault(void)
{
	struct fault *fault;

	rcu_read_lock();
	fault = rcu_dereference(current_fault);
	if (fault)
		fault->handled = 1;
	rcu_read_unlock();
}
static struct fault *taken(void) { return unrcu_pointer(xchg(&current_fault, NULL)); }
void free_after_readers(void)
{
	struct fault *fault = taken();

	synchronize_rcu();
	kfree(fault);
}
void free_at_once(void) { kfree(taken()); }
void free_later(void)
{
	struct fault *fault = taken();

	kfree_rcu(fault, rcu);
}

void write_under_semaphore(void)
{
	down_write(&many);
	unlocked++;
	up_write(&many);
}
void read_under_semaphore(void)
{
	down_read(&many);
	WRITE_ONCE(total, unlocked);
	up_read(&many);
}
void count_mine(void)
{
	this_cpu_inc(counted);
	spin_lock(&spin);
	total += this_cpu_read(counted);
	spin_unlock(&spin);
}
int total_is_not_two(void) { return total != 2; }
int is_not_two(void) { return unlocked != 2; }
void sleep_under_spin_lock(void)
{
	spin_lock(&spin);
	kfree(kmalloc(8, GFP_KERNEL));
	spin_unlock(&spin);
}

static struct wait_queue_head *waiters;
void setup_waiters(void)
{
	waiters = kmalloc(sizeof(*waiters), GFP_KERNEL);
	init_waitqueue_head(waiters);
}
void wake_freed(void)
{
	kfree(waiters);
	wake_up(waiters);
}

/* Two domains, so that which is used first must not matter. */
DEFINE_STATIC_SRCU(one);
DEFINE_STATIC_SRCU(other);
static int *guarded;
void setup_guarded(void) { guarded = kzalloc(sizeof(*guarded), GFP_KERNEL); }
void read_one(void)
{
	int index = srcu_read_lock(&one), *value = READ_ONCE(guarded);

	if (value)
		READ_ONCE(*value);
	srcu_read_unlock(&one, index);
}
void read_other(void) { srcu_read_unlock(&other, srcu_read_lock(&other)); }
static void replace(struct srcu_struct *domain)
{
	int *before = xchg(&guarded, NULL);

	synchronize_srcu(domain);
	kfree(before);
}
void free_after_one(void) { replace(&one); }
void free_after_other(void) { replace(&other); }
