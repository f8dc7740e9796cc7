#ifndef _LINUX_BUG_H
#define _LINUX_BUG_H
#include <linux/compiler.h>

void c_warn(const char *text);
__attribute__((__noreturn__)) void c_bug(const char *text);

/* Each is a finding, and ends the thread. */
#define WARN_ON(condition)                       \
	({                                        \
		int warns_ = !!(condition);       \
		if (unlikely(warns_))             \
			c_warn(#condition);       \
		warns_;                           \
	})
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN(condition, ...) WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN_ON(condition)
#define BUG_ON(condition)                        \
	do {                                      \
		if (unlikely(condition))          \
			c_bug(#condition);        \
	} while (0)
#define BUG() c_bug("reached")
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#endif
