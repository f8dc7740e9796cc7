#ifndef _LINUX_COMPLETION_H
#define _LINUX_COMPLETION_H
#include <linux/kernel.h>

struct completion {
	unsigned int done;
	unsigned int unused;
};
#define DECLARE_COMPLETION(name) struct completion name = { 0 }
#define DECLARE_COMPLETION_ONSTACK(name) struct completion name = { 0 }

void complete(struct completion *completion);
void complete_all(struct completion *completion);
void wait_for_completion(struct completion *completion);
bool try_wait_for_completion(struct completion *completion);
static inline void init_completion(struct completion *completion) { completion->done = 0; }
static inline void reinit_completion(struct completion *completion) { completion->done = 0; }
static inline bool completion_done(struct completion *completion) { return READ_ONCE(completion->done) != 0; }
#endif
