/*
 * The emulated machine, as far as make and restore of one page touch it: atomics, locks, windows, frames, tables, TLB.
 * One struct or group of functions for each class of core, under its name; core's comments say why things are as they are.
 *
 * The same operation, with the same order, at the same place: a release store stays one, a compare-and-set is not
 * replaced by an add. What core does to find its way in Java (segments of off-heap memory, scratch objects, probes, lock
 * observers) is left out: it is not the protocol.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <sched.h>
#include <stdatomic.h>

#include "floor.h"

/* ---- Words: the access modes of VarHandle ------------------------------------------------------------------- */

typedef _Atomic uint64_t word;

/* Locked instructions and fences, counted if the program is compiled so; see protocol.c. */
#ifdef COUNT_OPERATIONS
static uint64_t operations;
#define COUNT() (operations++)
#else
#define COUNT() ((void)0)
#endif

static inline uint64_t load_opaque(word *at) { return atomic_load_explicit(at, memory_order_relaxed); }
static inline uint64_t load_acquire(word *at) { return atomic_load_explicit(at, memory_order_acquire); }
static inline uint64_t load_volatile(word *at) { return atomic_load_explicit(at, memory_order_seq_cst); }
static inline void store_opaque(word *at, uint64_t value) { atomic_store_explicit(at, value, memory_order_relaxed); }
static inline void store_release(word *at, uint64_t value) { atomic_store_explicit(at, value, memory_order_release); }

static inline bool compare_and_set(word *at, uint64_t expected, uint64_t value) {
    COUNT();
    return atomic_compare_exchange_strong(at, &expected, value);
}

static inline uint64_t get_and_add(word *at, uint64_t delta) {
    COUNT();
    return atomic_fetch_add(at, delta);
}

static inline uint64_t get_and_set(word *at, uint64_t value) {
    COUNT();
    return atomic_exchange(at, value);
}

static inline uint64_t get_and_or(word *at, uint64_t bits) {
    COUNT();
    return atomic_fetch_or(at, bits);
}

static inline uint64_t get_and_and(word *at, uint64_t bits) {
    COUNT();
    return atomic_fetch_and(at, bits);
}

