package mmutex.bench.baseline;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.StampedLock;

/**
 * Arrays of entries and of the pages' memory under striped read-write locks: accesses share a lock, changes of an entry have it alone,
 * reads don't even take it while nothing changes.
 */
public final class StampedTable implements ExclusivePages, PageCounters {
    private static final int STRIPES = 256; // a power of two
    private static final long PRESENT = 0; // else the device's number plus one

    private final AtomicLongArray entries;
    private final AtomicLongArray memory;
    private final StampedLock[] locks = new StampedLock[STRIPES];
    private final RivalDevice[] devices;
    private final RestoreCounts restores;

    StampedTable(final int pages, final int cpus, final RivalDevice[] devices) {
        this.devices = devices;
        this.restores = new RestoreCounts(cpus);
        this.entries = new AtomicLongArray(pages);
        this.memory = new AtomicLongArray(pages * PAGE_LONGS);
        Arrays.setAll(locks, i -> new StampedLock());
    }

    @Override
    public int pages() {
        return entries.length();
    }

    @Override
    public long add(final int cpu, final int page, final long delta) {
        final StampedLock lock = lock(page);
        long stamp = lock.readLock();
        try {
            if (entries.get(page) != PRESENT) {
                stamp = exclusively(lock, stamp);
                takeBack(cpu, page);
            }
            return memory.getAndAdd(index(page), delta);
        } finally {
            lock.unlock(stamp);
        }
    }

    @Override
    public long read(final int cpu, final int page) {
        final StampedLock lock = lock(page);
        final long seen = lock.tryOptimisticRead();
        if (seen != 0 && entries.get(page) == PRESENT) {
            final long value = memory.get(index(page));
            if (lock.validate(seen)) {
                return value;
            }
        }
        return add(cpu, page, 0);
    }

    @Override
    public void make(final int device, final int page) {
        final StampedLock lock = lock(page);
        final long stamp = lock.writeLock();
        try {
            final long owner = entries.get(page);
            if (owner != device + 1) {
                if (owner != PRESENT) {
                    devices[(int) owner - 1].revoke(page);
                }
                entries.set(page, device + 1);
                devices[device].map(page);
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    public void deviceAdd(final int device, final int page, final long delta) {
        while (!devices[device].add(this, page, delta)) {
            make(device, page);
        }
    }

    @Override
    public long restores(final int cpu) {
        return restores.get(cpu);
    }

    @Override
    public long load(final int page) {
        return memory.getPlain(index(page));
    }

    @Override
    public void store(final int page, final long value) {
        memory.setPlain(index(page), value);
    }

    /** With the lock held alone; another CPU may have been faster. */
    private void takeBack(final int cpu, final int page) {
        final long owner = entries.get(page);
        if (owner != PRESENT) {
            devices[(int) owner - 1].revoke(page);
            entries.set(page, PRESENT);
            restores.add(cpu);
        }
    }

    private static long exclusively(final StampedLock lock, final long shared) {
        final long stamp = lock.tryConvertToWriteLock(shared);
        if (stamp != 0) {
            return stamp;
        }
        lock.unlockRead(shared);
        return lock.writeLock();
    }

    private static int index(final int page) {
        return page * PAGE_LONGS + PageCounters.offset(page);
    }

    private StampedLock lock(final int page) {
        return locks[page & STRIPES - 1];
    }
}
