package mmutex.device;

import mmutex.change.SpaceTeardown;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.hmm.HmmFlags;
import mmutex.hmm.HmmRange;
import mmutex.hmm.RangeFaulter;
import mmutex.memory.FrameAllocator;
import mmutex.mm.AddressSpace;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.RangeGuard;
import mmutex.sync.DriverLock;

/**
 * An open file of the test device: {@code struct dmirror}, lib/test_hmm.c (6.12), with its observable oddities:
 *
 * <ul>
 *   <li>It passes the null owner to make, so it can't tell its own conversion from a restore (and erases in both cases).
 *   <li>Its requests to make pages exclusive have no sequence check (Q6).
 *   <li>An invalidation erases one page too many, the one behind the range (Q7).
 *   <li>A page that comes back from the device is erased from the table of the handle that brought it there, also when it
 *       comes back to a forked child whose page at that address is another one.
 *   <li>Up to 6.14 a range of which not all pages were obtained is not mapped at all, and every failure is EBUSY.
 * </ul>
 *
 * In two ways it is kinder than the original. A device access that finds, without an entry in the device's table, a page in
 * the device's own memory crashes the kernel (Q17); here it reaches the page, whose contents are in its frame. And a
 * migration moves the sequence of the device's own handles too, so that a fault of theirs that is in progress can't map a
 * page that has left.
 *
 * <p>Threads: any number of requests at once; the driver lock orders the device table.
 */
public final class MirrorHandle {
    /** Snapshot code: no access. */
    public static final int PERM_NONE = 0x00;
    /** Snapshot code: readable. */
    public static final int PERM_READ = 0x01;
    /** Snapshot code: writable. */
    public static final int PERM_WRITE = 0x02;
    /** Snapshot code, with READ or WRITE: mapped by an entry of the level above. */
    public static final int PERM_PMD = 0x04;
    /** Snapshot code, with READ: the zero page. */
    public static final int PERM_ZERO = 0x10;
    /** Snapshot code, with READ or WRITE: in this device's memory. */
    public static final int PERM_DEV_PRIVATE_LOCAL = 0x20;
    /** Snapshot code, with READ or WRITE: in another device's memory. */
    public static final int PERM_DEV_PRIVATE_REMOTE = 0x30;
    /** Snapshot code: no VMA, or not readable. */
    public static final int PERM_ERROR = 0xff;

    private static final int SNAPSHOT_PAGES = 64;
    private static final int EXCLUSIVE_PAGES = 64;
    private static final long ATOMIC_TAG = DevicePte.VALID | DevicePte.ATOMIC;
    private static final long WRITE_TAG = DevicePte.VALID | DevicePte.WRITE;
    /** Bounds the rounds of a fault that keeps colliding; the kernel bounds the time, 1000 ms. */
    private static final int FAULT_ROUNDS_MAX = 100_000;

    /**
     * A request's outcome.
     *
     * @param errno OK or why it failed; then the counters mean nothing
     * @param cpages pages transferred
     * @param faults fault calls made
     */
    public record Result(Errno errno, long cpages, long faults) {
        static Result of(final Errno errno) {
            return new Result(errno, 0, 0);
        }
    }

    private final MirrorDevice device;
    private final int number;
    private final Platform platform;
    private final AddressSpace space;
    private final DevicePageTable table;
    private final DriverLock lock;
    private final IntervalSubscription subscription =
            new IntervalSubscription((actor, hit, range, sequence) -> invalidate((Task) actor, hit, range, sequence));
    private boolean open = true;
    /** Under the driver lock: whether there is a table. */
    private boolean hasTable = true;

    MirrorHandle(
            final Task task,
            final MirrorDevice device,
            final int number,
            final Platform platform,
            final AddressSpace space) {
        this.device = device;
        this.number = number;
        this.platform = platform;
        this.space = space;
        this.table = new DevicePageTable(platform, 1);
        this.lock = new DriverLock(System.identityHashCode(this));
        final Errno inserted = space.insert(task, subscription, 0, space.addressLimit());
        if (inserted != Errno.OK) {
            throw new IllegalStateException("a device can't be opened on this address space: " + inserted);
        }
    }

    /** The device this is a handle of. */
    public MirrorDevice device() {
        return device;
    }

    /** Its number among the device's handles. */
    int number() {
        return number;
    }

    /** The memory it acts on. */
    public AddressSpace space() {
        return space;
    }

