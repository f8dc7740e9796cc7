/* A ring of descriptors, as network and storage drivers have it: the driver fills the next one and rings a doorbell, and
 * the device fetches what lies before its tail. */
#include <linux/dma-mapping.h>
#include <linux/io.h>

struct descriptor {
	u64 address;
	u64 length; /* with OWNED while it is the device's */
};
#define OWNED BIT(63)
#define LENGTH 64

static struct {
	struct descriptor *ring;
	u64 __iomem *doorbell;
	u64 tail;
} queue;

void setup(struct descriptor *ring, u64 __iomem *doorbell)
{
	queue.ring = ring;
	queue.doorbell = doorbell;
}

static void submit(u64 address, int has_barrier)
{
	struct descriptor *next = &queue.ring[queue.tail++];

	WRITE_ONCE(next->address, address);
	WRITE_ONCE(next->length, LENGTH | OWNED);
	if (has_barrier)
		dma_wmb(); /* the device must not see the doorbell ahead of what it announces */
	writeq_relaxed(queue.tail, queue.doorbell);
}

void submit_two(int has_barrier)
{
	submit(0x1000, has_barrier);
	submit(0x2000, has_barrier);
}
