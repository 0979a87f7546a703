package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@HangGuard
class FrameTableTest {
    private static final long PFN = 5;

    private final FrameTable frames = new FrameTable(64);

    @BeforeEach
    void ensure() {
        frames.ensure(PFN);
    }

    @Test
    void shouldKnowItsSize() {
        assertThat(frames.frameCount()).isEqualTo(64);
    }

    @Test
    void shouldPrepareAFrameWithOneReferenceAndNothingElse() {
        frames.setMapping(PFN, 7, 8);
        frames.setPrivateWord(PFN, 9);
        frames.setBits(PFN, FrameTable.DIRTY | FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);

        frames.prepare(PFN);

        assertThat(frames.refCount(PFN)).isEqualTo(1);
        assertThat(frames.mapCount(PFN)).isZero();
        assertThat(frames.mapping(PFN)).isZero();
        assertThat(frames.index(PFN)).isZero();
        assertThat(frames.privateWord(PFN)).isZero();
        assertThat(frames.state(PFN)).isEqualTo(FrameTable.ALLOCATED);
    }

    /** R2: somebody with a stale frame number may hold the page lock of a frame that is recycled. */
    @Test
    void shouldKeepLockBitsAcrossPrepare() {
        frames.setBits(PFN, FrameTable.LOCKED | FrameTable.WAITERS | FrameTable.DIRTY);

        frames.prepare(PFN);

        assertThat(frames.state(PFN)).isEqualTo(FrameTable.LOCKED | FrameTable.WAITERS | FrameTable.ALLOCATED);
    }

    @Test
    void shouldCountReferences() {
        frames.prepare(PFN);
        frames.get(PFN);

        assertThat(frames.tryGet(PFN)).isTrue();
        assertThat(frames.refCount(PFN)).isEqualTo(3);
        assertThat(frames.putTestZero(PFN)).isFalse();
        assertThat(frames.putTestZero(PFN)).isFalse();
        assertThat(frames.putTestZero(PFN)).isTrue();
        assertThat(frames.refCount(PFN)).isZero();
    }

    @Test
    void shouldRefuseTryGetOfAFreeFrame() {
        assertThat(frames.tryGet(PFN)).isFalse();
        assertThat(frames.refCount(PFN)).isZero();
    }

    @Test
    void shouldReportReferenceUnderflow() {
        assertThatThrownBy(() -> frames.putTestZero(PFN))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("reference count underflow: pfn=5, count=-1");
    }

    @Test
    void shouldCountMappings() {
        assertThat(frames.addMapCount(PFN, 2)).isEqualTo(2);
        assertThat(frames.addMapCount(PFN, -1)).isEqualTo(1);
        assertThat(frames.mapCount(PFN)).isEqualTo(1);
    }

    @Test
    void shouldReportMapcountUnderflow() {
        assertThatThrownBy(() -> frames.addMapCount(PFN, -1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("mapcount underflow: pfn=5, mapcount=-1");
    }

    @Test
    void shouldReturnTheStateBeforeAChangeOfBits() {
        assertThat(frames.setBits(PFN, FrameTable.LOCKED)).isZero();
        assertThat(frames.setBits(PFN, FrameTable.DIRTY)).isEqualTo(FrameTable.LOCKED);
        assertThat(frames.clearBits(PFN, FrameTable.LOCKED)).isEqualTo(FrameTable.LOCKED | FrameTable.DIRTY);
        assertThat(frames.state(PFN)).isEqualTo(FrameTable.DIRTY);
    }

    @Test
    void shouldHaveOnlyWhenAllBitsAreSet() {
        frames.setBits(PFN, FrameTable.ANON);

        assertThat(frames.has(PFN, FrameTable.ANON)).isTrue();
        assertThat(frames.has(PFN, FrameTable.ANON | FrameTable.ANON_EXCLUSIVE)).isFalse();
        assertThat(frames.has(PFN, 0)).isTrue();
    }

    @Test
    void shouldCompareAndSetStateOnlyWhenExpected() {
        frames.setBits(PFN, FrameTable.DIRTY);

        assertThat(frames.compareAndSetState(PFN, 0, FrameTable.LOCKED)).isFalse();
        assertThat(frames.compareAndSetState(PFN, FrameTable.DIRTY, FrameTable.LOCKED))
                .isTrue();
        assertThat(frames.state(PFN)).isEqualTo(FrameTable.LOCKED);
    }

    @Test
    void shouldMarkDirtyOnceAndKeepTheRest() {
        frames.setBits(PFN, FrameTable.ANON);

        frames.markDirty(PFN);
        frames.markDirty(PFN);

        assertThat(frames.state(PFN)).isEqualTo(FrameTable.ANON | FrameTable.DIRTY);
    }

    @Test
    void shouldKeepRecordsOfNeighboursApart() {
        frames.prepare(PFN);
        frames.setMapping(PFN, -1, -1);
        frames.setLockOwner(PFN, -1);
        frames.setPrivateWord(PFN, -1);
        frames.setFreeLink(PFN, -1);

        for (final long neighbour : new long[] {PFN - 1, PFN + 1}) {
            assertThat(frames.state(neighbour)).isZero();
            assertThat(frames.refCount(neighbour)).isZero();
            assertThat(frames.mapCount(neighbour)).isZero();
            assertThat(frames.mapping(neighbour)).isZero();
            assertThat(frames.index(neighbour)).isZero();
            assertThat(frames.lockOwner(neighbour)).isZero();
            assertThat(frames.privateWord(neighbour)).isZero();
            assertThat(frames.freeLink(neighbour)).isZero();
        }
    }

    /** The fields of one record must not overlap either. */
    @Test
    void shouldKeepFieldsApart() {
        frames.prepare(PFN);
        frames.addMapCount(PFN, 3);
        frames.setMapping(PFN, 4, 5);
        frames.setLockOwner(PFN, 6);
        frames.setPrivateWord(PFN, 7);
        frames.setFreeLink(PFN, 8);

        assertThat(frames.state(PFN)).isEqualTo(FrameTable.ALLOCATED);
        assertThat(frames.refCount(PFN)).isEqualTo(1);
        assertThat(frames.mapCount(PFN)).isEqualTo(3);
        assertThat(frames.mapping(PFN)).isEqualTo(4);
        assertThat(frames.index(PFN)).isEqualTo(5);
        assertThat(frames.lockOwner(PFN)).isEqualTo(6);
        assertThat(frames.privateWord(PFN)).isEqualTo(7);
        assertThat(frames.freeLink(PFN)).isEqualTo(8);
    }

    /** O10: a reference is got only while somebody holds one; then exactly one thread sees the last one go. */
    @Test
    void shouldNeverResurrectAFrameByTryGet() throws InterruptedException {
        final int rounds = 3_000;
        final AtomicInteger last = new AtomicInteger();
        final Crew crew = new Crew();
        final CyclicBarrier round = new CyclicBarrier(3);
        crew.startTogether(3, number -> {
            for (int i = 0; i < rounds; i++) {
                if (number == 0) {
                    frames.prepare(PFN);
                }
                round.await();
                final boolean holds = number == 0 || frames.tryGet(PFN);
                if (holds && frames.putTestZero(PFN)) {
                    last.incrementAndGet();
                }
                round.await();
                assertThat(frames.refCount(PFN)).isZero();
                round.await();
            }
        });
        crew.join();

        assertThat(last.get()).isEqualTo(rounds);
    }
}
