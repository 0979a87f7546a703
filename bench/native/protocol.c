/*
 * The full protocol of core, in C, on one thread: what the machine allows for a make and a restore of one page.
 *
 * Each step performs the atomic operations that core performs, in the same order (profile K612, one device whose
 * callbacks run INLINE). Locked instructions and full fences by step:
 *
 *   make                                            restore, by a CPU's fetch-and-add
 *   --------------------------------------------    --------------------------------------------
 *   pin users                           CAS    1    window: open, refused, close        fence  1
 *   insert the range: state lock        CAS    1    VMA lock                            add    1
 *   read_begin: state lock              CAS    1    walk of 4 levels; entry read        -      -
 *   mmap lock, shared                   CAS    1    reference                           CAS    1
 *   get_user_pages: walk, leaf lock     CAS    1    page trylock                        or     1
 *     reference                         add    1    notify start: state lock            CAS    1
 *   page trylock                        or     1      section begins                    add    1
 *   anon_vma lock, shared               CAS    1      driver lock                       CAS    1
 *   notify start: state lock            CAS    1      device entry erased, drain        fence  1
 *     own EXCLUSIVE event: no callback  -      -      driver unlock                     swap   1
 *     section begins                    add    1      section ends                      add    1
 *     driver lock                       CAS    1    leaf lock                           CAS    1
 *     nothing to erase                  -      -      mapcount; entry restored          add    1
 *     driver unlock                     swap   1    page unlock                         and    1
 *     section ends                      add    1    reference dropped                   add    1
 *   walk, leaf lock                     CAS    1    notify end: state lock              CAS    1
 *     entry cleared                     swap   1      nobody wants to hear of ends      -      -
 *     flush: generation, windows        add    1    VMA unlock                          add    1
 *     exclusive entry stored; mapcount  add    1    window: open                        fence  1
 *   notify end: state lock              CAS    1      walk of 4 levels; young bit       CAS    1
 *     sequence moved: sleepers?         fence  1      the access itself; close          add    1
 *     nobody wants to hear of ends      -      -
 *   anon_vma unlock                     add    1
 *   mmap unlock                         add    1
 *   driver lock                         CAS    1
 *     read_retry; device entry stored   -      -
 *   driver unlock                       swap   1
 *   page unlock                         and    1
 *   reference dropped                   add    1
 *   remove the range: state lock        CAS    1
 *   unpin users                         add    1
 *   --------------------------------------------    --------------------------------------------
 *                                             27                                              19
 *
 * Unlocking a spin lock or a leaf lock is a release store and not counted. Built with -DCOUNT_OPERATIONS the program
 * counts them, and prints {"make":n,"restore":n} instead of times.
 *
 * Built with -DSTRAIGHT, the program "straight" performs the same steps with the fewest atomic operations that keep what
 * each step promises; whoever waits then polls instead of being woken:
 *   a section is a store and a fence to a counter of the reader's own, its end a release store      make -1, restore -1
 *   the driver lock is given back by a release store                                                make -2, restore -1
 *   the end of a span has no fence, since sleepers count themselves under the state lock            make -1
 *   read_begin takes no lock                                                                        make -1
 *   straight                                                                                        22       17
 *
 * Rows, in ns per page: make, restore (batches of --pages pages: all are made, then all restored, each half timed), pair
 * (made and restored page by page), the same of 512 pages; mark-bare, restore-bare (the entry goes to exclusive by
 * compare-and-set, and comes back by one; the CPU's fetch-and-add; nothing else) and pair-bare; and, per operation,
 * locked-add, fenced-store (store and MFENCE), fenced-store-xchg, access-hit (window, TLB, load).
 */
#include "cpu.h"
#include "driver.h"

#ifdef STRAIGHT
#define PROGRAM "straight"
#else
#define PROGRAM "protocol"
#endif

#define START 0x10000ull

enum { RANGE_PAGES = 512, FIRST_FRAME = 16, SUBJECT_REPEATS = 16, OPERATION_BATCH = 4096 };

