package mmutex.bench.baseline;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** A hash map of entries by page number, each with a lock of its own. */
public final class ChmTable implements ExclusivePages, PageCounters {
    /** A page's entry. */
    private static final class Pte {
        private final ReentrantLock lock = new ReentrantLock();
        private RivalDevice owner; // under lock, as is the memory while there is no owner
        private final long[] memory = new long[PAGE_LONGS];
    }

    private final int pages;
    private final ConcurrentHashMap<Integer, Pte> entries;
    private final RivalDevice[] devices;
    private final RestoreCounts restores;

    ChmTable(final int pages, final int cpus, final RivalDevice[] devices) {
        this.pages = pages;
        this.devices = devices;
        this.restores = new RestoreCounts(cpus);
        this.entries = new ConcurrentHashMap<>(2 * pages);
        for (int page = 0; page < pages; page++) {
            entries.put(page, new Pte());
        }
    }

    @Override
    public int pages() {
        return pages;
    }

    @Override
    public long add(final int cpu, final int page, final long delta) {
        final Pte pte = entries.get(page);
        pte.lock.lock();
        try {
            takeBack(cpu, pte, page);
            final int offset = PageCounters.offset(page);
            final long before = pte.memory[offset];
            pte.memory[offset] = before + delta;
            return before;
        } finally {
            pte.lock.unlock();
        }
    }

    @Override
    public long read(final int cpu, final int page) {
        final Pte pte = entries.get(page);
        pte.lock.lock();
        try {
            takeBack(cpu, pte, page);
            return pte.memory[PageCounters.offset(page)];
        } finally {
            pte.lock.unlock();
        }
    }

    @Override
    public void make(final int device, final int page) {
        final RivalDevice self = devices[device];
        final Pte pte = entries.get(page);
        pte.lock.lock();
        try {
            if (pte.owner != self) {
                if (pte.owner != null) {
                    pte.owner.revoke(page);
                }
                pte.owner = self;
                self.map(page);
            }
        } finally {
            pte.lock.unlock();
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
        return entries.get(page).memory[PageCounters.offset(page)];
    }

    @Override
    public void store(final int page, final long value) {
        entries.get(page).memory[PageCounters.offset(page)] = value;
    }

    private void takeBack(final int cpu, final Pte pte, final int page) {
        if (pte.owner != null) {
            pte.owner.revoke(page);
            pte.owner = null;
            restores.add(cpu);
        }
    }
}
