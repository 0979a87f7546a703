package mmutex.device;

import java.util.function.LongSupplier;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.exclusive.ExclusiveReuse;
import mmutex.fault.GupFlags;
import mmutex.fault.PageGetter;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.Quirk;
import mmutex.mm.Task;
import mmutex.notify.RangeGuard;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import mmutex.sync.Wait;

/**
 * A fault for an atomic mapping: nouveau_atomic_range_fault, drivers/gpu/drm/nouveau/nouveau_svm.c (6.12 with the fix of
 * 6.14); semantics 3.23. The worker's; the page's range is inserted.
 *
 * <p>Differs from the kernel's loop in two things, on purpose, unless {@link RetryPolicy#KERNEL_LOOP} is asked for. Before
 * a retry something is done about the page ({@link RetryPolicy}): without that, a page whose first round collided with its
 * own copy or restore collides with itself in every further round (Q1). And a page that somebody else had locked (up to
 * 6.14 make skips it) is tried again instead of killing the channel, so that two devices can share a page. A page that is
 * not the first of its large folio, which up to 6.14 can't be had at all, ends the fault at once, as in the kernel.
 */
final class AtomicFault {
    private final SvmDevice device;
    private final Platform platform;
    private final AddressSpace space;
    private final RangeGuard guard;
    private final LongSupplier clock;
    private final RetryPolicy policy;
    private final boolean keepsPageLocked;
    private final long[] onePage = new long[1];
    private long retries;

    AtomicFault(final SvmDevice device, final RangeGuard guard, final LongSupplier clock, final RetryPolicy policy) {
        this.device = device;
        this.platform = device.platform();
        this.space = device.space();
        this.guard = guard;
        this.clock = clock;
        this.policy = policy;
        this.keepsPageLocked = platform.has(Quirk.LOCKED_RETRY);
    }

    /** Rounds that collided, or met a page that somebody else had locked. */
    long retries() {
        return retries;
    }

    /** OK; EINVAL if the page can't be had, EBUSY when the time is over, ENOMEM without a table for the entry. */
    Errno resolve(final Task worker, final long page) {
        final long deadline = clock.getAsLong() + SvmDriver.FAULT_NS_MAX;
        worker.probe().begin(Path.MAKE);
        Errno result = Errno.EBUSY;
        // Rounds are a wait as well: whoever keeps the page busy may be waiting for this worker's acknowledgement.
        final Wait wait = worker.startWait(null, page);
        for (int round = 0; result == Errno.EBUSY && (round == 0 || clock.getAsLong() - deadline < 0); round++) {
            if (round > 0) {
                retries++;
                wait.pause();
                if (policy == RetryPolicy.PREFAULT) {
                    prefault(worker, page);
                }
            }
            // a. A sample that no running invalidation of the page has hit.
            final long sample = guard.readBegin(worker);
            if (sample == RangeGuard.NO_SAMPLE) {
                continue;
            }
            // b. The page, locked and referenced; the mmap lock is not needed beyond (H4).
            space.mmapLock().readLock(worker);
            worker.probe().mark(Phase.BEGIN);
            final long pfn = take(worker, page, round);
            space.mmapLock().readUnlock(worker);
            if (pfn < 0 || pfn == ExclusiveMaker.NULL_SLOT && policy == RetryPolicy.KERNEL_LOOP) {
                result = Errno.EINVAL;
            } else if (pfn != ExclusiveMaker.NULL_SLOT) {
                result = program(worker, page, pfn, sample);
            }
        }
        wait.finish();
        worker.probe().end(Path.MAKE, result == Errno.OK);
        return result;
    }

    /** Steps c., d., 3., 4. and e.: EBUSY if the page was hit since the sample. */
    private Errno program(final Task worker, final long page, final long pfn, final long sample) {
        Errno result = Errno.EBUSY;
        // c., d. Under the driver lock: was the page hit since? If not, nobody can take it away before the entry is
        // stored; whoever comes later finds the entry.
        device.lock().lock(worker);
        // Without an owner the driver can't tell its own event and would collide with itself for ever: the drivers of
        // that time made once and mapped, relying on the page lock alone.
        if (!platform.profile().makePassesOwner() || !guard.readRetry(sample)) {
            // 3. Program the device; the page is still locked, so the first use comes before a CPU's restore.
            final long entry = DevicePte.of(pfn, DeviceAccess.ATOMIC.needs());
            result = device.table().store(page >>> space.pageShift(), entry) ? Errno.OK : Errno.ENOMEM;
        }
        device.lock().unlock(worker);
        // 4., e. In both cases page lock and reference are given back; kept over a retry, the next round's
        // get_user_pages waits for this lock (Q4).
        if (result != Errno.EBUSY || !keepsPageLocked) {
            platform.unlockPage(worker, pfn);
            platform.putPage(pfn);
        }
        worker.probe().mark(Phase.PROGRAM);
        return result;
    }

    /** A frame, NULL_SLOT if the page was busy, or negative if it can't be had. */
    private long take(final Task worker, final long page, final int round) {
        if (round > 0 && policy == RetryPolicy.CHECK_AND_REUSE) {
            final long pfn = ExclusiveReuse.take(worker, space, page, device.owner());
            if (pfn != ExclusiveMaker.NULL_SLOT) {
                return pfn;
            }
        }
        if (platform.profile().makeOnePage()) {
            return ExclusiveMaker.makeOne(worker, space, page, device.owner());
        }
        final int got = ExclusiveMaker.makeRange(worker, space, page, 1, device.owner(), onePage);
        return got == 1 && !(onePage[0] == ExclusiveMaker.NULL_SLOT && isTail(page)) ? onePage[0] : -1;
    }

    /** Whether make skipped the page for what it is, and would do so in every round: mmap lock held, but only a hint. */
    private boolean isTail(final long page) {
        final long pte = space.pageTable().peek(page);
        if (platform.profile().makeConfusesSubpages() || !space.encoding().isPresent(pte)) {
            return false;
        }
        final long pfn = space.encoding().frameNumber(pte);
        return platform.frames().head(pfn) != pfn;
    }

    /**
     * Copy, restore or allocate outside the critical section, so that the next round finds a page it need not change;
     * and let whoever has it locked finish: up to 6.14 make only tries the lock, and a round that fails costs more than a
     * wait.
     */
    private void prefault(final Task worker, final long page) {
        space.mmapLock().readLock(worker);
        final int flags = GupFlags.WRITE | GupFlags.SPLIT_PMD;
        final boolean got = PageGetter.getPages(worker, space, page, 1, flags, onePage) == 1;
        space.mmapLock().readUnlock(worker);
        if (got) {
            platform.pageLock().waitUnlocked(worker, platform.frames().head(onePage[0]), true);
            platform.putPage(onePage[0]);
        }
    }
}
