package mmutex.bench.baseline;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * As {@link ChmTable}, but by the kernel's steps, each written with what java.util.concurrent has for it: the lock of the
 * address space, shared; a reference and a lock for each page; all subscribers told before the entry changes; a driver
 * that asks before it maps whether its page was hit since it looked.
 *
 * <p>Order of the locks: address space, page, then either entry or device.
 */
public final class ChmProtocolTable implements ExclusivePages, PageCounters {
    /** A page's entry, and its frame. */
    private static final class Pte {
        private final ReentrantLock entryLock = new ReentrantLock();
        private final ReentrantLock pageLock = new ReentrantLock();
        private final AtomicInteger references = new AtomicInteger(1);
        private final long[] memory = new long[PAGE_LONGS]; // under entryLock while present
        private boolean exclusive; // under entryLock
    }

    /** A device whose driver notices that the page it is about to map was taken back. */
    private static final class Subscriber extends RivalDevice {
        private int underFault = -1; // under this, as is hit
        private boolean hit;

        private Subscriber(final int pages) {
            super(pages);
        }

        private synchronized void begin(final int page) {
            underFault = page;
            hit = false;
        }

        private synchronized boolean mapUnlessHit(final int page) {
            underFault = -1;
            if (!hit) {
                map(page);
            }
            return !hit;
        }

        @Override
        synchronized void revoke(final int page) {
            hit |= page == underFault;
            super.revoke(page);
        }
    }

    private final int pages;
    private final ReentrantReadWriteLock spaceLock = new ReentrantReadWriteLock();
    private final ConcurrentHashMap<Integer, Pte> entries;
    private final Subscriber[] devices;
    private final List<Subscriber> subscribers;
    private final RestoreCounts restores;

    ChmProtocolTable(final int pages, final int cpus, final int devices) {
        this.pages = pages;
        this.devices = new Subscriber[devices];
        Arrays.setAll(this.devices, i -> new Subscriber(pages));
        this.subscribers = new CopyOnWriteArrayList<>(this.devices);
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
        while (true) { // ends: a round repeats only if a device was faster
            pte.entryLock.lock();
            try {
                if (!pte.exclusive) {
                    final int offset = PageCounters.offset(page);
                    final long before = pte.memory[offset];
                    pte.memory[offset] = before + delta;
                    return before;
                }
            } finally {
                pte.entryLock.unlock();
            }
            restore(cpu, pte, page);
        }
    }

    @Override
    public long read(final int cpu, final int page) {
        return add(cpu, page, 0);
    }

    private void restore(final int cpu, final Pte pte, final int page) {
        spaceLock.readLock().lock();
        pte.references.incrementAndGet();
        pte.pageLock.lock();
        try {
            tell(page, null);
            pte.entryLock.lock();
            try {
                if (pte.exclusive) {
                    pte.exclusive = false;
                    restores.add(cpu);
                }
            } finally {
                pte.entryLock.unlock();
            }
        } finally {
            pte.pageLock.unlock();
            pte.references.decrementAndGet();
            spaceLock.readLock().unlock();
        }
    }

    @Override
    public void make(final int device, final int page) {
        final Subscriber self = devices[device];
        final Pte pte = entries.get(page);
        boolean mapped = false;
        while (!mapped) { // ends: each further round means that somebody took the page
            self.begin(page);
            spaceLock.readLock().lock();
            pte.references.incrementAndGet();
            pte.pageLock.lock();
            try {
                tell(page, self);
                pte.entryLock.lock();
                try {
                    pte.exclusive = true;
                } finally {
                    pte.entryLock.unlock();
                }
                mapped = self.mapUnlessHit(page);
            } finally {
                pte.pageLock.unlock();
                pte.references.decrementAndGet();
                spaceLock.readLock().unlock();
            }
        }
    }

    /** All but the one whose change it is. */
    private void tell(final int page, final Subscriber own) {
        for (final Subscriber subscriber : subscribers) {
            if (subscriber != own) {
                subscriber.revoke(page);
            }
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
}