    /** What it maps (checkers). */
    public DevicePageTable table() {
        return table;
    }

    /** Orders the device table (checkers). */
    public DriverLock lock() {
        return lock;
    }

    /**
     * Closes the file. Exclusive entries stay until somebody touches them. All pages in the device's memory come back,
     * whoever brought them there.
     */
    public void close(final Task task) {
        if (open) {
            open = false;
            space.notifiers().remove(task, subscription);
            device.closed(task, this);
            lock.lock(task);
            hasTable = false;
            table.free();
            lock.unlock(task);
        }
    }

    /** Erases a page, and returns when no access through its entry is in progress. */
    void erase(final Task task, final long addr) {
        lock.lock(task);
        if (hasTable) {
            table.erase(task, page(addr), page(addr) + 1);
        }
        lock.unlock(task);
    }

    /** Maps a page in the device's memory; not, if there is no room for the entry's table. */
    void mapPrivate(final Task task, final long addr, final long pfn, final boolean writable) {
        lock.lock(task);
        table.store(page(addr), DevicePte.of(pfn, writable ? WRITE_TAG : DevicePte.VALID));
        lock.unlock(task);
    }

    /** dmirror_interval_invalidate. */
    private boolean invalidate(final Task task, final RangeGuard hit, final NotifierRange range, final long sequence) {
        if (range.isBlockable()) {
            lock.lock(task);
        } else if (!lock.tryLock(task)) {
            return false;
        }
        hit.setSeq(sequence);
        // The device's own migrations change its table themselves.
        if (range.event() != NotifierEvent.MIGRATE || range.owner() != device.owner()) {
            // Q7: the end is taken as inclusive.
            table.erase(task, page(range.start()), page(range.end()) + 1);
        }
        lock.unlock(task);
        return true;
    }

    // ---- requests -------------------------------------------------------------------------------------------