struct machine {
    long pages;
    struct address_space space;
    struct srcu_domain srcu;
    struct access_window windows[1];
    struct cpu cpu;
    struct device device;
    struct vma vma;
    struct anon_vma anon_vma;
    struct table_arena arena;
    word jiffies;
    uint64_t *addresses;
    uint64_t accesses; /* to each page */
};

/* ---- set-up, not timed ------------------------------------------------------------------------------------------ */

static void map_page(struct machine *machine, uint64_t addr, uint64_t pfn) {
    struct frame *frame = &machine->space.frames.frames[pfn];
    frame->state = ALLOCATED | ANON | ANON_EXCLUSIVE | DIRTY;
    frame->refcount = 1;
    frame->mapcount = 1;
    frame->mapping = 1;
    frame->index = linear_index(&machine->vma, addr);
    const uint64_t slot = radix_slot_or_create(&machine->space.table, addr >> PAGE_SHIFT);
    machine->arena.entries[slot] = pfn << PAGE_SHIFT | machine->vma.protection | WRITABLE | YOUNG | DIRTY_PTE;
}

static struct machine *new_machine(long pages) {
    struct machine *machine = allocate(sizeof(struct machine));
    struct address_space *space = &machine->space;
    const uint64_t end = START + ((uint64_t)pages << PAGE_SHIFT);
    machine->pages = pages;
    machine->arena.capacity = 64;
    machine->arena.entries = allocate(machine->arena.capacity * TABLE_ENTRIES * sizeof(word));
    machine->arena.meta = allocate(machine->arena.capacity * META_WORDS * sizeof(word));
    machine->vma = (struct vma){.start = START, .end = end, .page_offset = START >> PAGE_SHIFT, .flags = VM_READ | VM_WRITE,
                                .protection = PRESENT | USER, .anon_vma = &machine->anon_vma, .mark = (uint64_t)-1,
                                .space = space};
    machine->anon_vma.size = 1;
    machine->anon_vma.vmas[0] = &machine->vma;
    space->users = 1;
    space->vmas[0] = &machine->vma;
    space->vma_count = 1;
    space->anon_vmas[1] = &machine->anon_vma;
    space->windows.generation = 1;
    space->windows.windows = machine->windows;
    space->windows.running = 1;
    space->table.arena = &machine->arena;
    space->table.root = new_table(&machine->arena);
    space->frames.frames = allocate((FIRST_FRAME + (size_t)pages) * sizeof(struct frame));
    space->data = allocate((FIRST_FRAME + (size_t)pages) << PAGE_SHIFT);
    space->notifiers.seq = 2;
    space->notifiers.published = INTERVALS | LIST;
    space->notifiers.srcu = &machine->srcu;
    space->notifiers.subscribers[0] = &machine->device.subscriber;
    space->notifiers.subscriber_count = 1;
    machine->cpu.id = 1;
    machine->cpu.window = &machine->windows[0];
    machine->cpu.space = space;
    machine->device.id = 2;
    machine->device.space = space;
    machine->device.table.arena = &machine->arena;
    machine->device.table.root = new_table(&machine->arena);
    machine->device.subscription.invalidate = on_range;
    machine->device.subscription.driver = &machine->device;
    machine->device.subscriber = (struct subscriber){on_start, on_end, &machine->device};
    machine->device.jiffies = &machine->jiffies;
    machine->addresses = allocate((size_t)pages * sizeof(uint64_t));
    for (long i = 0; i < pages; i++) {
        /* A line of its own for each page, and not the same one in each: lines a page apart share a cache set. */
        machine->addresses[i] = START + ((uint64_t)i << PAGE_SHIFT) + ((uint64_t)i & 63) * 64;
        map_page(machine, machine->addresses[i] & -PAGE_SIZE, FIRST_FRAME + (uint64_t)i);
    }
    return machine;
}

/* ---- what is timed ---------------------------------------------------------------------------------------------- */

static void make_all(struct machine *machine) {
    for (long i = 0; i < machine->pages; i++) {
        make(&machine->device, machine->addresses[i]);
    }
}

