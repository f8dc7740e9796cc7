#define RQ_nr_pinned 0
