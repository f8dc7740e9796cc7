/* Wait queues and tasks that sleep, upon a kernel's own types. Each access here is a step, as in the user's files. */
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/wait.h>

void __init_waitqueue_head(struct wait_queue_head *queue, const char *name, struct lock_class_key *key)
{
	INIT_LIST_HEAD(&queue->head);
}

void init_wait_entry(struct wait_queue_entry *entry, int flags)
{
	entry->flags = flags;
	entry->private = current;
	entry->func = autoremove_wake_function;
	INIT_LIST_HEAD(&entry->entry);
}

static void enqueue(struct wait_queue_head *queue, struct wait_queue_entry *entry, int is_last)
{
	if (is_last)
		list_add_tail(&entry->entry, &queue->head);
	else
		list_add(&entry->entry, &queue->head);
}

static void add(struct wait_queue_head *queue, struct wait_queue_entry *entry, int is_exclusive)
{
	spin_lock(&queue->lock);
	entry->flags = is_exclusive ? entry->flags | WQ_FLAG_EXCLUSIVE : entry->flags & ~WQ_FLAG_EXCLUSIVE;
	enqueue(queue, entry, is_exclusive);
	spin_unlock(&queue->lock);
}

void add_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry) { add(queue, entry, 0); }
void add_wait_queue_exclusive(struct wait_queue_head *queue, struct wait_queue_entry *entry) { add(queue, entry, 1); }
void remove_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	spin_lock(&queue->lock);
	list_del(&entry->entry);
	spin_unlock(&queue->lock);
}

/* Whoever waits is on the queue, and says that it sleeps, before it looks at its condition once more. */
static void prepare(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state, int is_exclusive)
{
	spin_lock(&queue->lock);
	if (list_empty(&entry->entry))
		enqueue(queue, entry, is_exclusive);
	set_current_state(state);
	spin_unlock(&queue->lock);
}

long prepare_to_wait_event(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	prepare(queue, entry, state, entry->flags & WQ_FLAG_EXCLUSIVE);
	return 0;
}

void prepare_to_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	prepare(queue, entry, state, 0);
}

bool prepare_to_wait_exclusive(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	entry->flags |= WQ_FLAG_EXCLUSIVE;
	prepare(queue, entry, state, 1);
	return true;
}

void finish_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	__set_current_state(TASK_RUNNING);
	spin_lock(&queue->lock);
	list_del_init(&entry->entry);
	spin_unlock(&queue->lock);
}

int wake_up_state(struct task_struct *task, unsigned int state)
{
	if (!(READ_ONCE(task->__state) & state))
		return 0;
	WRITE_ONCE(task->__state, TASK_RUNNING);
	return 1;
}

int wake_up_process(struct task_struct *task) { return wake_up_state(task, TASK_NORMAL); }

int default_wake_function(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	return wake_up_state(entry->private, mode);
}

int autoremove_wake_function(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	int woken = default_wake_function(entry, mode, flags, key);

	if (woken)
		list_del_init(&entry->entry);
	return woken;
}

static void wake_locked(struct wait_queue_head *queue, unsigned int mode, int exclusive, void *key)
{
	struct wait_queue_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &queue->head, entry) {
		unsigned flags = entry->flags;

		if (entry->func(entry, mode, 0, key) > 0 && flags & WQ_FLAG_EXCLUSIVE && !--exclusive)
			break;
	}
}

int __wake_up(struct wait_queue_head *queue, unsigned int mode, int exclusive, void *key)
{
	spin_lock(&queue->lock);
	wake_locked(queue, mode, exclusive, key);
	spin_unlock(&queue->lock);
	return 0;
}

void __wake_up_locked(struct wait_queue_head *queue, unsigned int mode, int exclusive)
{
	wake_locked(queue, mode, exclusive, NULL);
}

/* A time may be over whenever somebody waits for it: both are tried. */
signed long schedule_timeout(signed long timeout)
{
	unsigned int state;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	state = xchg(&current->__state, TASK_RUNNING);
	return state == TASK_RUNNING ? timeout : 0;
}

/* The memory of a process is gone with its last user; what it was used for is not looked at. */
void mmput(struct mm_struct *mm)
{
	if (atomic_dec_and_test(&mm->mm_users))
		mmdrop(mm);
}
void __mmdrop(struct mm_struct *mm) {}