    /** READ: copies pages to the buffer, faulting in what the device does not map. */
    public Result read(final Task task, final long addr, final long pages, final DeviceBuffer buffer) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        final byte[] bounce = bounce(pages);
        if (bounce == null) {
            return Result.of(Errno.ENOMEM);
        }
        long done = 0;
        long faults = 0;
        while (true) { // ends: each round maps what stopped the one before, or fails
            lock.lock(task);
            done = readMapped(addr, done, pages, bounce);
            lock.unlock(task);
            if (done == pages) {
                break;
            }
            final Errno error = fault(task, addr + bytes(done), addr + bytes(pages), false);
            if (error != Errno.OK) {
                return Result.of(error);
            }
            faults++;
        }
        return new Result(buffer.copyOut(task, bounce, bounce.length), done, faults);
    }

    /** WRITE: copies pages from the buffer. Only a write mapping will do; an exclusive one does not. */
    public Result write(final Task task, final long addr, final long pages, final DeviceBuffer buffer) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        final byte[] bounce = bounce(pages);
        if (bounce == null) {
            return Result.of(Errno.ENOMEM);
        }
        if (buffer.copyIn(task, bounce, bounce.length) != Errno.OK) {
            return Result.of(Errno.EFAULT);
        }
        long done = 0;
        long faults = 0;
        while (true) { // ends: as in read
            lock.lock(task);
            done = writeMapped(addr, done, pages, bounce);
            lock.unlock(task);
            if (done == pages) {
                return new Result(Errno.OK, done, faults);
            }
            final Errno error = fault(task, addr + bytes(done), addr + bytes(pages), true);
            if (error != Errno.OK) {
                return Result.of(error);
            }
            faults++;
        }
    }

    /** EXCLUSIVE: makes a range exclusive to this device, then reads it back. */
    public Result exclusive(final Task task, final long addr, final long pages, final DeviceBuffer buffer) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        if (!space.tryPinUsers()) {
            return Result.of(Errno.EINVAL);
        }
        // The mmap lock is kept for the whole loop, so a fork never meets a page this driver has locked.
        space.mmapLock().readLock(task);
        final Errno made =
                platform.profile().makeOnePage() ? makeOneByOne(task, addr, pages) : makeByRange(task, addr, pages);
        space.mmapLock().readUnlock(task);
        SpaceTeardown.unpin(task, space);
        return made == Errno.OK ? readBack(task, addr, pages, buffer) : Result.of(made);
    }

    /** What EXCLUSIVE and MIGRATE_TO_DEV end with: the pages as the device maps them now. */
    private Result readBack(final Task task, final long addr, final long pages, final DeviceBuffer buffer) {
        final byte[] bounce = bounce(pages);
        if (bounce == null) {
            return Result.of(Errno.ENOMEM);
        }
        lock.lock(task);
        final long done = readMapped(addr, 0, pages, bounce);
        lock.unlock(task);
        if (done < pages) {
            return Result.of(Errno.ENOENT); // not mapped: passed over, or vanished meanwhile
        }
        return new Result(buffer.copyOut(task, bounce, bounce.length), done, 0);
    }

    /**
     * MIGRATE_TO_DEV: moves what it can of a range to the device's memory, then reads the range. ENOENT if the device does
     * not map all of it afterwards; the rest has been moved all the same.
     */
    public Result migrateToDevice(final Task task, final long addr, final long pages, final DeviceBuffer buffer) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        final Errno error = MirrorMigrator.toDevice(task, this, addr, pages);
        return error == Errno.OK ? readBack(task, addr, pages, buffer) : Result.of(error);
    }

    /** MIGRATE_TO_SYS: moves pages of a range that are in this device's memory back; counts them. */
    public Result migrateToSystem(final Task task, final long addr, final long pages) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        final long moved = MirrorMigrator.toSystem(task, this, addr, pages);
        return moved < 0 ? Result.of(Errno.values()[(int) -moved]) : new Result(Errno.OK, moved, 0);
    }

    /** RELEASE: moves all pages in the device's memory back, whoever brought them there, and frees it. */
    public Result release(final Task task, final long addr, final long pages) {
        final Errno refused = checkRange(addr, pages);
        if (refused == Errno.OK) {
            device.release(task);
        }
        return Result.of(refused);
    }

    /** CHECK_EXCLUSIVE: EPERM if this handle holds a page of the range atomically. */
    public Result checkExclusive(final Task task, final long addr, final long pages) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        Errno result = Errno.OK;
        lock.lock(task);
        final long end = Math.min(page(addr) + pages, table.pageLimit());
        for (long vpn = table.nextValid(page(addr), end); vpn < end; vpn = table.nextValid(vpn + 1, end)) {
            if (DevicePte.has(table.load(vpn), ATOMIC_TAG)) {
                result = Errno.EPERM;
                break;
            }
        }
        lock.unlock(task);
        return Result.of(result);
    }

    /** SNAPSHOT: one permission byte per page, without faulting anything in. */
    public Result snapshot(final Task task, final long addr, final long pages, final DeviceBuffer buffer) {
        final Errno refused = checkRange(addr, pages);
        if (refused != Errno.OK) {
            return Result.of(refused);
        }
        if (!space.tryPinUsers()) {
            return Result.of(Errno.EINVAL);
        }
        if (pages > platform.frames().frameCount()) {
            SpaceTeardown.unpin(task, space);
            return Result.of(Errno.EFAULT); // no buffer holds that many answers
        }
        final byte[] perms = new byte[(int) pages];
        final HmmRange range = new HmmRange(SNAPSHOT_PAGES).devicePrivateOwner(device.owner());
        Errno error = Errno.OK;
        for (long done = 0; done < pages && error == Errno.OK; done += SNAPSHOT_PAGES) {
            final int count = (int) Math.min(SNAPSHOT_PAGES, pages - done);
            error = snapshotSome(task, range, addr + bytes(done), count);
            for (int i = 0; i < count && error == Errno.OK; i++) {
                perms[(int) done + i] = (byte) (permission(range.pfn(i)) | level(range.pfn(i)));
            }
        }
        SpaceTeardown.unpin(task, space);
        if (error == Errno.OK) {
            error = buffer.copyOut(task, perms, perms.length);
        }
        return error == Errno.OK ? new Result(Errno.OK, pages, 0) : Result.of(error);
    }

    /** A request with a number the driver does not know. */
    public Result unknown(final Task task, final long addr, final long pages) {
        final Errno refused = checkRange(addr, pages);
        return Result.of(refused == Errno.OK ? Errno.EINVAL : refused);
    }

    // ---- steps ----------------------------------------------------------------------------------------------

    /** What every request checks first, whatever it is: EINVAL for a misaligned address, an empty or a wrapping range. */
    public Errno checkRange(final long addr, final long pages) {
        final boolean aligned = (addr & platform.pageSize() - 1) == 0;
        final boolean forward = Long.compareUnsigned(addr, addr + bytes(pages)) < 0;
        return aligned && forward ? Errno.OK : Errno.EINVAL;
    }

    /** dmirror_do_read: any mapping will do. Returns pages done, from the start. */
    private long readMapped(final long addr, final long from, final long pages, final byte[] bounce) {
        final int size = (int) platform.pageSize();
        for (long i = from; i < pages; i++) {
            final long pte = entry(page(addr) + i);
            if (!DevicePte.has(pte, DevicePte.VALID)) {
                return i;
            }
            platform.data().read(DevicePte.frameNumber(pte), 0, bounce, (int) i * size, size);
        }
        return pages;
    }

    /** dmirror_do_write. */
    private long writeMapped(final long addr, final long from, final long pages, final byte[] bounce) {
        final int size = (int) platform.pageSize();
        for (long i = from; i < pages; i++) {
            final long pte = entry(page(addr) + i);
            if (!DevicePte.has(pte, WRITE_TAG)) {
                return i;
            }
            platform.data().write(DevicePte.frameNumber(pte), 0, bounce, (int) i * size, size);
        }
        return pages;
    }

    /** dmirror_exclusive up to 6.14. */
    private Errno makeByRange(final Task task, final long addr, final long pages) {
        final long[] batch = new long[EXCLUSIVE_PAGES];
        for (long done = 0; done < pages; done += EXCLUSIVE_PAGES) {
            final int count = (int) Math.min(EXCLUSIVE_PAGES, pages - done);
            final long start = addr + bytes(done);
            final int got = ExclusiveMaker.makeRange(task, space, start, count, NotifierRange.NO_OWNER, batch);
            final int mapped = got == count ? mapAtomic(task, start, count, batch) : 0;
            for (int i = 0; i < got; i++) {
                if (batch[i] != ExclusiveMaker.NULL_SLOT) {
                    platform.unlockPage(task, batch[i]);
                    platform.putPage(batch[i]);
                }
            }
            if (mapped < count) {
                return Errno.EBUSY;
            }
        }
        return Errno.OK;
    }

    private int mapAtomic(final Task task, final long start, final int count, final long[] batch) {
        int mapped = 0;
        lock.lock(task);
        for (int i = 0; i < count; i++) {
            if (batch[i] != ExclusiveMaker.NULL_SLOT
                    && table.store(page(start) + i, DevicePte.of(batch[i], ATOMIC_TAG))) {
                mapped++;
            }
        }
        lock.unlock(task);
        return mapped;
    }

    /** dmirror_exclusive, 6.15 and later: each page is made and mapped before the next is asked for. */
    private Errno makeOneByOne(final Task task, final long addr, final long pages) {
        for (long i = 0; i < pages; i++) {
            final long made = ExclusiveMaker.makeOne(task, space, addr + bytes(i), NotifierRange.NO_OWNER);
            if (made <= 0) {
                return platform.profile().deviceReportsErrno() ? Errno.values()[(int) -made] : Errno.EBUSY;
            }
            lock.lock(task);
            final boolean stored = table.store(page(addr) + i, DevicePte.of(made, ATOMIC_TAG));
            lock.unlock(task);
            platform.unlockPage(task, made);
            platform.putPage(made);
            if (!stored) {
                return Errno.ENOMEM;
            }
        }
        return Errno.OK;
    }

    /** dmirror_fault: rounds of some pages, each under the sequence protocol. */
    private Errno fault(final Task task, final long start, final long end, final boolean write) {
        if (!space.tryPinUsers()) {
            return Errno.EFAULT;
        }
        final int pagesMax = platform.profile().deviceFaultPages();
        final HmmRange range = new HmmRange(pagesMax).devicePrivateOwner(device.owner());
        Errno error = Errno.OK;
        final long pages = end - start >>> space.pageShift();
        for (long done = 0; done < pages && error == Errno.OK; done += pagesMax) {
            final long count = Math.min(pagesMax, pages - done);
            error = faultRound(task, range, start + bytes(done), start + bytes(done + count), write);
        }
        SpaceTeardown.unpin(task, space);
        return error;
    }

    /** dmirror_range_fault. */
    private Errno faultRound(
            final Task task, final HmmRange range, final long start, final long end, final boolean write) {
        final long flags = HmmFlags.REQ_FAULT | (write ? HmmFlags.REQ_WRITE : 0);
        range.init(space, subscription, start, end, flags, 0);
        for (int round = 0; round < FAULT_ROUNDS_MAX; round++) {
            range.sequence(subscription.readBegin(task));
            space.mmapLock().readLock(task);
            final Errno error = RangeFaulter.fault(task, range);
            space.mmapLock().readUnlock(task);
            if (error != Errno.OK && error != Errno.EBUSY) {
                return error;
            }
            if (error == Errno.OK) {
                lock.lock(task);
                final boolean collided = subscription.readRetry(range.sequence());
                final Errno mapped = collided ? Errno.EBUSY : mapRange(range, start, end, write);
                lock.unlock(task);
                if (!collided) {
                    return mapped;
                }
            }
        }
        return Errno.EBUSY;
    }

    /** dmirror_do_fault; EFAULT where a page in the device's memory is read-only, and was to be written. */
    private Errno mapRange(final HmmRange range, final long start, final long end, final boolean write) {
        final int count = (int) (end - start >>> space.pageShift());
        for (int i = 0; i < count; i++) {
            final long pfn = range.pfn(i);
            final long tag = (pfn & HmmFlags.WRITE) != 0 ? WRITE_TAG : DevicePte.VALID;
            if (write && tag != WRITE_TAG) {
                return Errno.EFAULT;
            }
            if (!table.store(page(start) + i, DevicePte.of(HmmFlags.frameNumber(pfn), tag))) {
                return Errno.ENOMEM;
            }
        }
        return Errno.OK;
    }

    /** dmirror_range_snapshot: under a temporary subscription that only moves its sequence. */
    private Errno snapshotSome(final Task task, final HmmRange range, final long addr, final int count) {
        final IntervalSubscription temporary = new IntervalSubscription((actor, hit, notified, sequence) -> {
            if (notified.isBlockable()) {
                lock.lock(actor);
            } else if (!lock.tryLock(actor)) {
                return false;
            }
            hit.setSeq(sequence);
            lock.unlock(actor);
            return true;
        });
        final long end = addr + bytes(count);
        final Errno inserted = space.insert(task, temporary, addr, end - addr);
        if (inserted != Errno.OK) {
            return inserted;
        }
        range.init(space, temporary, addr, end, 0, 0);
        Errno error = Errno.EBUSY;
        for (int round = 0; round < FAULT_ROUNDS_MAX && error == Errno.EBUSY; round++) {
            range.sequence(temporary.readBegin(task));
            space.mmapLock().readLock(task);
            error = RangeFaulter.fault(task, range);
            space.mmapLock().readUnlock(task);
            if (error == Errno.OK) {
                lock.lock(task);
                if (temporary.readRetry(range.sequence())) {
                    error = Errno.EBUSY;
                }
                lock.unlock(task);
            }
        }
        space.notifiers().remove(task, temporary);
        return error;
    }

    /** dmirror_mkentry. */
    private int permission(final long pfn) {
        if ((pfn & HmmFlags.ERROR) != 0) {
            return PERM_ERROR;
        }
        if ((pfn & HmmFlags.VALID) == 0) {
            return PERM_NONE;
        }
        final DeviceMemory memory = platform.deviceMemory(HmmFlags.frameNumber(pfn));
        final int kind;
        if (memory != null) {
            kind = memory == device.memory() ? PERM_DEV_PRIVATE_LOCAL : PERM_DEV_PRIVATE_REMOTE;
        } else {
            kind = HmmFlags.frameNumber(pfn) == FrameAllocator.ZERO_FRAME ? PERM_ZERO : PERM_NONE;
        }
        return kind | ((pfn & HmmFlags.WRITE) != 0 ? PERM_WRITE : PERM_READ);
    }

    private int level(final long pfn) {
        return HmmFlags.order(pfn) == platform.encoding().indexBits() ? PERM_PMD : PERM_NONE;
    }

    /** Requests may name any address; behind what a table can map there is nothing. */
    private long entry(final long vpn) {
        return vpn < table.pageLimit() ? table.load(vpn) : DevicePte.NONE;
    }

    /** Room to copy through; null for more than the machine's memory, as vmalloc refuses it. */
    private byte[] bounce(final long pages) {
        final long limit = Math.min(platform.frames().frameCount(), Integer.MAX_VALUE >> space.pageShift());
        return Long.compareUnsigned(pages, limit) > 0 ? null : new byte[(int) bytes(pages)];
    }

    private long page(final long addr) {
        return addr >>> space.pageShift();
    }

    private long bytes(final long pages) {
        return pages << space.pageShift();
    }
}
