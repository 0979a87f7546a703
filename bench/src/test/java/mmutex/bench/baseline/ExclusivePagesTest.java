package mmutex.bench.baseline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One oracle for all: CPUs and devices add to the same pages at once, and nothing is lost. */
class ExclusivePagesTest {
    private static final int CPUS = 2;
    private static final int DEVICES = 2;
    private static final int PAGES = 4;
    private static final int DEVICE_ADDS = 2_000;
    private static final long SEED = 20261125;

    @ParameterizedTest
    @EnumSource
    void shouldLoseNoAddition(final Implementation implementation) throws Exception {
        final ExclusivePages pages = implementation.open(PAGES, CPUS, DEVICES);

        assertThat(lostAdditions(pages, DEVICE_ADDS)).as("seed=%d", SEED).isZero();

        long restores = 0;
        for (int cpu = 0; cpu < CPUS; cpu++) {
            restores += pages.restores(cpu);
        }
        assertThat(restores).isPositive();
    }

    /** The device's store comes after a CPU's add that it has not seen, as long as there are any. */
    @ParameterizedTest
    @EnumSource(names = {"CHM", "STAMPED", "SYNCHRONIZED"})
    void shouldSeeTheLossWhenTheDeviceIsNotRevoked(final Implementation implementation) throws Exception {
        final RivalDevice[] devices = new RivalDevice[DEVICES];
        final ExclusivePages pages = open(implementation, devices);
        for (int i = 0; i < DEVICES; i++) {
            devices[i] = new ForgetfulDevice();
        }

        assertThat(lostAdditions(pages, 20)).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void shouldCountARestoreOnlyWhenADeviceHadThePage(final Implementation implementation) {
        final ExclusivePages pages = implementation.open(PAGES, CPUS, DEVICES);

        assertThat(pages.add(1, 3, 5)).isZero();
        assertThat(pages.restores(1)).isLessThanOrEqualTo(1); // ours: the first touch of this CPU may fault
        final long before = pages.restores(1);
        pages.make(0, 3);
        assertThat(pages.read(1, 3)).isEqualTo(5);
        assertThat(pages.read(1, 3)).isEqualTo(5);
        assertThat(pages.restores(1)).isEqualTo(before + 1);
        pages.make(0, 3);
        pages.make(1, 3);
        pages.deviceAdd(0, 3, 2);
        assertThat(pages.add(1, 3, 1)).isEqualTo(7);
        assertThat(pages.restores(1)).isEqualTo(before + 2);
        assertThat(pages.pages()).isEqualTo(PAGES);
    }

    @Test
    void shouldAddOnADeviceThatHasThePageWithoutAskingAgain() {
        final ExclusivePages pages = Implementation.MMUTEX.open(1, 1, 1);

        pages.make(0, 0);
        pages.deviceAdd(0, 0, 2);
        pages.deviceAdd(0, 0, 2);

        assertThat(pages.restores(0)).isZero();
        assertThat(pages.read(0, 0)).isEqualTo(4);
    }

    private static ExclusivePages open(final Implementation implementation, final RivalDevice[] devices) {
        switch (implementation) {
            case CHM:
                return new ChmTable(PAGES, CPUS, devices);
            case STAMPED:
                return new StampedTable(PAGES, CPUS, devices);
            default:
                return new SynchronizedTable(PAGES, CPUS, devices);
        }
    }

    /** Devices make so many additions each; CPUs go on until they have. Returns what the counters lack. */
    private static long lostAdditions(final ExclusivePages pages, final int deviceAdds) throws Exception {
        final AtomicInteger devicesAtWork = new AtomicInteger(DEVICES);
        final CyclicBarrier start = new CyclicBarrier(CPUS + DEVICES);
        final ExecutorService threads = Executors.newFixedThreadPool(CPUS + DEVICES);
        final List<Future<Long>> added = new ArrayList<>();
        for (int i = 0; i < CPUS; i++) {
            final int cpu = i;
            added.add(threads.submit(() -> {
                final SplittableRandom random = new SplittableRandom(SEED + cpu);
                start.await();
                long sum = 0;
                while (devicesAtWork.get() != 0) {
                    pages.add(cpu, random.nextInt(PAGES), 1);
                    pages.read(cpu, random.nextInt(PAGES));
                    sum++;
                }
                return sum;
            }));
        }
        for (int i = 0; i < DEVICES; i++) {
            final int device = i;
            added.add(threads.submit(() -> {
                final SplittableRandom random = new SplittableRandom(SEED - 1 - device);
                try {
                    start.await();
                    for (int done = 0; done < deviceAdds; done++) {
                        pages.deviceAdd(device, random.nextInt(PAGES), 1);
                    }
                    return (long) deviceAdds;
                } finally {
                    devicesAtWork.decrementAndGet();
                }
            }));
        }
        long expected = 0;
        try {
            expected = sum(added);
        } finally {
            threads.shutdown();
            assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        }
        long found = 0;
        for (int page = 0; page < PAGES; page++) {
            found += pages.read(0, page);
        }
        return expected - found;
    }

    private static long sum(final List<Future<Long>> added) throws InterruptedException, ExecutionException {
        long sum = 0;
        for (final Future<Long> one : added) {
            sum += one.get();
        }
        return sum;
    }

    /** Keeps what it once mapped, and takes its time between load and store. */
    private static final class ForgetfulDevice extends RivalDevice {
        private ForgetfulDevice() {
            super(PAGES);
        }

        @Override
        void revoke(final int page) {
            // Broken on purpose: the mapping stays, and an access in progress is not waited for.
        }

        @Override
        long compute(final long value, final long delta) {
            for (int i = 0; i < 10; i++) {
                Thread.yield(); // the CPUs are adding all the time: they get the core
            }
            return value + delta;
        }
    }
}
