package mmutex.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import mmutex.bench.anatomy.Anatomy;
import mmutex.bench.anatomy.AnatomyProbe;
import mmutex.bench.anatomy.TimestampCost;
import mmutex.machine.Cpu;
import mmutex.notify.Protocol;
import mmutex.sync.PhaseProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What {@code ./mmutex bench -prof gc} shows, as a test: the hot paths allocate nothing.
 *
 * <p>Bytes are counted for the thread that walks the path. A JIT that recompiles may allocate a little on it once, so the
 * best of some rounds counts, and less than a byte an operation is none: the smallest object has 16.
 */
class HotPathAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int WARM_UP_BATCHES = 40;
    private static final int BATCHES = 10;
    private static final int ROUNDS = 5;

    @ParameterizedTest
    @EnumSource
    void shouldAllocateNothingToRestore(final Subscriber subscriber) throws InterruptedException {
        final PageRange pages = new PageRange(subscriber);
        try {
            assertThat(bytesPerOperation(pages::giveAll, pages::takeAll)).isLessThan(1);
        } finally {
            pages.close();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NONE", "INLINE"})
    void shouldAllocateNothingToMake(final Subscriber subscriber) throws InterruptedException {
        final PageRange pages = new PageRange(subscriber);
        try {
            assertThat(bytesPerOperation(pages::takeAll, pages::giveAll)).isLessThan(1);
        } finally {
            pages.close();
        }
    }

    @Test
    void shouldAllocateNothingWhenAProbeTakesPathsApart() throws InterruptedException {
        final PageRange pages = new PageRange(Subscriber.INLINE);
        pages.cpu().probe(probe(PhaseProbe.Path.RESTORE));
        pages.worker().probe(probe(PhaseProbe.Path.MAKE));
        try {
            assertThat(bytesPerOperation(() -> {}, () -> {
                        pages.giveAll();
                        pages.takeAll();
                    }))
                    .isLessThan(1);
        } finally {
            pages.close();
        }
    }

    private static PhaseProbe probe(final PhaseProbe.Path path) {
        return new AnatomyProbe(
                new Anatomy(path),
                AnatomyProbe.Listener.NONE,
                new TimestampCost(20, 20),
                System::nanoTime,
                AnatomyProbe.ONE_IN,
                1);
    }

    @ParameterizedTest
    @EnumSource(names = {"RANGE_NOTIFIER", "HMM_MIRROR"})
    void shouldAllocateNothingOnOtherProtocols(final Protocol protocol) throws InterruptedException {
        final PageRange pages = new PageRange(Subscriber.INLINE, PageRange.PAGES, protocol);
        try {
            assertThat(bytesPerOperation(() -> {}, () -> {
                        pages.giveAll();
                        pages.takeAll();
                    }))
                    .isLessThan(1);
        } finally {
            pages.close();
        }
    }

    @Test
    void shouldAllocateNothingOnATlbHit() {
        assertThat(bytesPerAccess(PageRange.PAGES)).isLessThan(1);
    }

    @Test
    void shouldAllocateNothingOnATlbMiss() {
        assertThat(bytesPerAccess(2 * PageRange.PAGES)).isLessThan(1);
    }

    private static double bytesPerAccess(final int pages) {
        final PageRange range = new PageRange(Subscriber.NONE, pages);
        final Cpu cpu = range.cpu();
        return bytesPerOperation(() -> {}, () -> {
            for (final long addr : range.addresses()) {
                cpu.loadLong(addr);
                cpu.storeLong(addr, 1);
                cpu.fetchAddLong(addr, 1);
            }
        });
    }

    /** Bytes that a batch of operations allocates, by operation; the preparation of each batch is not counted. */
    private static double bytesPerOperation(final Runnable prepare, final Runnable batch) {
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < WARM_UP_BATCHES; i++) {
                prepare.run();
                batch.run();
            }
            long bytes = 0;
            for (int i = 0; i < BATCHES; i++) {
                prepare.run();
                final long before = THREADS.getCurrentThreadAllocatedBytes();
                batch.run();
                bytes += THREADS.getCurrentThreadAllocatedBytes() - before;
            }
            least = Math.min(least, bytes);
        }
        return (double) least / (BATCHES * PageRange.PAGES);
    }
}
