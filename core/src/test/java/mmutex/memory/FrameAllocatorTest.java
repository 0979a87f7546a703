package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class FrameAllocatorTest {
    private static final int FRAMES = 32;
    /** Frame 0 is never used and frame 1 is the zero page. */
    private static final int USABLE = FRAMES - 2;

    private final FrameTable frames = new FrameTable(FRAMES);
    private final FrameData data = new FrameData(FRAMES, 12);
    private final FrameAllocator allocator = new FrameAllocator(frames, data);

    @Test
    void shouldHandOutEveryUsableFrameOnceAndThenNone() {
        final Set<Long> seen = new HashSet<>();
        for (int i = 0; i < USABLE; i++) {
            final long pfn = allocator.allocate();
            assertThat(pfn).isBetween(2L, FRAMES - 1L);
            assertThat(seen.add(pfn)).as("pfn %d handed out twice", pfn).isTrue();
            assertThat(frames.refCount(pfn)).isEqualTo(1);
        }

        assertThat(allocator.allocate()).isEqualTo(FrameAllocator.NONE);
        assertThat(allocator.allocateZeroed()).isEqualTo(FrameAllocator.NONE);
        assertThat(allocator.inUse()).isEqualTo(USABLE);
        assertThat(allocator.limit()).isEqualTo(FRAMES);
    }

    @Test
    void shouldHandOutAFrameAgainAfterItsLastReference() {
        final long pfn = allocator.allocate();
        frames.get(pfn);

        allocator.put(pfn);
        assertThat(allocator.inUse()).isEqualTo(1);
        allocator.put(pfn);
        assertThat(allocator.inUse()).isZero();

        assertThat(allocator.allocate()).isEqualTo(pfn);
        assertThat(allocator.inUse()).isEqualTo(1);
    }

    /** Reclaim, compaction and drivers look at every frame there is, while others take more. */
    @Test
    void shouldHaveTheRecordOfEveryFrameUpToTheLimit() throws InterruptedException {
        final int recordsPerSegment = Words.SEGMENT_LENGTH >> 6;
        final int count = 8 * recordsPerSegment;
        final FrameTable many = new FrameTable(count, 9);
        final FrameAllocator fresh = new FrameAllocator(many, new FrameData(count, 6));
        final AtomicBoolean done = new AtomicBoolean();
        final Crew crew = new Crew();
        crew.start("taker", () -> {
            while (fresh.allocateCompound() != FrameAllocator.NONE) {
                fresh.allocate();
            }
            done.set(true);
        });
        crew.start("scanner", () -> {
            while (!done.get()) {
                assertThat(many.has(fresh.limit() - 1, FrameTable.DEVICE_PRIVATE))
                        .isFalse();
            }
        });
        crew.join();
        assertThat(fresh.limit()).isGreaterThan(7L * recordsPerSegment);
    }

    // ---- pools ------------------------------------------------------------------------------------------------------

    /** A device's frames are none that ordinary memory had before, as long as there are others; and stay the device's. */
    @Test
    void shouldGivePoolsFramesOfTheirOwn() {
        final FrameAllocator[] pool = new FrameAllocator[1];
        final FrameAllocator machine = new FrameAllocator(frames, data, pfn -> pool[0].recycle(pfn));
        pool[0] = machine.newPool();
        final long ordinary = machine.allocate();
        machine.put(ordinary);

        final long devices = pool[0].allocate();
        frames.setBits(devices, FrameTable.DEVICE_PRIVATE);
        assertThat(devices).isNotEqualTo(ordinary);
        assertThat(machine.inUse()).isZero();
        assertThat(pool[0].inUse()).isEqualTo(1);

        machine.put(devices);
        assertThat(pool[0].inUse()).isZero();
        assertThat(frames.has(devices, FrameTable.DEVICE_PRIVATE)).isFalse();
        assertThat(machine.allocate()).isEqualTo(ordinary);
        for (int i = 0; i < USABLE - 2; i++) {
            assertThat(machine.allocate()).isNotEqualTo(FrameAllocator.NONE).isNotEqualTo(devices);
        }
        assertThat(machine.allocate()).isEqualTo(FrameAllocator.NONE);
        assertThat(pool[0].allocate()).isEqualTo(devices);
        pool[0].recycle(devices);

        pool[0].drain();
        assertThat(machine.allocate()).isEqualTo(devices);
    }

    @Test
    void shouldGivePoolsUsedFramesWhenNoOthersAreLeft() {
        final FrameAllocator pool = allocator.newPool();
        long last = FrameAllocator.NONE;
        for (int i = 0; i < USABLE; i++) {
            last = allocator.allocate();
        }
        assertThat(pool.allocate()).isEqualTo(FrameAllocator.NONE);
        allocator.put(last);

        assertThat(pool.allocate()).isEqualTo(last);
    }

    @Test
    void shouldReportADeviceFrameWithoutADevice() {
        final long pfn = allocator.allocate();
        frames.setBits(pfn, FrameTable.DEVICE_PRIVATE);

        assertThatThrownBy(() -> allocator.put(pfn))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no device has memory: pfn=" + pfn);
    }

    @Test
    void shouldRecoverFromExhaustion() {
        long last = FrameAllocator.NONE;
        for (int i = 0; i < USABLE; i++) {
            last = allocator.allocate();
        }
        assertThat(allocator.allocate()).isEqualTo(FrameAllocator.NONE);

        allocator.put(last);

        assertThat(allocator.allocate()).isEqualTo(last);
        assertThat(allocator.allocate()).isEqualTo(FrameAllocator.NONE);
    }

    @Test
    void shouldZeroARecycledFrame() {
        final long pfn = allocator.allocate();
        data.storeLong(data.position(pfn, 0), -1);
        data.storeLong(data.position(pfn, data.pageLength() - Long.BYTES), -1);
        allocator.put(pfn);

        assertThat(allocator.allocateZeroed()).isEqualTo(pfn);
        assertThat(data.isZero(pfn)).isTrue();
    }

    @Test
    void shouldForgetWhatTheFrameWasButNotWhoHasLockedIt() {
        final long pfn = allocator.allocate();
        frames.setBits(pfn, FrameTable.DIRTY | FrameTable.ANON | FrameTable.ANON_EXCLUSIVE | FrameTable.LOCKED);

        allocator.put(pfn);

        assertThat(frames.state(pfn)).isEqualTo(FrameTable.LOCKED);
    }

    @Test
    void shouldRefuseToFreeAMappedFrame() {
        final long pfn = allocator.allocate();
        frames.addMapCount(pfn, 1);

        assertThatThrownBy(() -> allocator.put(pfn))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("freed while mapped: pfn=" + pfn + ", mapcount=1");
    }

    @Test
    void shouldRefuseToFreeAFrameTwice() {
        final long pfn = allocator.allocate();
        allocator.put(pfn);

        assertThatThrownBy(() -> allocator.put(pfn))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("reference count underflow: pfn=" + pfn);
    }

    @Test
    void shouldHaveAZeroFrameThatIsNotCounted() {
        assertThat(data.isZero(FrameAllocator.ZERO_FRAME)).isTrue();
        assertThat(frames.refCount(FrameAllocator.ZERO_FRAME)).isZero();
        assertThat(allocator.inUse()).isZero();
    }

    /** A frame that two threads hold at once would be claimed twice. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void shouldNeverHandAFrameToTwoThreads(final long seed) throws InterruptedException {
        final AtomicIntegerArray holder = new AtomicIntegerArray(FRAMES);
        final Crew crew = new Crew();
        crew.startTogether(4, number -> {
            final SplittableRandom random = new SplittableRandom(seed * 31 + number);
            final Deque<Long> mine = new ArrayDeque<>();
            for (int i = 0; i < 15_000; i++) {
                if (random.nextInt(100) < 55) {
                    final long pfn = allocator.allocate();
                    if (pfn != FrameAllocator.NONE) {
                        assertThat(holder.getAndSet((int) pfn, number + 1)).isZero();
                        assertThat(frames.refCount(pfn)).isEqualTo(1);
                        mine.add(pfn);
                    }
                } else if (!mine.isEmpty()) {
                    final long pfn = random.nextBoolean() ? mine.pollFirst() : mine.pollLast();
                    assertThat(holder.getAndSet((int) pfn, 0)).isEqualTo(number + 1);
                    allocator.put(pfn);
                }
            }
            mine.forEach(pfn -> {
                holder.set(pfn.intValue(), 0);
                allocator.put(pfn);
            });
        });
        crew.join();

        assertThat(allocator.inUse()).isZero();
        for (int i = 0; i < USABLE; i++) {
            assertThat(allocator.allocate()).isNotEqualTo(FrameAllocator.NONE);
        }
        assertThat(allocator.allocate()).isEqualTo(FrameAllocator.NONE);
    }
}
