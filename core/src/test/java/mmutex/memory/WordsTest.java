package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicLong;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class WordsTest {
    private static final long SEGMENT = Words.SEGMENT_LENGTH;
    private static final long VALUE = 0x8123_4567_89ab_cdefL;

    private final Words words = new Words("test region", 3 * SEGMENT);

    @Test
    void shouldHoldWholeSegments() {
        assertThat(new Words("w", 1).capacity()).isEqualTo(4096);
        assertThat(new Words("w", 4097).capacity()).isEqualTo(8192);
        assertThat(new Words("w", SEGMENT).capacity()).isEqualTo(SEGMENT);
        assertThat(new Words("w", SEGMENT + 1).capacity()).isEqualTo(2 * SEGMENT);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE, Long.MAX_VALUE})
    void shouldRefuseCapacityOutOfRange(final long capacity) {
        assertThatThrownBy(() -> new Words("odd", capacity))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("capacity out of range: region=odd, capacity=" + capacity);
    }

    @Test
    void shouldTakeMemoryOnlyWhenEnsured() {
        assertThat(words.allocatedBytes()).isZero();

        words.ensure(SEGMENT - 1);
        words.ensure(0);
        assertThat(words.allocatedBytes()).isEqualTo(SEGMENT);

        words.ensure(2 * SEGMENT);
        assertThat(words.allocatedBytes()).as("what lies below, too").isEqualTo(3 * SEGMENT);
    }

    @ParameterizedTest
    @ValueSource(longs = {SEGMENT, 2 * SEGMENT + 8, 3 * SEGMENT, -8, 1L << 40})
    void shouldRefuseAccessWhereNoMemoryIs(final long offset) {
        words.ensure(0);
        assertThatThrownBy(() -> words.load(offset)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> words.storeRelease(offset, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> words.compareAndSet(offset, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> words.loadInt(offset)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> words.fill(offset, 8, (byte) 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void shouldFindMisalignedAndWildOffsetsInTests() {
        words.ensure(0);
        assertThatThrownBy(() -> words.load(4)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> words.storeInt(2, 1)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> words.load(Long.MIN_VALUE)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> words.load(1L << 53)).isInstanceOf(AssertionError.class);
    }

    @Test
    void shouldStartZeroed() {
        words.ensure(SEGMENT);

        for (long offset = SEGMENT; offset < 2 * SEGMENT; offset += Long.BYTES) {
            assertThat(words.load(offset)).isZero();
        }
    }

    @Test
    void shouldKeepContentsWhenEnsuredAgain() {
        words.ensure(8);
        words.store(8, VALUE);

        words.ensure(8);
        words.ensure(SEGMENT);

        assertThat(words.load(8)).isEqualTo(VALUE);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, -8, 3 * Words.SEGMENT_LENGTH, 1L << 53, (1L << 53) + 8, Long.MAX_VALUE, Long.MIN_VALUE})
    void shouldRefuseOffsetsBeyondTheRegion(final long offset) {
        assertThatThrownBy(() -> words.ensure(offset))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("beyond the region: region=test region, offset=" + offset);
        assertThat(words.allocatedBytes()).isZero();
    }

    @Test
    void shouldReadLongsInEveryModeWhatWasStoredInAnyMode() {
        words.ensure(0);
        words.store(0, VALUE);
        words.storeOpaque(8, VALUE + 1);
        words.storeRelease(16, VALUE + 2);
        words.storeVolatile(24, VALUE + 3);

        for (int i = 0; i < 4; i++) {
            assertThat(words.load(8L * i)).isEqualTo(VALUE + i);
            assertThat(words.loadOpaque(8L * i)).isEqualTo(VALUE + i);
            assertThat(words.loadAcquire(8L * i)).isEqualTo(VALUE + i);
            assertThat(words.loadVolatile(8L * i)).isEqualTo(VALUE + i);
        }
    }

    @Test
    void shouldReturnOldLongFromEveryReadModifyWrite() {
        words.ensure(0);
        words.store(40, 0b1100);

        assertThat(words.getAndSet(40, 0b1010)).isEqualTo(0b1100);
        assertThat(words.getAndAdd(40, -0b10)).isEqualTo(0b1010);
        assertThat(words.getAndOr(40, 0b0011)).isEqualTo(0b1000);
        assertThat(words.getAndAnd(40, 0b1001)).isEqualTo(0b1011);
        assertThat(words.load(40)).isEqualTo(0b1001);
    }

    @Test
    void shouldCompareAndSetLongOnlyWhenExpected() {
        words.ensure(0);
        words.store(48, VALUE);

        assertThat(words.compareAndSet(48, VALUE + 1, 1)).isFalse();
        assertThat(words.load(48)).isEqualTo(VALUE);
        assertThat(words.compareAndSet(48, VALUE, 1)).isTrue();
        assertThat(words.load(48)).isEqualTo(1);
    }

    @Test
    void shouldAccessIntsWithoutTouchingTheirNeighbours() {
        words.ensure(0);
        words.storeInt(4, -7);
        words.storeIntOpaque(8, 9);

        assertThat(words.loadInt(4)).isEqualTo(-7);
        assertThat(words.loadIntOpaque(4)).isEqualTo(-7);
        assertThat(words.getAndAddInt(4, 10)).isEqualTo(-7);
        assertThat(words.getAndSetInt(4, 20)).isEqualTo(3);
        assertThat(words.compareAndSetInt(4, 21, 0)).isFalse();
        assertThat(words.compareAndSetInt(4, 20, -1)).isTrue();
        assertThat(words.loadInt(4)).isEqualTo(-1);
        assertThat(words.loadInt(0)).isZero();
        assertThat(words.loadInt(8)).isEqualTo(9);
        assertThat(words.loadInt(12)).isZero();
    }

    @Test
    void shouldAddressTheLastWordOfASegmentAndTheFirstOfTheNext() {
        words.ensure(SEGMENT - 8);
        words.ensure(SEGMENT);

        words.store(SEGMENT - 8, 1);
        words.store(SEGMENT, 2);

        assertThat(words.load(SEGMENT - 8)).isEqualTo(1);
        assertThat(words.load(SEGMENT)).isEqualTo(2);
        assertThat(words.load(0)).isZero();
    }

    @Test
    void shouldFillExactlyTheGivenBytes() {
        words.ensure(0);
        words.fill(64, 16, (byte) 0x5a);

        assertThat(words.load(56)).isZero();
        assertThat(words.load(64)).isEqualTo(0x5a5a5a5a5a5a5a5aL);
        assertThat(words.load(72)).isEqualTo(0x5a5a5a5a5a5a5a5aL);
        assertThat(words.load(80)).isZero();
    }

    @Test
    void shouldCopyBetweenSegments() {
        words.ensure(0);
        words.ensure(2 * SEGMENT);
        words.store(8, VALUE);
        words.store(16, ~VALUE);

        words.copy(8, 2 * SEGMENT + 24, 16);

        assertThat(words.load(2 * SEGMENT + 24)).isEqualTo(VALUE);
        assertThat(words.load(2 * SEGMENT + 32)).isEqualTo(~VALUE);
        assertThat(words.load(2 * SEGMENT + 40)).isZero();
    }

    @Test
    void shouldCopyBytesInAndOut() {
        words.ensure(SEGMENT);
        final byte[] source = {0, 1, 2, 3, 4, 5};
        final byte[] target = new byte[6];

        words.write(SEGMENT + 3, source, 1, 4);
        words.read(SEGMENT + 3, target, 2, 4);

        assertThat(target).containsExactly(0, 0, 1, 2, 3, 4);
    }

    @Test
    void shouldRefuseBulkAccessAcrossASegmentBoundary() {
        words.ensure(0);
        words.ensure(SEGMENT);

        assertThatThrownBy(() -> words.fill(SEGMENT - 8, 16, (byte) 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> words.read(SEGMENT - 8, new byte[16], 0, 16))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(words.load(SEGMENT)).isZero();
    }

    /** Whoever loses the race to allocate a segment must use the winner's: no increment may go to a lost segment. */
    @Test
    void shouldGiveAllThreadsTheSameSegment() throws InterruptedException {
        final int threads = 6;
        final int segments = 24;
        final Words shared = new Words("shared", segments * SEGMENT);
        final AtomicLong expected = new AtomicLong();
        final Crew crew = new Crew();
        crew.startTogether(threads, number -> {
            for (int i = 0; i < segments; i++) {
                shared.ensure(i * SEGMENT);
                shared.getAndAdd(i * SEGMENT, number + 1);
                expected.addAndGet(number + 1);
                shared.write(i * SEGMENT + 64 + number, new byte[] {(byte) (number + 1)}, 0, 1);
            }
        });
        crew.join();

        long sum = 0;
        final byte[] written = new byte[threads];
        for (int i = 0; i < segments; i++) {
            sum += shared.load(i * SEGMENT);
            shared.read(i * SEGMENT + 64, written, 0, threads);
            assertThat(written).containsExactly(1, 2, 3, 4, 5, 6);
        }
        assertThat(sum).isEqualTo(expected.get());
        assertThat(shared.allocatedBytes()).isEqualTo(segments * SEGMENT);
    }

    @Test
    void shouldNotLoseConcurrentReadModifyWrites() throws InterruptedException {
        words.ensure(0);
        final int rounds = 20_000;
        final Crew crew = new Crew();
        crew.startTogether(4, number -> {
            for (int i = 0; i < rounds; i++) {
                words.getAndAdd(0, 1);
                words.getAndAddInt(8, 1);
                long seen;
                do {
                    seen = words.loadOpaque(16);
                } while (!words.compareAndSet(16, seen, seen + 1));
                words.getAndOr(24, 1L << number);
            }
        });
        crew.join();

        assertThat(words.load(0)).isEqualTo(4L * rounds);
        assertThat(words.loadInt(8)).isEqualTo(4 * rounds);
        assertThat(words.load(16)).isEqualTo(4L * rounds);
        assertThat(words.load(24)).isEqualTo(0b1111);
    }
}
