#ifndef _ASM_BUG_H
#define _ASM_BUG_H
#include <linux/compiler.h>
/* Each is a finding, and ends the thread. */
void c_warn(const char *text);
void c_bug(const char *text) __attribute__((__noreturn__));
#define HAVE_ARCH_BUG
#define BUG() c_bug("reached")
#define HAVE_ARCH_BUG_ON
#define BUG_ON(condition)                   \
	do {                                 \
		if (unlikely(condition))     \
			c_bug(#condition);   \
	} while (0)
#define WARN_ON(condition)                  \
	({                                   \
		int warns_ = !!(condition);  \
		if (unlikely(warns_))        \
			c_warn(#condition);  \
		unlikely(warns_);            \
	})
#define WARN(condition, ...) WARN_ON(condition)
#define WARN_TAINT(condition, ...) WARN_ON(condition)
#include <asm-generic/bug.h>
#undef WARN_ON_ONCE
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#undef WARN_ONCE
#define WARN_ONCE(condition, ...) WARN_ON(condition)
#endif
