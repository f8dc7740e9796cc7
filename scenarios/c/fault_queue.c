/* A queue of page faults, as a kernel keeps it for a device: pages that wait for the last of their group, a worker that
 * handles groups, and the removal of the device meanwhile. */
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <stopmarker.h>

struct fault {
	struct list_head list;
	u32 group;
};

struct fault_parameter {
	struct mutex lock;
	struct list_head partial; /* faults whose group is not complete */
	int handled;
};

struct group {
	struct work_struct work;
	struct list_head faults;
	struct fault_parameter *parameter;
	struct fault last;
};

static struct {
	struct mutex lock; /* guards the pointer below */
	struct fault_parameter *parameter;
	struct workqueue_struct *wq;
} device;

int setup(void)
{
	struct fault_parameter *parameter = kzalloc(sizeof(*parameter), GFP_KERNEL);

	mutex_init(&device.lock);
	mutex_init(&parameter->lock);
	INIT_LIST_HEAD(&parameter->partial);
	device.wq = alloc_workqueue("iopf_wq", WQ_UNBOUND, 0);
	device.parameter = parameter;
	return 0;
}

static void handle_group(struct work_struct *work)
{
	struct group *group = container_of(work, struct group, work);
	struct fault_parameter *parameter = group->parameter;
	struct fault *fault, *next;
	int pages = 0;

	list_for_each_entry_safe(fault, next, &group->faults, list) {
		pages++;
		list_del(&fault->list);
		if (fault != &group->last)
			kfree(fault);
	}
	parameter->handled += pages; /* by the worker alone */
	stopmarker_note("pages handled", pages);
	kfree(group);
}

static struct group *complete_group(struct fault_parameter *parameter, u32 number)
{
	struct group *group = kzalloc(sizeof(*group), GFP_KERNEL);
	struct fault *fault, *next;

	INIT_LIST_HEAD(&group->faults);
	group->parameter = parameter;
	group->last.group = number;
	list_add(&group->last.list, &group->faults);
	mutex_lock(&parameter->lock);
	list_for_each_entry_safe(fault, next, &parameter->partial, list)
		if (fault->group == number)
			list_move(&fault->list, &group->faults);
	mutex_unlock(&parameter->lock);
	INIT_WORK(&group->work, handle_group);
	return group;
}

/* What the interrupt thread does with one page fault. */
int report_fault(u32 number, int is_last)
{
	struct fault_parameter *parameter;
	int result = 0;

	mutex_lock(&device.lock);
	parameter = device.parameter;
	if (!parameter) {
		result = -ENODEV;
	} else if (is_last) {
		queue_work(device.wq, &complete_group(parameter, number)->work);
	} else {
		struct fault *fault = kmalloc(sizeof(*fault), GFP_KERNEL);

		fault->group = number;
		mutex_lock(&parameter->lock);
		list_add(&fault->list, &parameter->partial);
		mutex_unlock(&parameter->lock);
	}
	mutex_unlock(&device.lock);
	return result;
}

/* A group of two faults. */
void report_group(u32 number)
{
	report_fault(number, 0);
	report_fault(number, 1);
}

/* The device goes. Groups that are queued know its parameter: unless they are waited for, it is freed under them. */
void remove_device(int is_drained)
{
	struct fault_parameter *parameter;
	struct fault *fault, *next;

	mutex_lock(&device.lock);
	parameter = device.parameter;
	device.parameter = NULL;
	mutex_unlock(&device.lock);
	if (is_drained)
		flush_workqueue(device.wq);
	list_for_each_entry_safe(fault, next, &parameter->partial, list)
		kfree(fault);
	kfree(parameter);
}
