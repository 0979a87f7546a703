/*
 * The driver's side: DevicePageTable, DriverCallbacks, and a make: SvmDriver.resolve, AtomicFault, ExclusiveMaker,
 * PageGetter. Steps as in the kernel-semantics document that core's comments number theirs after.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "space.h"

enum { DEVICE_VALID = 1, DEVICE_WRITE = 2, DEVICE_ATOMIC = 4, DEVICE_FRAME_SHIFT = 12 };

/* One engine, so one window. */
struct device {
    uint64_t id; /* also its cookie */
    struct address_space *space;
    struct radix_table table;
    struct access_window windows[1];
    struct driver_lock lock;
    struct subscription subscription;
    struct subscriber subscriber;
    word killed;
    word *jiffies; /* the kernel's clock is a word that a timer moves */
};

/* ---- DevicePageTable ---------------------------------------------------------------------------------------- */

/* Erases [first, end) and returns when no access through the erased entries is in progress. Driver lock held. */
static inline void device_erase(struct device *device, uint64_t first, uint64_t end) {
    struct table_arena *arena = device->table.arena;
    int erased = 0;
    uint64_t page = first;
    while (page < end) {
        uint64_t slot = radix_slot(&device->table, page);
        if (slot == NO_SLOT) {
            page = radix_next_populated(&device->table, page, end);
            continue;
        }
        const uint64_t next = (page | (TABLE_ENTRIES - 1)) + 1;
        const uint64_t table_end = next < end ? next : end;
        for (; page < table_end; page++, slot++) {
            const uint64_t entry = load_acquire(pte_at(arena, slot));
            if (entry != 0) {
                if ((entry & (DEVICE_WRITE | DEVICE_ATOMIC)) != 0) {
                    mark_dirty(&device->space->frames, entry >> DEVICE_FRAME_SHIFT);
                }
                store_release(pte_at(arena, slot), 0);
                erased++;
            }
        }
    }
    if (erased != 0) {
        drain_all(device->windows, 1);
    }
}

/* ---- DriverCallbacks: INLINE ---------------------------------------------------------------------------------- */

/* nouveau_svm_range_invalidate */
static bool on_range(void *driver, struct subscription *subscription, const struct notifier_range *range,
                     uint64_t sequence) {
    struct device *device = driver;
    if (range->event == EXCLUSIVE && range->owner == device->id) {
        return true; /* its own conversion */
    }
    driver_lock(&device->lock, device->id);
    store_opaque(&subscription->sequence, sequence);
    driver_unlock(&device->lock, device->id);
    return true;
}

/* nouveau_svmm_invalidate_range_start */
static bool on_start(void *driver, const struct notifier_range *range) {
    struct device *device = driver;
    if (!range->blockable) {
        return false;
    }
    driver_lock(&device->lock, device->id);
    device_erase(device, range->start >> PAGE_SHIFT, ((range->end - 1) >> PAGE_SHIFT) + 1);
    driver_unlock(&device->lock, device->id);
    return true;
}

static void on_end(void *driver, const struct notifier_range *range) {
    (void)driver;
    (void)range;
}

/* ---- PageGetter: get_user_pages of one page with FOLL_GET | FOLL_WRITE | FOLL_SPLIT_PMD ------------------------ */

static inline uint64_t get_user_page(struct device *device, uint64_t addr) {
    struct address_space *space = device->space;
    /* 1. VMA check. */
    const struct vma *vma = vma_lookup(space, addr);
    if (vma == NULL || (vma->flags & (VM_IO | VM_PFNMAP | VM_HUGETLB)) != 0 || (vma->flags & VM_WRITE) == 0
        || load_acquire(&device->killed) != 0) {
        fail("get_user_pages: addr=%llx", (unsigned long long)addr);
    }
    /* 2. Present and permitted: take it, under the leaf-table lock. */
    struct table_arena *arena = space->table.arena;
    const uint64_t slot = radix_slot(&space->table, addr >> PAGE_SHIFT);
    pte_lock(arena, slot, device->id);
    const uint64_t pte = load_acquire(pte_at(arena, slot));
    if (!pte_permits(pte, true)) {
        fail("page not present and writable: addr=%llx, pte=%llx", (unsigned long long)addr, (unsigned long long)pte);
    }
    const uint64_t pfn = pte_frame(pte);
    frame_get(&space->frames, pfn);
    if ((pte & DIRTY_PTE) == 0) {
        mark_dirty(&space->frames, pfn);
    }
    pte_unlock(arena, slot);
    return pfn;
}

/* ---- ExclusiveMaker: make_device_exclusive_range of one page (up to 6.14) --------------------------------------- */

/* folio_lock_anon_vma_read */
static inline struct anon_vma *lock_anon_vma(struct address_space *space, uint64_t folio) {
    while (true) {
        const uint64_t id = load_volatile(&space->frames.frames[folio].mapping);
        if (id == 0 || folio_mapcount(&space->frames, folio) == 0) {
            return NULL;
        }
        struct anon_vma *found = space->anon_vmas[id];
        read_lock(&found->lock);
        if (load_volatile(&space->frames.frames[folio].mapping) == id && space->anon_vmas[id] == found) {
            if (folio_mapcount(&space->frames, folio) != 0) {
                return found;
            }
            read_unlock(&found->lock);
            return NULL;
        }
        read_unlock(&found->lock);
    }
}