static void restore_all(struct machine *machine) {
    for (long i = 0; i < machine->pages; i++) {
        fetch_add(&machine->cpu, machine->addresses[i], 1);
    }
    machine->accesses++;
}

static void pair_all(struct machine *machine) {
    for (long i = 0; i < machine->pages; i++) {
        make(&machine->device, machine->addresses[i]);
        fetch_add(&machine->cpu, machine->addresses[i], 1);
    }
    machine->accesses++;
}

static word *entry_of(struct machine *machine, long page) {
    const uint64_t slot = radix_slot(&machine->space.table, machine->addresses[page] >> PAGE_SHIFT);
    return pte_at(&machine->arena, slot);
}

static __attribute__((noinline)) void mark_bare(struct machine *machine, long page) {
    word *entry = entry_of(machine, page);
    const uint64_t pte = load_acquire(entry);
    if ((pte & PRESENT) == 0 || !compare_and_set(entry, pte, make_exclusive(pte))) {
        fail("mark: the entry changed");
    }
}

static __attribute__((noinline)) void restore_bare(struct machine *machine, long page) {
    word *entry = entry_of(machine, page);
    const uint64_t exclusive = load_acquire(entry);
    const uint64_t pte = restore_exclusive(exclusive, machine->vma.protection, true) | YOUNG;
    if (!is_exclusive(exclusive) || !compare_and_set(entry, exclusive, pte)) {
        fail("restore: the entry changed");
    }
    get_and_add((word *)(machine->space.data + frame_position(pte_frame(pte), machine->addresses[page])), 1);
}

static void mark_all_bare(struct machine *machine) {
    for (long i = 0; i < machine->pages; i++) {
        mark_bare(machine, i);
    }
}

static void restore_all_bare(struct machine *machine) {
    for (long i = 0; i < machine->pages; i++) {
        restore_bare(machine, i);
    }
    machine->accesses++;
}

static void pair_all_bare(struct machine *machine) {
    for (long i = 0; i < machine->pages; i++) {
        mark_bare(machine, i);
        restore_bare(machine, i);
    }
    machine->accesses++;
}

/* On one word, each waits for the one before: what an atomic operation costs in a row of them. */
static word subject;

static void locked_adds(void) {
    for (int i = 0; i < OPERATION_BATCH; i++) {
        get_and_add(&subject, 1);
    }
}

static void fenced_stores(void) {
    for (int i = 0; i < OPERATION_BATCH; i++) {
        store_opaque(&subject, (uint64_t)i);
#if defined(__x86_64__)
        __asm__ volatile("mfence" ::: "memory");
#else
        full_fence();
#endif
    }
}

static void exchanges(void) {
    for (int i = 0; i < OPERATION_BATCH; i++) {
        get_and_set(&subject, (uint64_t)i);
    }
}

