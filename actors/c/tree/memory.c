/* The heap, by the names that kernels of several versions have for it: what a flag means is the tree's to say. */
#include <linux/gfp.h>
#include "../kernel/primitives.h"

#define GET(size, flags) c_allocate(size, !!((flags) & __GFP_ZERO), !!((flags) & __GFP_DIRECT_RECLAIM), CALLER)
/* Each has the name of newer kernels and that of older ones. */
#define ALLOCATES(name, older, ...)                     \
	void *name(__VA_ARGS__) { return GET(size, flags); } \
	void *older(__VA_ARGS__) { return GET(size, flags); }
ALLOCATES(__kmalloc_noprof, __kmalloc, size_t size, gfp_t flags)
ALLOCATES(__kmalloc_node_noprof, __kmalloc_node, size_t size, gfp_t flags, int node)
ALLOCATES(__kmalloc_large_noprof, kmalloc_large, size_t size, gfp_t flags)
ALLOCATES(__kmalloc_large_node_noprof, kmalloc_large_node, size_t size, gfp_t flags, int node)
ALLOCATES(__kmalloc_cache_noprof, kmalloc_trace, void *slab, gfp_t flags, size_t size)
ALLOCATES(__kmalloc_cache_node_noprof, kmalloc_node_trace, void *slab, gfp_t flags, int node, size_t size)
ALLOCATES(__kmalloc_node_track_caller_noprof, __kmalloc_node_track_caller, size_t size, gfp_t flags, int node)
ALLOCATES(c_kvmalloc, kvmalloc_node, size_t size, gfp_t flags, int node)
void *__kvmalloc_node_noprof(size_t size, unsigned long align, gfp_t flags, int node) { return GET(size, flags); }

static void *grown(const void *object, size_t size, gfp_t flags, unsigned long pc, unsigned long sp)
{
	size_t before = c_size((unsigned long)object);
	void *made = c_allocate(size, 1, !!(flags & __GFP_DIRECT_RECLAIM), pc);

	if (object)
		memcpy(made, object, before < size ? before : size);
	c_free((unsigned long)object, pc, sp);
	return made;
}

void *krealloc(const void *object, size_t size, gfp_t flags)
{
	return grown(object, size, flags, CALLER, STACK_OF_CALLER);
}
void *krealloc_node_align_noprof(const void *object, size_t size, unsigned long align, gfp_t flags, int node)
{
	return grown(object, size, flags, CALLER, STACK_OF_CALLER);
}

void *kmemdup_noprof(const void *object, size_t size, gfp_t flags) { return memcpy(GET(size, flags), object, size); }
char *kstrdup_noprof(const char *text, gfp_t flags)
{
	return text ? memcpy(GET(strlen(text) + 1, flags), text, strlen(text) + 1) : NULL;
}
char *kstrdup(const char *text, gfp_t flags)
{
	return text ? memcpy(GET(strlen(text) + 1, flags), text, strlen(text) + 1) : NULL;
}

void kfree(const void *object) { c_free((unsigned long)object, CALLER, STACK_OF_CALLER); }
void kvfree(const void *object) { c_free((unsigned long)object, CALLER, STACK_OF_CALLER); }
void kfree_sensitive(const void *object) { c_free((unsigned long)object, CALLER, STACK_OF_CALLER); }

/* A cache of objects of one size, which is all that it knows. */
struct cache {
	size_t size;
	void (*constructor)(void *);
};

static void *from(struct cache *cache, gfp_t flags, unsigned long pc)
{
	void *made = c_allocate(cache->size, !!(flags & __GFP_ZERO), !!(flags & __GFP_DIRECT_RECLAIM), pc);

	if (cache->constructor)
		cache->constructor(made);
	return made;
}

void *__kmem_cache_create_args(const char *name, unsigned int size, void *arguments, unsigned int flags)
{
	struct cache *made = c_allocate(sizeof *made, 1, 1, CALLER);

	made->size = size;
	return made;
}
void *kmem_cache_create(const char *name, unsigned int size, unsigned int align, unsigned int flags, void (*make)(void *))
{
	struct cache *made = c_allocate(sizeof *made, 1, 1, CALLER);

	made->size = size;
	made->constructor = make;
	return made;
}
void *kmem_cache_alloc_noprof(void *cache, gfp_t flags) { return from(cache, flags, CALLER); }
void *kmem_cache_alloc(void *cache, gfp_t flags) { return from(cache, flags, CALLER); }
void *kmem_cache_alloc_lru_noprof(void *cache, void *lru, gfp_t flags) { return from(cache, flags, CALLER); }
void *kmem_cache_alloc_lru(void *cache, void *lru, gfp_t flags) { return from(cache, flags, CALLER); }
void kmem_cache_free(void *cache, void *object) { c_free((unsigned long)object, CALLER, STACK_OF_CALLER); }
void kmem_cache_destroy(void *cache) { c_free((unsigned long)cache, CALLER, STACK_OF_CALLER); }
