package mmutex.device;

import java.util.function.LongSupplier;
import mmutex.hmm.HmmFlags;
import mmutex.hmm.HmmRange;
import mmutex.hmm.RangeFaulter;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.notify.RangeGuard;
import mmutex.sync.Wait;

/**
 * A fault for a plain mapping, by hmm_range_fault: nouveau_range_fault, drivers/gpu/drm/nouveau/nouveau_svm.c (6.12). The
 * worker's; the page's range is inserted.
 */
final class PlainFault {
    private static final long PLAIN_WRITE = DevicePte.VALID | DevicePte.WRITE;

    private final SvmDevice device;
    private final AddressSpace space;
    private final RangeGuard guard;
    private final LongSupplier clock;
    private final HmmRange range = new HmmRange(1);
    private long retries;

    PlainFault(final SvmDevice device, final RangeGuard guard, final LongSupplier clock) {
        this.device = device;
        this.space = device.space();
        this.guard = guard;
        this.clock = clock;
    }

    /** Rounds that collided. */
    long retries() {
        return retries;
    }

    /** OK; EINVAL if the page can't be had, EBUSY when the time is over, ENOMEM without a table for the entry. */
    Errno resolve(final Task worker, final long page, final DeviceAccess access) {
        final long deadline = clock.getAsLong() + SvmDriver.FAULT_NS_MAX;
        range.init(space, guard, page, page + space.pageSize(), request(access), 0)
                .devicePrivateOwner(device.owner());
        Errno result = Errno.EBUSY;
        // Rounds are a wait as well: whoever keeps the page busy may be waiting for this worker's acknowledgement.
        final Wait wait = worker.startWait(null, page);
        for (int round = 0; result == Errno.EBUSY && clock.getAsLong() - deadline < 0; round++) {
            if (round > 0) {
                retries++;
                wait.pause();
            }
            final long sample = guard.readBegin(worker);
            if (sample != RangeGuard.NO_SAMPLE) {
                range.sequence(sample);
                result = tryOnce(worker, page);
            }
        }
        wait.finish();
        return result;
    }

    /** EBUSY if somebody changed the page meanwhile. */
    private Errno tryOnce(final Task worker, final long page) {
        space.mmapLock().readLock(worker);
        final Errno error = RangeFaulter.fault(worker, range);
        space.mmapLock().readUnlock(worker);
        if (error != Errno.OK) {
            return error == Errno.EBUSY ? Errno.EBUSY : Errno.EINVAL;
        }
        device.lock().lock(worker);
        final Errno result = guard.readRetry(range.sequence()) ? Errno.EBUSY : program(page, range.pfn(0));
        device.lock().unlock(worker);
        return result;
    }

    private static long request(final DeviceAccess access) {
        switch (access) {
            case PREFETCH:
                return 0; // a snapshot: nothing is faulted in
            case READ:
                return HmmFlags.REQ_FAULT;
            default:
                return HmmFlags.REQ_FAULT | HmmFlags.REQ_WRITE;
        }
    }

    private Errno program(final long page, final long pfn) {
        if ((pfn & HmmFlags.VALID) == 0) {
            return Errno.OK; // a prefetch of something that is not there
        }
        final long flags = (pfn & HmmFlags.WRITE) != 0 ? PLAIN_WRITE : DevicePte.VALID;
        final long entry = DevicePte.of(HmmFlags.frameNumber(pfn), flags);
        return device.table().store(page >>> space.pageShift(), entry) ? Errno.OK : Errno.ENOMEM;
    }
}
