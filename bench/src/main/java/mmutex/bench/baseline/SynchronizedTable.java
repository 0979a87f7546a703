package mmutex.bench.baseline;

import java.util.Arrays;

/** An array of entries, each its own monitor. */
public final class SynchronizedTable implements ExclusivePages, PageCounters {
    /** A page's entry. */
    private static final class Pte {
        private RivalDevice owner; // under this, as is the memory while there is no owner
        private final long[] memory = new long[PAGE_LONGS];
    }

    private final Pte[] entries;
    private final RivalDevice[] devices;
    private final RestoreCounts restores;

    SynchronizedTable(final int pages, final int cpus, final RivalDevice[] devices) {
        this.devices = devices;
        this.restores = new RestoreCounts(cpus);
        this.entries = new Pte[pages];
        Arrays.setAll(entries, i -> new Pte());
    }

    @Override
    public int pages() {
        return entries.length;
    }

    @Override
    public long add(final int cpu, final int page, final long delta) {
        final Pte pte = entries[page];
        synchronized (pte) {
            takeBack(cpu, pte, page);
            final int offset = PageCounters.offset(page);
            final long before = pte.memory[offset];
            pte.memory[offset] = before + delta;
            return before;
        }
    }

    @Override
    public long read(final int cpu, final int page) {
        final Pte pte = entries[page];
        synchronized (pte) {
            takeBack(cpu, pte, page);
            return pte.memory[PageCounters.offset(page)];
        }
    }

    @Override
    public void make(final int device, final int page) {
        final RivalDevice self = devices[device];
        final Pte pte = entries[page];
        synchronized (pte) {
            if (pte.owner != self) {
                if (pte.owner != null) {
                    pte.owner.revoke(page);
                }
                pte.owner = self;
                self.map(page);
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
        return entries[page].memory[PageCounters.offset(page)];
    }

    @Override
    public void store(final int page, final long value) {
        entries[page].memory[PageCounters.offset(page)] = value;
    }

    private void takeBack(final int cpu, final Pte pte, final int page) {
        if (pte.owner != null) {
            pte.owner.revoke(page);
            pte.owner = null;
            restores.add(cpu);
        }
    }
}
