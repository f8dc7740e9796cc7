#ifndef _LINUX_REFCOUNT_H
#define _LINUX_REFCOUNT_H
#include <linux/atomic.h>

typedef struct {
	atomic_t refs;
} refcount_t;
#define REFCOUNT_INIT(value) { .refs = ATOMIC_INIT(value) }

static inline void refcount_set(refcount_t *r, int value) { atomic_set(&r->refs, value); }
static inline unsigned int refcount_read(const refcount_t *r) { return atomic_read(&r->refs); }
static inline bool refcount_inc_not_zero(refcount_t *r)
{
	int now = atomic_read(&r->refs), before;

	for (; now; now = before) {
		before = atomic_cmpxchg_relaxed(&r->refs, now, now + 1);
		if (before == now)
			return true;
	}
	return false;
}
static inline void refcount_inc(refcount_t *r) { WARN_ON(atomic_fetch_add_relaxed(1, &r->refs) <= 0); }
static inline bool refcount_dec_and_test(refcount_t *r)
{
	int left = atomic_sub_return_release(1, &r->refs);

	if (!left)
		smp_rmb(); /* the last one comes behind what the others did */
	WARN_ON(left < 0);
	return left == 0;
}
static inline void refcount_dec(refcount_t *r) { WARN_ON(atomic_sub_return_release(1, &r->refs) <= 0); }
#endif
