package mmutex.mm;

import static org.assertj.core.api.Assertions.assertThat;

import mmutex.memory.FrameAllocator;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Test;

/** {@link Task}, {@link Counter}, {@link Errno} and {@link Platform}: the small ones. */
class TaskTest {
    @Test
    void shouldCountFaultsByKind() {
        final Task task = new Task(3, "t");
        task.countFault(false);
        task.countFault(true);
        task.countFault(false);

        assertThat(task.minorFaults()).isEqualTo(2);
        assertThat(task.majorFaults()).isEqualTo(1);
    }

    @Test
    void shouldAddUpWhatThreadsCount() throws InterruptedException {
        final Counter counter = new Counter();
        final Crew crew = new Crew();
        crew.startTogether(4, number -> {
            for (int i = 0; i < 5_000; i++) {
                counter.add(number % 2 == 0 ? 3 : -1);
            }
        });
        crew.join();

        assertThat(counter.value()).isEqualTo(2 * 5_000 * (3 - 1));
    }

    /** Results below zero are {@code -errno.ordinal()}: success must be 0. */
    @Test
    void shouldEncodeSuccessAsZero() {
        assertThat(Errno.OK.ordinal()).isZero();
    }

    @Test
    void shouldNotCountTheZeroFrame() {
        final MmFixture mm = new MmFixture();
        final long pfn = mm.platform.allocator().allocate();

        mm.platform.putPage(FrameAllocator.ZERO_FRAME);
        mm.platform.putPage(pfn);

        assertThat(mm.platform.allocator().inUse()).isZero();
        assertThat(mm.platform.frames().refCount(FrameAllocator.ZERO_FRAME)).isZero();
    }
}
