/* Platform, AddressSpace, Vma, AnonVma and the software CPU's state: what a make and a restore have in common. */
#ifndef SPACE_H
#define SPACE_H

#include "notify.h"

enum { VM_READ = 1, VM_WRITE = 2, VM_MAYWRITE = 32, VM_IO = 0x4000, VM_PFNMAP = 0x400, VM_HUGETLB = 0x400000, VMAS_MAX = 4 };

struct anon_vma {
    struct rw_lock lock; /* the root's: one for the family */
    int size;
    struct vma *vmas[VMAS_MAX];
};

struct vma {
    uint64_t start;
    uint64_t end;
    uint64_t page_offset;
    uint64_t flags;
    uint64_t protection;
    bool detached;
    struct anon_vma *anon_vma;
    /* VmaLock: */
    word readers;
    word mark;
    struct address_space *space;
};

struct address_space {
    word users;
    struct rw_lock mmap_lock;
    word mmap_sequence;
    word vma_count;
    struct vma *vmas[VMAS_MAX]; /* in address order */
    struct access_windows windows;
    struct radix_table table;
    struct notifier_state notifiers;
    struct frame_table frames;
    struct anon_vma *anon_vmas[VMAS_MAX]; /* by id */
    char *data;                           /* contents of the frames */
};

/* find_vma, vma_lookup */
static inline struct vma *vma_lookup(struct address_space *space, uint64_t addr) {
    uint64_t low = 0;
    const uint64_t count = load_volatile(&space->vma_count);
    uint64_t high = count;
    while (low < high) {
        const uint64_t middle = (low + high) >> 1;
        if (space->vmas[middle]->end > addr) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < count && space->vmas[low]->start <= addr ? space->vmas[low] : NULL;
}

/* vma_start_read, vma_end_read */
static inline void vma_read_unlock(struct vma *vma) {
    if (get_and_add(&vma->readers, (uint64_t)-1) == 1 && (int64_t)load_volatile(&vma->mark) >= 0) {
        fail("a writer waits for the VMA");
    }
}

static inline bool vma_try_read_lock(struct vma *vma) {
    get_and_add(&vma->readers, 1);
    if (load_volatile(&vma->mark) == load_volatile(&vma->space->mmap_sequence)) {
        vma_read_unlock(vma);
        return false;
    }
    return true;
}

/* mmget_not_zero, mmput */
static inline bool pin_users(struct address_space *space) {
    uint64_t seen;
    do {
        seen = load_volatile(&space->users);
        if (seen == 0) {
            return false;
        }
    } while (!compare_and_set(&space->users, seen, seen + 1));
    return true;
}

static inline void unpin_users(struct address_space *space) {
    if (get_and_add(&space->users, (uint64_t)-1) <= 1) {
        fail("user count underflow");
    }
}

static inline uint64_t linear_index(const struct vma *vma, uint64_t addr) {
    return vma->page_offset + ((addr - vma->start) >> PAGE_SHIFT);
}

static inline uint64_t linear_address(const struct vma *vma, uint64_t index) {
    return vma->start + ((index - vma->page_offset) << PAGE_SHIFT);
}

#endif
