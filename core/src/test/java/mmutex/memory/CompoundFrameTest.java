package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

/** Compound pages of 8 frames. */
@HangGuard
class CompoundFrameTest {
    private static final int ORDER = 3;
    private static final int LENGTH = 1 << ORDER;
    private static final int FRAMES = 8 * LENGTH;
    /** The first run is cut short by the frames that are never handed out. */
    private static final int RUNS = 7;

    private final FrameTable frames = new FrameTable(FRAMES, ORDER);
    private final FrameData data = new FrameData(FRAMES, 12);
    private final FrameAllocator allocator = new FrameAllocator(frames, data);

    @Test
    void shouldHandOutAlignedRunsAndThenNone() {
        final Set<Long> seen = new HashSet<>();
        for (int i = 0; i < RUNS; i++) {
            final long folio = allocator.allocateCompound();
            assertThat(folio).isPositive();
            assertThat(folio % LENGTH).isZero();
            assertThat(seen.add(folio)).as("folio %d handed out twice", folio).isTrue();
        }

        assertThat(allocator.allocateCompound()).isEqualTo(FrameAllocator.NONE);
        assertThat(allocator.allocateCompoundZeroed()).isEqualTo(FrameAllocator.NONE);
        assertThat(allocator.inUse()).isEqualTo((long) RUNS * LENGTH);
    }

    @Test
    void shouldGiveFramesSkippedForTheAlignmentToSingleUse() {
        allocator.allocateCompound();
        final Set<Long> single = new HashSet<>();
        for (int i = 0; i < LENGTH - 2; i++) {
            single.add(allocator.allocate());
        }

        assertThat(single).containsExactlyInAnyOrder(2L, 3L, 4L, 5L, 6L, 7L);
    }

    @Test
    void shouldKnowHeadAndTails() {
        final long folio = allocator.allocateCompound();
        final long single = allocator.allocate();

        assertThat(frames.has(folio, FrameTable.COMPOUND_HEAD)).isTrue();
        assertThat(frames.head(folio)).isEqualTo(folio);
        assertThat(frames.head(folio + LENGTH - 1)).isEqualTo(folio);
        assertThat(frames.has(folio + 1, FrameTable.COMPOUND_TAIL | FrameTable.ALLOCATED))
                .isTrue();
        assertThat(frames.isLarge(folio + 1)).isTrue();
        assertThat(frames.folioFrames(folio)).isEqualTo(LENGTH);
        assertThat(frames.head(single)).isEqualTo(single);
        assertThat(frames.isLarge(single)).isFalse();
        assertThat(frames.folioFrames(single)).isEqualTo(1);
    }

    @Test
    void shouldCountReferencesOfAllPagesTogether() {
        final long folio = allocator.allocateCompound();
        frames.get(folio + 3);
        assertThat(frames.tryGet(folio + 5)).isTrue();
        frames.getMany(folio, 2);
        assertThat(frames.refCount(folio + 7)).isEqualTo(5);

        for (int i = 0; i < 5; i++) {
            allocator.put(folio + i);
        }

        assertThat(allocator.inUse()).isZero();
        assertThat(frames.tryGet(folio)).isFalse();
        assertThat(frames.tryGet(folio + 5)).isFalse();
        assertThat(allocator.allocateCompound()).isEqualTo(folio);
    }

    @Test
    void shouldCountMappingsOfEachPageAndOfTheWhole() {
        final long folio = allocator.allocateCompound();
        frames.addEntireMapCount(folio, 1);
        frames.addMapCount(folio + 1, 2);
        frames.addMapCount(folio, 1);

        assertThat(frames.mapCount(folio)).isEqualTo(2);
        assertThat(frames.mapCount(folio + 1)).isEqualTo(3);
        assertThat(frames.mapCount(folio + 2)).isEqualTo(1);
        assertThat(frames.entireMapCount(folio)).isEqualTo(1);
        assertThat(frames.folioMapCount(folio)).isEqualTo(4);
        assertThatThrownBy(() -> allocator.put(folio)).hasMessageContaining("freed while mapped");
        assertThatThrownBy(() -> frames.addMapCount(folio + 2, -1)).hasMessageContaining("mapcount underflow");
    }

    @Test
    void shouldKeepDirtyInTheHead() {
        final long folio = allocator.allocateCompound();

        frames.markDirty(folio + 4);

        assertThat(frames.has(folio, FrameTable.DIRTY)).isTrue();
        assertThat(frames.isDirty(folio + 2)).isTrue();
    }

    @Test
    void shouldZeroTheWholeRun() {
        final long folio = allocator.allocateCompound();
        for (int i = 0; i < LENGTH; i++) {
            data.storeLong(data.position(folio + i, 8 * i), -1);
        }
        allocator.put(folio);

        assertThat(allocator.allocateCompoundZeroed()).isEqualTo(folio);
        for (int i = 0; i < LENGTH; i++) {
            assertThat(data.isZero(folio + i)).isTrue();
        }
    }

