package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

@HangGuard
class AccessWindowTest {
    private final AccessWindow[] cpus = {new AccessWindow(), new AccessWindow(), new AccessWindow()};
    private final AccessWindows windows = new AccessWindows(cpus);
    private final Actor flusher = new Actor(9, "flusher");
    private final Crew crew = new Crew();

    @Test
    void shouldBeOpenBetweenOpenAndClose() {
        assertThat(cpus[0].isOpen()).isFalse();
        cpus[0].open();
        assertThat(cpus[0].isOpen()).isTrue();
        cpus[0].close();
        assertThat(cpus[0].isOpen()).isFalse();
    }

    @Test
    void shouldDrainAClosedWindowAtOnce() {
        cpus[0].drain(flusher);
        cpus[0].open();
        cpus[0].close();
        cpus[0].drain(flusher);
    }

    @Test
    void shouldDrainUntilTheAccessIsOver() throws InterruptedException {
        final AtomicBoolean closing = new AtomicBoolean();
        final CountDownLatch coming = new CountDownLatch(1);
        cpus[0].open();
        crew.start("drainer", () -> {
            coming.countDown();
            cpus[0].drain(flusher);
            assertThat(closing).isTrue();
        });
        coming.await();
        for (int i = 0; i < 1_000; i++) {
            Thread.yield(); // gives the drainer every chance to return too early
        }
        closing.set(true);
        cpus[0].close();

        crew.join();
    }

    /** Only the access that was in progress matters, not the next one. */
    @Test
    void shouldNotDrainALaterAccess() throws InterruptedException {
        final CountDownLatch coming = new CountDownLatch(1);
        final AtomicBoolean drained = new AtomicBoolean();
        cpus[0].open();
        crew.start("drainer", () -> {
            coming.countDown();
            cpus[0].drain(flusher);
            drained.set(true);
        });
        coming.await();
        while (!drained.get()) { // at every instant but a few the window is open
            cpus[0].close();
            cpus[0].open();
            Thread.yield();
        }

        crew.join();
    }

    @Test
    void shouldMoveTheGenerationWithEveryFlush() {
        final long before = windows.generation();

        windows.flush(flusher);
        windows.flush(flusher);

        assertThat(windows.generation()).isEqualTo(before + 2);
        assertThat(windows.flushes()).isEqualTo(2);
    }

    /** TLBs forget by setting generation 0. */
    @Test
    void shouldNeverBeInGenerationZero() {
        assertThat(windows.generation()).isPositive();
    }

    @Test
    void shouldFlushOnlyCpusThatRunTheAddressSpace() {
        windows.enter(0);
        windows.enter(2);
        windows.leave(2);
        cpus[1].open();
        cpus[2].open();

        windows.flush(flusher); // would hang if it waited for either

        assertThat(windows.isAnyOpen()).isFalse();
        cpus[0].open();
        assertThat(windows.isAnyOpen()).isTrue();
    }

    @Test
    void shouldFlushEveryCpuThatRunsTheAddressSpace() throws InterruptedException {
        final AtomicLong closed = new AtomicLong();
        final CountDownLatch coming = new CountDownLatch(1);
        windows.enter(0);
        windows.enter(1);
        windows.enter(2);
        cpus[0].open();
        cpus[2].open();
        crew.start("flusher", () -> {
            coming.countDown();
            windows.flush(flusher);
            assertThat(closed).hasValue(2);
        });
        coming.await();
        for (final int cpu : new int[] {0, 2}) {
            for (int i = 0; i < 500; i++) {
                Thread.yield();
            }
            closed.incrementAndGet();
            cpus[cpu].close();
        }

        crew.join();
    }

    @Test
    void shouldRunOnTheHighestCpu() {
        final AccessWindow[] many = new AccessWindow[AccessWindows.CPUS_MAX];
        for (int i = 0; i < many.length; i++) {
            many[i] = new AccessWindow();
        }
        final AccessWindows all = new AccessWindows(many);
        all.enter(AccessWindows.CPUS_MAX - 1);
        many[AccessWindows.CPUS_MAX - 1].open();

        assertThat(all.isAnyOpen()).isTrue();
        all.leave(AccessWindows.CPUS_MAX - 1);
        assertThat(all.isAnyOpen()).isFalse();
    }

    /**
     * O3, the Dekker pair: a frame that was replaced before the flush is never touched after it. Accesses read which
     * frame is current inside their window; the flusher retires the old one when its flush has returned.
     */
    @Test
    void shouldLetNoAccessUnderTheOldTranslationOutliveAFlush() throws InterruptedException {
        final int replacements = 20_000;
        final AtomicLong current = new AtomicLong();
        final AtomicIntegerArray retired = new AtomicIntegerArray(replacements + 1);
        final AtomicBoolean over = new AtomicBoolean();
        crew.startTogether(3, number -> {
            if (number == 2) {
                for (int i = 0; i < replacements; i++) {
                    current.setOpaque(i + 1);
                    windows.flush(flusher);
                    retired.setOpaque(i, 1);
                }
                over.set(true);
                return;
            }
            windows.enter(number);
            while (!over.get()) {
                cpus[number].open();
                final int frame = (int) current.getOpaque();
                final boolean broken = retired.getOpaque(frame) != 0 || retired.getOpaque(frame) != 0;
                cpus[number].close();
                assertThat(broken).as("frame %d touched after its flush", frame).isFalse();
            }
            windows.leave(number);
        });
        crew.join();
    }
}