/* 3. Clear, shoot down, and only then believe the dirty and write bits. Leaf-table lock held. */
static inline bool convert_entry(struct address_space *space, uint64_t slot, uint64_t folio) {
    word *at = pte_at(space->table.arena, slot);
    const uint64_t before = get_and_set(at, 0);
    flush(&space->windows);
    if ((before & DIRTY_PTE) != 0) {
        mark_dirty(&space->frames, folio);
    }
    store_release(at, make_exclusive(before));
    add_mapcount(&space->frames, pte_frame(before), -1);
    return (before & WRITABLE) != 0;
}

/* page_make_device_exclusive_one */
static inline bool convert_in_vma(struct device *device, struct vma *vma, uint64_t folio, uint64_t index) {
    struct address_space *space = vma->space;
    struct table_arena *arena = space->table.arena;
    bool valid = false;
    const uint64_t frames = folio_frames(&space->frames, folio);
    uint64_t addr = linear_address(vma, index > vma->page_offset ? index : vma->page_offset);
    const uint64_t end = addr + frames * PAGE_SIZE < vma->end ? addr + frames * PAGE_SIZE : vma->end;
    /* 1. */
    const struct notifier_range range = {addr, end, EXCLUSIVE, device->id, true};
    notify_start(&space->notifiers, &range);
    /* 2. MappedWalk: a lockless look, the lock, and a second one; the lock is kept while the walk stays in the table. */
    bool locked = false;
    uint64_t slot = radix_slot(&space->table, addr >> PAGE_SHIFT);
    for (; addr < end; addr += PAGE_SIZE, slot++) {
        uint64_t pte = load_acquire(pte_at(arena, slot));
        const uint64_t distance = pte_frame(pte) - folio;
        if ((pte & PRESENT) == 0 || distance >= frames) {
            continue;
        }
        if (!locked) {
            pte_lock(arena, slot, device->id);
            locked = true;
            pte = load_acquire(pte_at(arena, slot));
        }
        if ((pte & PRESENT) != 0 && pte_frame(pte) - folio < frames) {
            valid |= convert_entry(space, slot, folio);
        }
    }
    if (locked) {
        pte_unlock(arena, slot - 1);
    }
    /* 4. */
    notify_end(&space->notifiers, &range);
    return valid;
}

/* folio_make_device_exclusive */
static inline bool convert_folio(struct device *device, uint64_t folio) {
    struct address_space *space = device->space;
    bool valid = false;
    if (!frame_has(&space->frames, folio, ANON)) {
        return false;
    }
    struct anon_vma *anon_vma = lock_anon_vma(space, folio);
    if (anon_vma != NULL) {
        const uint64_t index = load_volatile(&space->frames.frames[folio].index);
        const uint64_t last = index + folio_frames(&space->frames, folio) - 1;
        for (int i = 0; i < anon_vma->size; i++) {
            struct vma *vma = anon_vma->vmas[i];
            if (vma->page_offset <= last && linear_index(vma, vma->end) > index) {
                valid |= convert_in_vma(device, vma, folio, index);
                if (folio_mapcount(&space->frames, folio) == 0) {
                    break;
                }
            }
        }
        read_unlock(&anon_vma->lock);
    }
    return valid && folio_mapcount(&space->frames, folio) == 0;
}

/* ---- AtomicFault, SvmDriver ----------------------------------------------------------------------------------- */

/* nouveau_atomic_range_fault, one round: true if the device maps the page. */
static inline bool atomic_fault(struct device *device, uint64_t page) {
    struct address_space *space = device->space;
    /* a. A sample that no running invalidation of the page has hit. */
    const uint64_t sample = read_begin(&space->notifiers, &device->subscription);
    /* b. The page, locked, referenced and exclusive. */
    read_lock(&space->mmap_lock);
    const uint64_t pfn = get_user_page(device, page);
    const uint64_t folio = frame_head(&space->frames, pfn);
    if (pfn != folio || !page_try_lock(&space->frames, folio, device->id) || !convert_folio(device, folio)) {
        fail("make: page=%llx", (unsigned long long)page);
    }
    read_unlock(&space->mmap_lock);
    /* c., d. Under the driver lock: was the page hit since? */
    driver_lock(&device->lock, device->id);
    const bool hit = read_retry(&device->subscription, sample);
    if (!hit) {
        /* 3. Program the device; the page is still locked. */
        const uint64_t slot = radix_slot_or_create(&device->table, page >> PAGE_SHIFT);
        const uint64_t entry = pfn << DEVICE_FRAME_SHIFT | DEVICE_VALID | DEVICE_WRITE | DEVICE_ATOMIC;
        store_release(pte_at(device->table.arena, slot), entry);
    }
    driver_unlock(&device->lock, device->id);
    /* 4., e. */
    page_unlock(&space->frames, frame_head(&space->frames, pfn));
    frame_put(&space->frames, pfn);
    return !hit;
}

/* SvmDriver.resolve: one page becomes the device's. */
static __attribute__((noinline)) void make(struct device *device, uint64_t addr) {
    struct address_space *space = device->space;
    const uint64_t page = addr & -PAGE_SIZE;
    if (!pin_users(space)) {
        fail("no users");
    }
    insert(&space->notifiers, &device->subscription, page, page + PAGE_SIZE - 1);
    const uint64_t deadline = load_opaque(device->jiffies) + 1000;
    while (!atomic_fault(device, page)) {
        if (load_opaque(device->jiffies) >= deadline) {
            fail("make: no progress");
        }
    }
    remove_subscription(&space->notifiers, &device->subscription);
    unpin_users(space);
}

#endif