/* What the JVM makes of VarHandle.fullFence: on x86 a locked add to the stack, which is cheaper than MFENCE. */
static inline void full_fence(void) {
    COUNT();
#if defined(__x86_64__)
    __asm__ volatile("lock; addl $0, -64(%%rsp)" ::: "memory", "cc");
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void wait_a_little(void) { sched_yield(); }

/* ---- WaitQueue ---------------------------------------------------------------------------------------------- */

struct wait_queue {
    word waiters;
};

/* Nobody sleeps here: waiters yield, and look again. The look that spares a wake-up is what every waker pays. */
static inline void wake_if_any(struct wait_queue *queue) {
    full_fence();
    if (load_opaque(&queue->waiters) != 0) {
        fail("somebody sleeps");
    }
}

/* The same behind a read-modify-write, which is fence enough. */
static inline void wake_if_any_after_update(struct wait_queue *queue) {
    if (load_volatile(&queue->waiters) != 0) {
        fail("somebody sleeps");
    }
}

/* ---- SpinLock ----------------------------------------------------------------------------------------------- */

struct spin_lock {
    word held;
};

static inline void spin_lock(struct spin_lock *lock) {
    while (!compare_and_set(&lock->held, 0, 1)) {
        wait_a_little();
    }
}

static inline void spin_unlock(struct spin_lock *lock) { store_release(&lock->held, 0); }

/* ---- DriverLock --------------------------------------------------------------------------------------------- */

enum { FREE, HELD, CONTENDED };

struct driver_lock {
    word state;
    uint64_t owner;
};

static inline void driver_lock(struct driver_lock *lock, uint64_t actor) {
    while (!compare_and_set(&lock->state, FREE, HELD)) {
        wait_a_little();
    }
    lock->owner = actor;
}

static inline void driver_unlock(struct driver_lock *lock, uint64_t actor) {
    if (lock->owner != actor) {
        fail("driver lock: unlock by another actor");
    }
    lock->owner = 0;
#ifdef STRAIGHT
    store_release(&lock->state, FREE); /* whoever waits looks again by himself */
#else
    if (get_and_set(&lock->state, FREE) == CONTENDED) {
        fail("driver lock: somebody sleeps");
    }
#endif
}

/* ---- FairRwLock: shared only ---------------------------------------------------------------------------------- */

enum { WRITER = 1, QUEUED = 2, READER = 4 };

struct rw_lock {
    word state;
};

static inline void read_lock(struct rw_lock *lock) {
    while (true) {
        const uint64_t seen = load_volatile(&lock->state);
        if ((seen & (WRITER | QUEUED)) == 0 && compare_and_set(&lock->state, seen, seen + READER)) {
            return;
        }
        wait_a_little();
    }
}

static inline void read_unlock(struct rw_lock *lock) {
    const int64_t after = (int64_t)(get_and_add(&lock->state, -(uint64_t)READER) - READER);
    if (after < 0 || after == QUEUED) {
        fail("read lock: state=%lld", (long long)after);
    }
}

/* ---- SrcuDomain --------------------------------------------------------------------------------------------- */

struct srcu_domain {
    word current;
    _Alignas(128) word first;
    _Alignas(128) word second;
    _Alignas(128) struct wait_queue queue;
};

static inline word *srcu_counter(struct srcu_domain *srcu, uint64_t index) {
    return index == 0 ? &srcu->first : &srcu->second;
}

#ifdef STRAIGHT
/* A counter for each reader, only its own thread's to write, as access windows are: who waits for them all polls them. */
static inline uint64_t srcu_read_lock(struct srcu_domain *srcu) {
    const uint64_t index = load_volatile(&srcu->current);
    word *counter = srcu_counter(srcu, index);
    store_opaque(counter, load_opaque(counter) + 1);
    full_fence();
    return index;
}

static inline void srcu_read_unlock(struct srcu_domain *srcu, uint64_t index) {
    word *counter = srcu_counter(srcu, index);
    store_release(counter, load_opaque(counter) - 1);
}
#else
static inline uint64_t srcu_read_lock(struct srcu_domain *srcu) {
    const uint64_t index = load_volatile(&srcu->current);
    get_and_add(srcu_counter(srcu, index), 1);
    return index;
}

static inline void srcu_read_unlock(struct srcu_domain *srcu, uint64_t index) {
    if (get_and_add(srcu_counter(srcu, index), (uint64_t)-1) == 1) {
        wake_if_any_after_update(&srcu->queue);
    }
}
#endif

/* ---- AccessWindow, AccessWindows ------------------------------------------------------------------------------ */

enum { CPUS_MAX = 64 };

struct access_window {
    _Alignas(128) word sequence; /* alone on its lines: odd while an access is in progress */
};

static inline void window_open(struct access_window *window) {
    store_opaque(&window->sequence, load_opaque(&window->sequence) + 1);
    full_fence();
}

static inline void window_close(struct access_window *window) {
    store_release(&window->sequence, load_opaque(&window->sequence) + 1);
}

static inline void window_drain(struct access_window *window) {
    const uint64_t seen = load_volatile(&window->sequence);
    while ((seen & 1) != 0 && load_acquire(&window->sequence) == seen) {
        wait_a_little();
    }
}

static inline void drain_all(struct access_window *windows, int count) {
    full_fence();
    for (int i = 0; i < count; i++) {
        window_drain(&windows[i]);
    }
}

struct access_windows {
    word generation; /* what cached translations must have */
    word running;    /* CPUs that run the address space */
    word flushes;
    struct access_window *windows;
};

static inline void flush(struct access_windows *space) {
    get_and_add(&space->generation, 1);
    store_opaque(&space->flushes, load_opaque(&space->flushes) + 1);
    for (uint64_t cpus = load_volatile(&space->running); cpus != 0; cpus &= cpus - 1) {
        window_drain(&space->windows[__builtin_ctzll(cpus)]);
    }
}

/* ---- FrameTable, PageLock, ReverseMap: one record a frame, a cache line each ------------------------------------ */

enum {
    LOCKED = 1 << 0,
    WAITERS = 1 << 1,
    DIRTY = 1 << 2,
    ANON = 1 << 3,
    ANON_EXCLUSIVE = 1 << 4,
    ALLOCATED = 1 << 5,
    COMPOUND_HEAD = 1 << 10,
    COMPOUND_TAIL = 1 << 11,
    COMPOUND_FRAMES = 512
};

struct frame {
    _Alignas(64) word state;
    word refcount;
    word mapcount;
    word mapping;
    word index;
    word lock_owner;
    word private_word;
    word free_link;
};

struct frame_table {
    struct frame *frames;
};

static inline bool frame_has(struct frame_table *table, uint64_t pfn, uint64_t bits) {
    return (load_volatile(&table->frames[pfn].state) & bits) == bits;
}

static inline uint64_t frame_head(struct frame_table *table, uint64_t pfn) {
    const bool tail = (load_volatile(&table->frames[pfn].state) & COMPOUND_TAIL) != 0;
    return tail ? pfn & -(uint64_t)COMPOUND_FRAMES : pfn;
}

static inline bool frame_is_large(struct frame_table *table, uint64_t pfn) {
    return (load_volatile(&table->frames[pfn].state) & (COMPOUND_HEAD | COMPOUND_TAIL)) != 0;
}

static inline uint64_t folio_frames(struct frame_table *table, uint64_t folio) {
    return frame_is_large(table, folio) ? COMPOUND_FRAMES : 1;
}

static inline uint64_t folio_mapcount(struct frame_table *table, uint64_t folio) {
    return load_volatile(frame_is_large(table, folio) ? &table->frames[folio + 1].mapping : &table->frames[folio].mapcount);
}

static inline void mark_dirty(struct frame_table *table, uint64_t pfn) {
    const uint64_t folio = frame_head(table, pfn);
    if (!frame_has(table, folio, DIRTY)) {
        get_and_or(&table->frames[folio].state, DIRTY);
    }
}

static inline void frame_get(struct frame_table *table, uint64_t pfn) {
    get_and_add(&table->frames[frame_head(table, pfn)].refcount, 1);
}

static inline bool frame_try_get(struct frame_table *table, uint64_t pfn) {
    const uint64_t folio = frame_head(table, pfn);
    uint64_t count;
    do {
        count = load_volatile(&table->frames[folio].refcount);
        if (count == 0) {
            return false;
        }
    } while (!compare_and_set(&table->frames[folio].refcount, count, count + 1));
    if (folio != pfn && frame_head(table, pfn) != folio) {
        fail("a folio was taken apart");
    }
    return true;
}

/* FrameAllocator.put; no page loses its last reference here. */
static inline void frame_put(struct frame_table *table, uint64_t pfn) {
    const int64_t after = (int64_t)get_and_add(&table->frames[frame_head(table, pfn)].refcount, (uint64_t)-1) - 1;
    if (after <= 0) {
        fail("reference count: pfn=%llu, count=%lld", (unsigned long long)pfn, (long long)after);
    }
}

static inline void add_mapcount(struct frame_table *table, uint64_t pfn, int64_t delta) {
    if (frame_is_large(table, pfn)) {
        get_and_add(&table->frames[frame_head(table, pfn) + 1].mapping, (uint64_t)delta);
    }
    const int64_t after = (int64_t)get_and_add(&table->frames[pfn].mapcount, (uint64_t)delta) + delta;
    if (after < 0) {
        fail("mapcount: pfn=%llu, count=%lld", (unsigned long long)pfn, (long long)after);
    }
}

static inline bool page_try_lock(struct frame_table *table, uint64_t folio, uint64_t actor) {
    if ((get_and_or(&table->frames[folio].state, LOCKED) & LOCKED) != 0) {
        return false;
    }
    store_opaque(&table->frames[folio].lock_owner, actor);
    return true;
}

static inline void page_wait_unlocked(struct frame_table *table, uint64_t folio) {
    while (frame_has(table, folio, LOCKED)) {
        wait_a_little();
    }
}

static inline void page_unlock(struct frame_table *table, uint64_t folio) {
    store_opaque(&table->frames[folio].lock_owner, 0);
    const uint64_t before = get_and_and(&table->frames[folio].state, ~(uint64_t)(LOCKED | WAITERS));
    if ((before & LOCKED) == 0 || (before & WAITERS) != 0) {
        fail("page unlock: state=%llx", (unsigned long long)before);
    }
}

/* ---- PteEncoding: x86-64, K612 --------------------------------------------------------------------------------- */

#define PRESENT (1ull << 0)
#define WRITABLE (1ull << 1)
#define USER (1ull << 2)
#define YOUNG (1ull << 5)
#define DIRTY_PTE (1ull << 6)
#define SOFT_DIRTY (1ull << 11)
#define SWAP_SOFT_DIRTY (1ull << 1)
#define FRAME_MASK 0x000ffffffffff000ull
#define SWAP_TYPE_SHIFT 59
#define SWAP_OFFSET_SHIFT 9 /* the offset is stored inverted, which spares the L1TF hole */
#define EXCLUSIVE_READ 27ull
#define EXCLUSIVE_WRITE 28ull

enum { PAGE_SHIFT = 12, LEVELS = 4, INDEX_BITS = 9 };

#define PAGE_SIZE ((uint64_t)1 << PAGE_SHIFT)

static inline bool pte_permits(uint64_t pte, bool write) {
    return (pte & PRESENT) != 0 && (!write || (pte & WRITABLE) != 0);
}

static inline uint64_t pte_frame(uint64_t pte) { return (pte & FRAME_MASK) >> PAGE_SHIFT; }

static inline uint64_t swap_type(uint64_t entry) { return entry >> SWAP_TYPE_SHIFT; }

static inline uint64_t swap_frame(uint64_t entry) { return (~entry << 5) >> (5 + SWAP_OFFSET_SHIFT); }

static inline bool is_exclusive(uint64_t entry) {
    return (entry & PRESENT) == 0 && (swap_type(entry) == EXCLUSIVE_READ || swap_type(entry) == EXCLUSIVE_WRITE);
}

static inline uint64_t make_exclusive(uint64_t pte) {
    const uint64_t type = (pte & WRITABLE) != 0 ? EXCLUSIVE_WRITE : EXCLUSIVE_READ;
    const uint64_t entry = type << SWAP_TYPE_SHIFT | (~pte_frame(pte) << (5 + SWAP_OFFSET_SHIFT)) >> 5;
    return (pte & SOFT_DIRTY) != 0 ? entry | SWAP_SOFT_DIRTY : entry;
}

static inline uint64_t restore_exclusive(uint64_t entry, uint64_t protection, bool mapping_writable) {
    uint64_t pte = swap_frame(entry) << PAGE_SHIFT | protection; /* old */
    pte |= (entry & SWAP_SOFT_DIRTY) != 0 ? SOFT_DIRTY : 0;
    if (swap_type(entry) == EXCLUSIVE_WRITE) {
        pte |= DIRTY_PTE | SOFT_DIRTY;
        pte |= mapping_writable ? WRITABLE : 0;
    }
    return pte;
}

/* ---- RadixTable, TableArena, PageTable, PteLock ----------------------------------------------------------------- */

enum { TABLE_ENTRIES = 1 << INDEX_BITS, NO_TABLE = 0, META_WORDS = 16 };

#define NO_SLOT UINT64_MAX

/* Tables of 512 words, numbered from 1; beside each, on lines of its own, what belongs to it: the lock of a leaf. */
struct table_arena {
    word *entries;
    word *meta;
    uint64_t used;
    uint64_t capacity;
};

static inline uint64_t new_table(struct table_arena *arena) {
    if (++arena->used == arena->capacity) {
        fail("no table left");
    }
    return arena->used * TABLE_ENTRIES;
}

struct radix_table {
    struct table_arena *arena;
    word root;
};

static inline uint64_t entry_offset(uint64_t vpn, int level) {
    return vpn >> (level * INDEX_BITS) & (TABLE_ENTRIES - 1);
}

/* Slot of a leaf entry: its number among all entries of the arena. */
static inline uint64_t radix_slot(struct radix_table *radix, uint64_t vpn) {
    uint64_t table = load_acquire(&radix->root);
    for (int level = LEVELS - 1; level > 0; level--) {
        table = load_acquire(&radix->arena->entries[table + entry_offset(vpn, level)]);
        if (table == NO_TABLE) {
            return NO_SLOT;
        }
    }
    return table + entry_offset(vpn, 0);
}

static inline uint64_t radix_slot_or_create(struct radix_table *radix, uint64_t vpn) {
    uint64_t table = load_acquire(&radix->root);
    for (int level = LEVELS - 1; level > 0; level--) {
        word *upper = &radix->arena->entries[table + entry_offset(vpn, level)];
        table = load_acquire(upper);
        if (table == NO_TABLE) {
            table = new_table(radix->arena);
            if (!compare_and_set(upper, NO_TABLE, table)) {
                fail("somebody else made a table");
            }
        }
    }
    return table + entry_offset(vpn, 0);
}

/* First page at or behind vpn whose leaf table exists; end if there is none. */
static inline uint64_t radix_next_populated(struct radix_table *radix, uint64_t vpn, uint64_t end) {
    uint64_t page = vpn;
    while (page < end) {
        uint64_t table = load_acquire(&radix->root);
        int level = LEVELS - 1;
        for (; level > 0; level--) {
            table = load_acquire(&radix->arena->entries[table + entry_offset(page, level)]);
            if (table == NO_TABLE) {
                break;
            }
        }
        if (level == 0) {
            return page;
        }
        const uint64_t covered = (uint64_t)1 << (level * INDEX_BITS);
        page = (page & -covered) + covered;
    }
    return end;
}

static inline word *pte_lock_word(struct table_arena *arena, uint64_t slot) {
    return &arena->meta[(slot >> INDEX_BITS) * META_WORDS];
}

static inline void pte_lock(struct table_arena *arena, uint64_t slot, uint64_t actor) {
    word *lock = pte_lock_word(arena, slot);
    while (!compare_and_set(lock, 0, actor)) {
        wait_a_little();
    }
}

static inline void pte_unlock(struct table_arena *arena, uint64_t slot) {
    store_release(pte_lock_word(arena, slot), 0);
}

static inline word *pte_at(struct table_arena *arena, uint64_t slot) { return &arena->entries[slot]; }

/* ---- Tlb ---------------------------------------------------------------------------------------------------- */

enum { TLB_ENTRIES = 256 };

struct tlb {
    uint64_t pages[TLB_ENTRIES];
    uint64_t generations[TLB_ENTRIES];
    uint64_t frames[TLB_ENTRIES];
    bool writable[TLB_ENTRIES];
};

static inline int64_t tlb_lookup(struct tlb *tlb, uint64_t vpn, uint64_t generation, bool write) {
    const unsigned at = vpn & (TLB_ENTRIES - 1);
    const bool hit = tlb->pages[at] == vpn && tlb->generations[at] == generation && (!write || tlb->writable[at]);
    return hit ? (int64_t)tlb->frames[at] : -1;
}

static inline void tlb_fill(struct tlb *tlb, uint64_t vpn, uint64_t generation, uint64_t frame, bool writable) {
    const unsigned at = vpn & (TLB_ENTRIES - 1);
    tlb->pages[at] = vpn;
    tlb->generations[at] = generation;
    tlb->frames[at] = frame;
    tlb->writable[at] = writable;
}

#endif