    @Test
    void shouldBreakUpFreeRunsWhenSingleFramesRunOut() {
        final long[] runs = new long[RUNS];
        for (int i = 0; i < RUNS; i++) {
            runs[i] = allocator.allocateCompound();
        }
        while (allocator.allocate() != FrameAllocator.NONE) {
            // the frames before the first run
        }
        allocator.put(runs[0]);
        allocator.put(runs[1]);

        final Set<Long> single = new HashSet<>();
        for (long pfn = allocator.allocate(); pfn != FrameAllocator.NONE; pfn = allocator.allocate()) {
            assertThat(single.add(pfn)).isTrue();
            assertThat(frames.isLarge(pfn)).isFalse();
            assertThat(frames.refCount(pfn)).isEqualTo(1);
        }

        assertThat(single).hasSize(2 * LENGTH);
        final long last = runs[1] + 5;
        single.forEach(pfn -> {
            if (pfn != last) {
                allocator.put(pfn);
            }
        });
        assertThat(allocator.allocateCompound()).as("whole again").isEqualTo(runs[0]);
        assertThat(allocator.allocateCompound()).as("all but one frame").isEqualTo(FrameAllocator.NONE);
        allocator.put(last);
        assertThat(allocator.allocateCompound()).isEqualTo(runs[1]);
        assertThat(allocator.allocate()).isEqualTo(FrameAllocator.NONE);
    }

    @Test
    void shouldMakeAFreeRunOfAFolioThatWasTakenApart() {
        final long folio = allocator.allocateCompound();
        for (int i = 2; i < LENGTH; i++) {
            allocator.allocate(); // the frames before the first run
        }
        assertThat(frames.freeze(folio)).isTrue();
        allocator.splitCompound(folio);
        for (int i = 0; i < LENGTH; i++) {
            assertThat(frames.isLarge(folio + i)).isFalse();
            assertThat(frames.refCount(folio + i)).isEqualTo(1);
        }
        allocator.put(folio + 2);
        allocator.put(folio + 3);
        // Rather a frame of a run that is no more than a fresh one.
        final long reused = allocator.allocate();
        assertThat(reused).isIn(folio + 2, folio + 3);
        allocator.put(reused);
        for (int i = 0; i < LENGTH; i++) {
            if (i != 2 && i != 3) {
                allocator.put(folio + i);
            }
        }

        assertThat(allocator.inUse()).isEqualTo(LENGTH - 2);
        assertThat(allocator.allocateCompound()).isEqualTo(folio);
    }

    @Test
    void shouldNotFreezeWhatOthersUse() {
        final long folio = allocator.allocateCompound();
        frames.get(folio + 1);
        assertThat(frames.freeze(folio)).isFalse();
        allocator.put(folio + 1);
        assertThat(frames.freeze(folio)).isTrue();
        assertThat(frames.tryGet(folio + 1)).isFalse();
        frames.unfreeze(folio);
        assertThat(frames.tryGet(folio + 1)).isTrue();
    }

    /** A recycled run keeps nothing of what its pages were. */
    @Test
    void shouldClearTheRecordsOfARecycledRun() {
        final long folio = allocator.allocateCompound();
        frames.setBits(folio + 3, FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);
        frames.setMapping(folio, 9, 9);
        allocator.put(folio);
        allocator.allocateCompound();

        assertThat(frames.has(folio + 3, FrameTable.ANON)).isFalse();
        assertThat(frames.mapping(folio)).isZero();
        assertThat(frames.folioMapCount(folio)).isZero();
    }

    /** Takers of single frames, takers of runs, and holders of stale numbers: every frame has one owner at a time. */
    @Test
    void shouldGiveEachFrameToOneAtATime() throws InterruptedException {
        final int rounds = 20_000;
        final AtomicIntegerArray owner = new AtomicIntegerArray(FRAMES);
        final Crew crew = new Crew();
        crew.startTogether(4, number -> {
            final SplittableRandom random = new SplittableRandom(number);
            for (int i = 0; i < rounds; i++) {
                if (number == 3) {
                    final long pfn = 2 + random.nextInt(FRAMES - 2);
                    if (frames.tryGet(pfn)) {
                        allocator.put(pfn);
                    }
                    continue;
                }
                final boolean run = number == 0;
                final long first = run ? allocator.allocateCompound() : allocator.allocate();
                if (first == FrameAllocator.NONE) {
                    continue;
                }
                final int count = run ? LENGTH : 1;
                for (int k = 0; k < count; k++) {
                    assertThat(owner.compareAndSet((int) first + k, 0, number + 1))
                            .isTrue();
                }
                for (int k = 0; k < count; k++) {
                    owner.set((int) first + k, 0);
                }
                allocator.put(first + count - 1);
            }
        });
        crew.join();

        assertThat(allocator.inUse()).isZero();
    }
}
