/* Read, copy, update: who reads keeps nobody out, and who frees waits until all who read before have ended. */
#include "runtime.h"
#include "primitives.h"

/* Of each domain and thread: how deep it reads, and how often it has ended; which it has seen of others. */
struct domain {
	uint64_t address, depth[SLOTS], ended[SLOTS];
};
enum { DOMAINS = 8 };
OURS static struct domain domains[DOMAINS];
OURS uint64_t rcu_readers;
OURS static uint64_t seen[SLOTS][SLOTS];

static struct domain *domain_at(uint64_t address, uint64_t pc)
{
	for (int i = 0; i < DOMAINS; i++)
		if (!domains[i].address || domains[i].address == address) {
			domains[i].address = address;
			return &domains[i];
		}
	c_fault(EXHAUSTED, address, 0, pc);
}

/* What stands for the words of a domain's readers, wherever in the table it has come to: which domain is used first must
 * decide nothing. */
static uint64_t words_of(uint64_t address) { return 1UL << 46 | address << 10; }

/* A step on the structure, so that to free it conflicts, and on the reader's own word. */
static void step(struct domain *domain, const char *verb, uint64_t pc, uint64_t sp)
{
	c_running->user_sp = sp;
	c_begin_step(verb, pc);
	c_range(domain->address, 4, READS);
	c_range(words_of(domain->address) + 8 * c_number(), 8, WRITES);
	c_take_step(NULL, 0, 0);
	c_check(domain->address, 4, 0, pc);
}

void c_begin_reading(uint64_t address, uint64_t pc, uint64_t sp)
{
	struct domain *domain = domain_at(address, pc);

	if (!domain->depth[c_number()])
		step(domain, "begin to read", pc, sp);
	domain->depth[c_number()]++;
}

void c_end_reading(uint64_t address, uint64_t pc, uint64_t sp)
{
	struct domain *domain = domain_at(address, pc);

	if (!domain->depth[c_number()])
		c_fault(NOT_HELD, address, 4, pc);
	if (domain->depth[c_number()] == 1)
		step(domain, "end reading", pc, sp);
	if (!--domain->depth[c_number()])
		domain->ended[c_number()]++;
}

/* Whether all who read when the wait began have ended. */
static int have_ended(struct thread *t)
{
	struct domain *domain = (struct domain *)t->until_a;

	for (int i = 0; i < SLOTS; i++)
		if (seen[t->until_b][i] != ~0UL && seen[t->until_b][i] == domain->ended[i] && domain->depth[i])
			return 0;
	return 1;
}

void c_wait_for_readers(uint64_t address, uint64_t pc, uint64_t sp)
{
	struct domain *domain = domain_at(address, pc);
	uint64_t me = c_number();

	c_may_sleep(pc);
	c_running->user_sp = sp;
	for (int is_end = 0; is_end < 2; is_end++) {
		c_begin_step(is_end ? "wait for readers" : "begin grace period", pc);
		c_range(address, 4, READS);
		c_range(words_of(address), 8 * SLOTS, READS);
		c_take_step(is_end ? have_ended : NULL, (uint64_t)domain, me);
		c_check(address, 4, 0, pc);
		for (int i = 0; i < SLOTS && !is_end; i++)
			seen[me][i] = domain->depth[i] ? domain->ended[i] : ~0UL;
	}
}
