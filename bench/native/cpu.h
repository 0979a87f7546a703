/*
 * A CPU's access and its fault: Cpu, UserFault, FaultHandler, ExclusiveRestorer. Steps as in the kernel-semantics
 * document that core's comments number theirs after: 3.1, 3.2, 3.6, 3.7.
 */
#ifndef CPU_H
#define CPU_H

#include "space.h"

#define FAULTED (-1)

struct cpu {
    uint64_t id;
    struct access_window *window;
    struct address_space *space;
    struct tlb tlb;
    uint64_t faults;
};

/* ---- ExclusiveRestorer ---------------------------------------------------------------------------------------- */

/* 3.7, restore_exclusive_pte */
static inline void restore_pte(struct vma *vma, uint64_t slot, uint64_t entry) {
    struct address_space *space = vma->space;
    const uint64_t pte = restore_exclusive(entry, vma->protection, (vma->flags & VM_WRITE) != 0);
    add_mapcount(&space->frames, swap_frame(entry), 1);
    store_release(pte_at(space->table.arena, slot), pte);
}

/* 3.6, remove_device_exclusive_entry; false: the VMA lock has been dropped, start over. */
static inline bool remove_exclusive(struct cpu *cpu, struct vma *vma, uint64_t addr, uint64_t slot, uint64_t original) {
    struct address_space *space = cpu->space;
    struct table_arena *arena = space->table.arena;
    const uint64_t pfn = swap_frame(original);
    /* 1. A reference of our own. */
    if (!frame_try_get(&space->frames, pfn)) {
        return true;
    }
    const uint64_t folio = frame_head(&space->frames, pfn);
    /* 2. The page lock, or drop our lock, wait and start over. */
    if (!page_try_lock(&space->frames, folio, cpu->id)) {
        vma_read_unlock(vma);
        page_wait_unlocked(&space->frames, folio);
        frame_put(&space->frames, folio);
        return false;
    }
    /* 3. Devices give the page up; callbacks run with the page lock held. */
    const struct notifier_range range = {addr, addr + PAGE_SIZE, EXCLUSIVE, 0, true};
    notify_start(&space->notifiers, &range);
    /* 4. Still the same entry? Then put the page back. */
    pte_lock(arena, slot, cpu->id);
    if (load_acquire(pte_at(arena, slot)) == original) {
        restore_pte(vma, slot, original);
    }
    /* 5. The page is lockable again before the invalidation ends. */
    pte_unlock(arena, slot);
    page_unlock(&space->frames, folio);
    frame_put(&space->frames, folio);
    notify_end(&space->notifiers, &range);
    return true;
}

/* ---- UserFault, FaultHandler ------------------------------------------------------------------------------------ */

/* do_user_addr_fault under the VMA lock, handle_pte_fault, do_swap_page */
static __attribute__((noinline)) void user_fault(struct cpu *cpu, uint64_t addr, bool write) {
    struct address_space *space = cpu->space;
    bool done = false;
    while (!done) {
        /* lock_vma_under_rcu */
        struct vma *vma = vma_lookup(space, addr);
        if (vma == NULL || !vma_try_read_lock(vma)) {
            fail("no VMA, or it is being changed: addr=%llx", (unsigned long long)addr);
        }
        if (vma->detached || addr < vma->start || addr >= vma->end || (write && (vma->flags & VM_WRITE) == 0)) {
            fail("VMA changed or not writable: addr=%llx", (unsigned long long)addr);
        }
        /* The entry is read without its lock. */
        const uint64_t slot = radix_slot(&space->table, addr >> PAGE_SHIFT);
        const uint64_t pte = load_acquire(pte_at(space->table.arena, slot));
        if (!is_exclusive(pte)) {
            fail("not exclusive: addr=%llx, pte=%llx", (unsigned long long)addr, (unsigned long long)pte);
        }
        done = remove_exclusive(cpu, vma, addr & -PAGE_SIZE, slot, pte);
        if (done) {
            vma_read_unlock(vma);
        }
    }
}

/* ---- Cpu ---------------------------------------------------------------------------------------------------- */

static inline int64_t frame_position(uint64_t frame, uint64_t addr) {
    return (int64_t)(frame << PAGE_SHIFT | (addr & (PAGE_SIZE - 1)));
}

static inline int64_t walk(struct cpu *cpu, uint64_t addr, uint64_t vpn, uint64_t generation, bool write) {
    struct address_space *space = cpu->space;
    const uint64_t slot = radix_slot(&space->table, vpn);
    if (slot == NO_SLOT) {
        return FAULTED;
    }
    word *at = pte_at(space->table.arena, slot);
    while (true) {
        const uint64_t pte = load_acquire(at);
        if (!pte_permits(pte, write)) {
            return FAULTED;
        }
        const uint64_t touched = pte | YOUNG | (write ? DIRTY_PTE | SOFT_DIRTY : 0);
        if (touched == pte || compare_and_set(at, pte, touched)) {
            tlb_fill(&cpu->tlb, vpn, generation, pte_frame(pte), (touched & WRITABLE) != 0 && (touched & DIRTY_PTE) != 0);
            return frame_position(pte_frame(pte), addr);
        }
    }
}

/* Opens the window and translates; it is left open. */
static inline word *begin_access(struct cpu *cpu, uint64_t addr, bool write) {
    const uint64_t vpn = addr >> PAGE_SHIFT;
    while (true) {
        window_open(cpu->window);
        const uint64_t generation = load_acquire(&cpu->space->windows.generation);
        const int64_t cached = tlb_lookup(&cpu->tlb, vpn, generation, write);
        const int64_t position =
            cached >= 0 ? frame_position((uint64_t)cached, addr) : walk(cpu, addr, vpn, generation, write);
        if (position != FAULTED) {
            return (word *)(cpu->space->data + position);
        }
        window_close(cpu->window);
        cpu->faults++;
        user_fault(cpu, addr, write);
    }
}

static __attribute__((noinline)) uint64_t fetch_add(struct cpu *cpu, uint64_t addr, uint64_t delta) {
    const uint64_t before = get_and_add(begin_access(cpu, addr, true), delta);
    window_close(cpu->window);
    return before;
}

static __attribute__((noinline)) uint64_t load_long(struct cpu *cpu, uint64_t addr) {
    const uint64_t value = load_opaque(begin_access(cpu, addr, false));
    window_close(cpu->window);
    return value;
}

#endif
