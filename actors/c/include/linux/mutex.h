#ifndef _LINUX_MUTEX_H
#define _LINUX_MUTEX_H
#include <linux/kernel.h>

struct mutex {
	union { u64 word; }; /* only copied and cleared: whether it is held is kept elsewhere */
} __aligned(8);
#define DEFINE_MUTEX(name) struct mutex name; C_LOCK(name)

void mutex_init(struct mutex *lock);
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
bool mutex_is_locked(struct mutex *lock);
#define mutex_destroy(lock) ((void)(lock))
#define lockdep_assert_held(lock) ((void)(lock))
#endif
