package mmutex.mm;

import static org.assertj.core.api.Assertions.assertThat;

import mmutex.layout.Encodings;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.FileMapping.Kind;
import org.junit.jupiter.api.Test;

class FileMappingTest {
    private final MmFixture mm = new MmFixture();
    private final Platform platform = mm.platform;
    private final FrameTable frames = platform.frames();
    private final Task task = mm.task;
    private final Task other = new Task(2, "other");
    private final FileMapping file = platform.createFile(task, Kind.SHMEM, 4);

    @Test
    void shouldMakeAZeroedPageOnceAndFindItAgain() {
        final long dirtied = platform.allocator().allocate();
        platform.data().storeLong(platform.data().position(dirtied, 0), 7);
        platform.allocator().put(dirtied);

        final long pfn = file.lockPage(task, 2);
        assertThat(pfn).isEqualTo(dirtied); // a recycled frame
        assertThat(platform.data().isZero(pfn)).isTrue();
        assertThat(frames.refCount(pfn)).isEqualTo(2); // the cache's and ours
        assertThat(frames.has(pfn, FrameTable.FILE | FrameTable.LOCKED)).isTrue();
        assertThat(frames.mapping(pfn)).isEqualTo(file.id());
        assertThat(frames.index(pfn)).isEqualTo(2);
        file.unlockPage(task, pfn);

        assertThat(file.lockPage(task, 2)).isEqualTo(pfn);
        file.unlockPage(task, pfn);
        assertThat(frames.refCount(pfn)).isEqualTo(1);
        assertThat(file.isCached(2)).isTrue();
        assertThat(file.isCached(1)).isFalse();
        assertNothingIsLeft();
    }

    @Test
    void shouldHaveNothingBehindTheEnd() {
        assertThat(file.lockPage(task, 4)).isEqualTo(FileMapping.BEYOND_END);
        file.resize(task, 5);
        final long pfn = file.lockPage(task, 4);
        assertThat(pfn).isPositive();
        file.unlockPage(task, pfn);
        file.resize(task, 4);
        assertThat(file.lockPage(task, 4)).isEqualTo(FileMapping.BEYOND_END);
        assertThat(file.tryLockPage(task, 4)).isEqualTo(FrameAllocator.NONE);
        assertThat(file.lockCached(task, 4)).isEqualTo(pfn); // whoever truncates finds it
        file.unlockPage(task, pfn);
        assertNothingIsLeft();
    }

    @Test
    void shouldReportThatMemoryIsOut() {
        final Platform small = new Platform(
                Encodings.forGeneration("x86-64", SemanticProfile.K612.generation()), SemanticProfile.K612, 16, 8, 1);
        final FileMapping tight = small.createFile(task, Kind.SHMEM, 100);
        long index = 0;
        long got = tight.lockPage(task, index);
        while (got > 0) {
            tight.unlockPage(task, got);
            got = tight.lockPage(task, ++index);
        }

        assertThat(got).isEqualTo(FileMapping.NO_MEMORY);
        assertThat(index).isEqualTo(14); // 16 frames, two of them never handed out
        tight.release(task);
        assertThat(small.allocator().inUse()).isZero();
        assertThat(small.tables().inUse()).isZero();
    }

    @Test
    void shouldReportThatTablesAreOut() {
        final long before = platform.tables().inUse();
        while (platform.tables().allocate(0) != 0) {
            // takes the rest
        }
        assertThat(file.lockPage(task, 0)).isEqualTo(FileMapping.NO_MEMORY);
        assertThat(platform.allocator().inUse()).isZero();
        assertThat(before).isPositive();
    }

    @Test
    void shouldLeaveALockedPageToItsHolder() {
        final long pfn = file.lockPage(other, 1);

        assertThat(file.tryLockPage(task, 1)).isEqualTo(FrameAllocator.NONE);
        assertThat(frames.refCount(pfn)).isEqualTo(2);
        file.unlockPage(other, pfn);
        assertThat(file.tryLockPage(task, 1)).isEqualTo(pfn);
        file.unlockPage(task, pfn);
        assertThat(file.tryLockPage(task, 3)).isEqualTo(FrameAllocator.NONE); // makes none
        assertNothingIsLeft();
    }

    /** The waiter gets the page when it has left the file, notices, and makes another. */
    @Test
    void shouldMakeAnotherPageWhenTheFoundOneHasBeenRemoved() {
        final long first = file.lockPage(other, 1);
        final PausingTask waiter = new PausingTask(3) {
            @Override
            protected boolean serveWhileWaiting() {
                if (file.isCached(1)) {
                    file.remove(other, 1, first);
                    file.unlockPage(other, first);
                }
                return super.serveWhileWaiting();
            }
        };

        final long second = file.lockPage(waiter, 1);
        assertThat(waiter.pauses()).isPositive();
        assertThat(second).isPositive();
        assertThat(frames.mapping(second)).isEqualTo(file.id());
        assertThat(frames.refCount(second)).isEqualTo(2);
        file.unlockPage(waiter, second);
        assertNothingIsLeft();
    }

    @Test
    void shouldFindWhatIsCachedInOrder() {
        file.resize(task, 2000);
        for (final long index : new long[] {3, 511, 512, 1999}) {
            file.unlockPage(task, file.lockPage(task, index));
        }
        assertThat(file.nextCached(0, 2000)).isEqualTo(3);
        assertThat(file.nextCached(4, 2000)).isEqualTo(511);
        assertThat(file.nextCached(512, 2000)).isEqualTo(512);
        assertThat(file.nextCached(513, 2000)).isEqualTo(1999);
        assertThat(file.nextCached(513, 1999)).isEqualTo(1999); // none
        assertThat(file.nextCached(2000, 2000)).isEqualTo(2000);
        assertNothingIsLeft();
    }

    @Test
    void shouldLiveUntilItsLastHolderLetsGo() {
        file.unlockPage(task, file.lockPage(task, 0));
        file.hold();
        file.release(task);
        assertThat(platform.file(file.id())).isSameAs(file);
        assertThat(platform.allocator().inUse()).isEqualTo(1);

        assertNothingIsLeft();
        assertThat(platform.file(file.id())).isNull();
        assertThat(platform.files()).isEmpty();
        assertThat(platform.createFile(task, Kind.DRIVER, 0).id()).isEqualTo(file.id()); // used again
    }

    private void assertNothingIsLeft() {
        final long tables = mm.space.pageTable().radix().levels(); // an upper bound: the space has its root only
        file.release(task);
        assertThat(platform.allocator().inUse()).isZero();
        assertThat(platform.tables().inUse()).isLessThan(tables);
    }
}