static void hits(struct machine *machine) {
    for (int repeat = 0; repeat < SUBJECT_REPEATS; repeat++) {
        for (long i = 0; i < machine->pages; i++) {
            load_long(&machine->cpu, machine->addresses[i]);
        }
    }
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

enum row { MAKE, RESTORE, PAIR, MARK_BARE, RESTORE_BARE, PAIR_BARE, MAKE_512, RESTORE_512, LOCKED_ADD, FENCED_STORE,
           FENCED_STORE_XCHG, ACCESS_HIT, ROWS };

static const char *const NAMES[ROWS] = {"make", "restore", "pair", "mark-bare", "restore-bare", "pair-bare", "make-512",
                                        "restore-512", "locked-add", "fenced-store", "fenced-store-xchg", "access-hit"};

static struct samples rows[ROWS];

#define TIMED(row, count, what)                          \
    do {                                                 \
        const uint64_t begin_ = now();                   \
        what;                                            \
        add_sample(&rows[row], begin_, now(), (count));  \
    } while (0)

/* One batch of each kind in turn, so that all of them meet the same disturbances. */
static void run_round(struct machine *some, struct machine *range) {
    TIMED(MAKE, some->pages, make_all(some));
    TIMED(RESTORE, some->pages, restore_all(some));
    TIMED(PAIR, some->pages, pair_all(some));
    TIMED(ACCESS_HIT, some->pages * SUBJECT_REPEATS, hits(some));
    TIMED(MARK_BARE, some->pages, mark_all_bare(some));
    TIMED(RESTORE_BARE, some->pages, restore_all_bare(some));
    TIMED(PAIR_BARE, some->pages, pair_all_bare(some));
    TIMED(MAKE_512, range->pages, make_all(range));
    TIMED(RESTORE_512, range->pages, restore_all(range));
    TIMED(LOCKED_ADD, OPERATION_BATCH, locked_adds());
    TIMED(FENCED_STORE, OPERATION_BATCH, fenced_stores());
    TIMED(FENCED_STORE_XCHG, OPERATION_BATCH, exchanges());
}

/* Nothing was skipped: every access has left its trace, and every count is what it was. */
static void check(struct machine *machine, uint64_t restores) {
    const struct notifier_state *notifiers = &machine->space.notifiers;
    if (machine->cpu.faults != restores * (uint64_t)machine->pages) {
        fail("faults: %llu", (unsigned long long)machine->cpu.faults);
    }
    if (notifiers->active_spans != 0 || notifiers->seq % 2 != 0 || notifiers->size != 0 || machine->space.users != 1
        || machine->space.mmap_lock.state != 0 || machine->anon_vma.lock.state != 0 || machine->vma.readers != 0
        || machine->srcu.first != 0 || notifiers->seq != 2 + 2 * restores * (uint64_t)machine->pages
        || machine->space.windows.generation != 1 + restores * (uint64_t)machine->pages) {
        fail("locks or counts don't balance");
    }
    for (long i = 0; i < machine->pages; i++) {
        struct frame *frame = &machine->space.frames.frames[FIRST_FRAME + (uint64_t)i];
        const uint64_t device_slot = radix_slot(&machine->device.table, machine->addresses[i] >> PAGE_SHIFT);
        const int64_t position = frame_position(FIRST_FRAME + (uint64_t)i, machine->addresses[i]);
        const uint64_t value = *(word *)(machine->space.data + position);
        if (frame->refcount != 1 || frame->mapcount != 1 || (frame->state & (LOCKED | WAITERS)) != 0
            || machine->arena.entries[device_slot] != 0 || value != machine->accesses) {
            fail("page %ld: references=%llu, mappings=%llu, value=%llu", i, (unsigned long long)frame->refcount,
                 (unsigned long long)frame->mapcount, (unsigned long long)value);
        }
    }
}

static void warm_up(struct machine *machine) {
    make_all(machine);
    restore_all(machine);
}

#ifdef COUNT_OPERATIONS
static int count_operations(struct machine *machine) {
    const uint64_t before = operations;
    make(&machine->device, machine->addresses[0]);
    const uint64_t between = operations;
    fetch_add(&machine->cpu, machine->addresses[0], 1);
    printf("{\"make\":%llu,\"restore\":%llu}\n", (unsigned long long)(between - before),
           (unsigned long long)(operations - between));
    return 0;
}
#endif

int main(int count, char **arguments) {
    const struct options options = parse_options(count, arguments, PROGRAM, 256);
    struct machine *some = new_machine(options.pages);
    struct machine *range = new_machine(RANGE_PAGES);
    warm_up(some);
    warm_up(range);
#ifdef COUNT_OPERATIONS
    return count_operations(some);
#endif
    for (int row = 0; row < ROWS; row++) {
        rows[row] = new_samples(SAMPLES_MAX);
    }
    calibrate_clock();
    long round = 0;
    for (const uint64_t begin = now(); goes_on(&options, round, begin); round++) {
        run_round(some, range);
    }
    check(some, 1 + 2 * (uint64_t)round);
    check(range, 1 + (uint64_t)round);
    begin_output(PROGRAM);
    for (int row = 0; row < ROWS; row++) {
        print_row(NAMES[row], &rows[row]);
    }
    end_output(NULL);
    return 0;
}
