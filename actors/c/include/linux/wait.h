#ifndef _LINUX_WAIT_H
#define _LINUX_WAIT_H
#include <linux/kernel.h>

typedef struct wait_queue_head {
	u64 wakeups;
} wait_queue_head_t;
#define DECLARE_WAIT_QUEUE_HEAD(name) wait_queue_head_t name

void c_wake_up(wait_queue_head_t *queue);
u64 c_prepare_to_wait(wait_queue_head_t *queue);
void c_schedule(wait_queue_head_t *queue, u64 before);
#define init_waitqueue_head(queue) ((queue)->wakeups = 0)
#define wake_up(queue) c_wake_up(queue)
#define wake_up_all(queue) c_wake_up(queue)
#define wake_up_interruptible(queue) c_wake_up(queue)
/* Whoever makes the condition true must wake up those who wait for it. */
#define wait_event(queue, condition)                                   \
	do {                                                            \
		c_might_sleep();                                        \
		while (!(condition)) {                                  \
			u64 before_ = c_prepare_to_wait(&(queue));      \
			if (condition)                                  \
				break;                                  \
			c_schedule(&(queue), before_);                  \
		}                                                       \
	} while (0)
#endif
