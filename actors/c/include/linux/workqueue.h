#ifndef _LINUX_WORKQUEUE_H
#define _LINUX_WORKQUEUE_H
#include <linux/kernel.h>

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);
struct workqueue_struct;
struct work_struct {
	u64 pending;
	struct workqueue_struct *queue;
	u64 turn;
	work_func_t func;
};
#define WQ_UNBOUND 2u
#define WQ_HIGHPRI 16u
#define WQ_MEM_RECLAIM 8u
#define DECLARE_WORK(name, function) struct work_struct name = { .func = (function) }
#define INIT_WORK(work, function)             \
	do {                                   \
		(work)->pending = 0;           \
		(work)->queue = NULL;          \
		(work)->func = (function);     \
	} while (0)
#define INIT_WORK_ONSTACK(work, function) INIT_WORK(work, function)

extern struct workqueue_struct *system_wq;
/* One worker serves each, in order; `code.worker(name)` is its actor, and system_wq is called "events". */
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int active, ...);
#define alloc_ordered_workqueue(name, flags) alloc_workqueue(name, flags, 1)
void destroy_workqueue(struct workqueue_struct *queue);
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
void flush_workqueue(struct workqueue_struct *queue);
bool flush_work(struct work_struct *work);
bool cancel_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
#define schedule_work(work) queue_work(system_wq, work)
#define work_pending(work) (READ_ONCE((work)->pending) != 0)
#endif
