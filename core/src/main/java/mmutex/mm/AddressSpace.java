package mmutex.mm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Comparator;
import java.util.Set;
import java.util.TreeSet;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameTable;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierState;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.SubscriberOps;
import mmutex.sync.AccessWindows;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.MmapLock;
import mmutex.sync.SpinLock;

/**
 * One address space: its VMAs, page table, counters, the CPUs that run it and the subscribers to its changes.
 *
 * <p>Pins: {@link #tryPinUsers} (the kernel's mmget) keeps it from being torn down; the object itself is kept by the
 * garbage collector (mmgrab). Kernel counterpart: {@code struct mm_struct} (6.12).
 */
public final class AddressSpace {
    private static final VarHandle USERS;

    static {
        try {
            USERS = MethodHandles.lookup().findVarHandle(AddressSpace.class, "users", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int id;
    private final Platform platform;
    private final int pageShift;
    private final MmapLock mmapLock = new MmapLock();
    private final VmaSet vmas = new VmaSet();
    private final AccessWindows windows;
    private final PageTable pageTable;
    private final NotifierState notifiers;
    private final Counter anonPages = new Counter();
    private final Counter filePages = new Counter();
    private final Counter shmemPages = new Counter();
    private final Counter swapEntries = new Counter();
    private final Counter lockedPages = new Counter();
    private final ReverseMap reverseMap;
    private final VmaEditor editor;

    /** Serialises a fault's setting of a VMA's anon_vma (the kernel's page_table_lock). */
    private final SpinLock prepareLock = new SpinLock(LockClass.LF);

    /** Read by faults under a leaf-table lock, which the reaper takes after it has set this. */
    private volatile boolean unstable;

    @SuppressWarnings("unused") // through USERS
    private int users = 1;

    /**
     * Creates an empty address space with one user. Whoever creates it looks whether its page table got a root.
     */
    public AddressSpace(final int id, final Platform platform) {
        this.id = id;
        this.platform = platform;
        this.pageShift = platform.encoding().pageShift();
        this.windows = new AccessWindows(platform.windows());
        this.pageTable = new PageTable(platform, windows);
        this.notifiers = new NotifierState(platform.srcu(), platform.has(Quirk.LEAKED_SPAN));
        this.reverseMap = new ReverseMap(platform);
        this.editor = new VmaEditor(this, reverseMap);
    }

    public int id() {
        return id;
    }

    public Platform platform() {
        return platform;
    }

    public PteEncoding encoding() {
        return platform.encoding();
    }

    public int pageShift() {
        return pageShift;
    }

    public long pageSize() {
        return 1L << pageShift;
    }

    /** First address behind the usable ones (the kernel's TASK_SIZE, here half of what the table can map). */
    public long addressLimit() {
        return pageTable.radix().pageLimit() << pageShift - 1;
    }

    public MmapLock mmapLock() {
        return mmapLock;
    }

    public VmaSet vmas() {
        return vmas;
    }

    public PageTable pageTable() {
        return pageTable;
    }

    public AccessWindows windows() {
        return windows;
    }

    public NotifierState notifiers() {
        return notifiers;
    }

    public ReverseMap reverseMap() {
        return reverseMap;
    }

    /** Splits, merges and links VMAs; mmap lock held for writing. */
    public VmaEditor editor() {
        return editor;
    }

    /** MM_ANONPAGES: anonymous pages mapped, exclusive and device-private ones included. */
    public Counter anonPages() {
        return anonPages;
    }

    /** MM_FILEPAGES: a driver's pages that are mapped. */
    public Counter filePages() {
        return filePages;
    }

    /** MM_SHMEMPAGES: pages of shared memory and of tmpfs files that are mapped. */
    public Counter shmemPages() {
        return shmemPages;
    }

    /** mm_counter: the one of the three counters that a mapped frame counts in. */
    public Counter rss(final long pfn) {
        if (!platform.frames().has(pfn, FrameTable.FILE)) {
            return anonPages;
        }
        return platform.frames().mapping(pfn) == 0 ? filePages : shmemPages;
    }

    /** MM_SWAPENTS. */
    public Counter swapEntries() {
        return swapEntries;
    }

    /** MMF_UNSTABLE: the reaper has been here, so what is missing may have been there; faults on it get SIGBUS. */
    public boolean isUnstable() {
        return unstable;
    }

    /** Set once, by the reaper, before it unmaps anything. */
    public void markUnstable() {
        unstable = true;
    }

    /** mm->locked_vm: pages of locked VMAs, there or not. */
    public Counter lockedPages() {
        return lockedPages;
    }

    SpinLock prepareLock() {
        return prepareLock;
    }

    // ---- users ----------------------------------------------------------------------------------------------

    /** mmget_not_zero: keeps the address space from being torn down; false if it already is. */
    public boolean tryPinUsers() {
        int seen;
        do { // a failure means that another thread's pin or unpin succeeded
            seen = (int) USERS.getVolatile(this);
            if (seen == 0) {
                return false;
            }
        } while (!USERS.compareAndSet(this, seen, seen + 1));
        return true;
    }

    /** Drops a pin; true if it was the last one and the caller must tear the address space down. */
    public boolean unpinUsers() {
        final int before = (int) USERS.getAndAdd(this, -1);
        if (before <= 0) {
            throw new IllegalStateException("user count underflow: space=" + id);
        }
        return before == 1;
    }

    /** Whether anybody uses it. */
    public boolean isAlive() {
        return (int) USERS.getVolatile(this) > 0;
    }

    // ---- subscribers ----------------------------------------------------------------------------------------

    /**
     * mmu_interval_notifier_insert. The first subscription of the address space takes every lock a span could be opened
     * under, so that no span is running; later ones take none.
     *
     * @param start first byte
     * @param length bytes
     * @return OK, EOVERFLOW for an empty or wrapping range, EINVAL without users, EINTR if a fatal signal came first
     */
    public Errno insert(
            final Actor actor, final IntervalSubscription subscription, final long start, final long length) {
        final long last = start + length - 1;
        if (length == 0 || Long.compareUnsigned(last, start) < 0) {
            return Errno.EOVERFLOW;
        }
        if (!isAlive()) {
            return Errno.EINVAL;
        }
        if (notifiers.needsPublishForIntervals() && !publishIntervals(actor)) {
            return Errno.EINTR;
        }
        notifiers.insert(actor, subscription, start, last);
        return Errno.OK;
    }

    private boolean publishIntervals(final Actor actor) {
        mmapLock.writeLock(actor);
        final boolean done = !notifiers.needsPublishForIntervals() || excludeSpans(actor, true, null, null);
        mmapLock.writeUnlock(actor);
        return done;
    }

    /**
     * mmu_notifier_register: adds a list subscriber, with one user; no span is running at that moment.
     *
     * @return OK, or EINTR if a fatal signal came first
     */
    public Errno register(final Actor actor, final NotifierSubscriber subscriber) {
        mmapLock.writeLock(actor);
        final boolean done = excludeSpans(actor, false, subscriber, null);
        mmapLock.writeUnlock(actor);
        return done ? Errno.OK : Errno.EINTR;
    }

    /**
     * mmu_notifier_get: the one subscriber of these operations, with one more user; made and registered if there is none.
     * Given back by {@link NotifierState#put}.
     *
     * @return the subscriber, or null if a fatal signal came first
     */
    public NotifierSubscriber get(final Actor actor, final SubscriberOps ops) {
        mmapLock.writeLock(actor);
        NotifierSubscriber subscriber = notifiers.find(actor, ops);
        if (subscriber == null) {
            subscriber = ops.allocate();
            if (!excludeSpans(actor, false, subscriber, ops)) {
                subscriber = null;
            }
        }
        mmapLock.writeUnlock(actor);
        return subscriber;
    }

    /** mm_take_all_locks, publish, mm_drop_all_locks; false on a fatal signal. */
    private boolean excludeSpans(
            final Actor actor, final boolean intervals, final NotifierSubscriber subscriber, final SubscriberOps ops) {
        if (actor.isKilled()) {
            return false;
        }
        final Vma[] all = vmas.snapshot();
        for (final Vma vma : all) {
            vma.lock().writeLock(actor, mmapLock);
        }
        // Two address spaces may share files and families (fork): taken in the order of their ids, so that two
        // registrations can't wait for each other. Truncation opens spans under a file's lock alone.
        final Set<FileMapping> files = new TreeSet<>(Comparator.comparingLong(FileMapping::id));
        final Set<AnonVma> families = new TreeSet<>(Comparator.comparingLong(AnonVma::id));
        for (final Vma vma : all) {
            if (vma.file() != null) {
                files.add(vma.file());
            }
            for (final AnonVma anonVma : vma.chain) {
                families.add(anonVma.root);
            }
        }
        for (final FileMapping file : files) {
            file.lock().writeLock(actor);
        }
        for (final AnonVma root : families) {
            root.lock().writeLock(actor);
        }
        notifiers.publish(intervals);
        if (subscriber != null) {
            notifiers.add(actor, subscriber, ops);
        }
        for (final AnonVma root : families) {
            root.lock().writeUnlock(actor);
        }
        for (final FileMapping file : files) {
            file.lock().writeUnlock(actor);
        }
        return true;
    }

    @Override
    public String toString() {
        return "space" + id;
    }
}
