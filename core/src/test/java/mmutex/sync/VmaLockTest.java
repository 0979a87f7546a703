package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** {@link VmaLock} together with the {@link MmapLock} whose write sections end its marks. */
@HangGuard
class VmaLockTest {
    private final MmapLock mmapLock = new MmapLock();
    private final VmaLock vmaLock = new VmaLock();
    private final PausingActor reader = new PausingActor(1);
    private final PausingActor writer = new PausingActor(2);
    private final Crew crew = new Crew();

    @Test
    void shouldAdmitReadersToAnUnmarkedVma() {
        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isTrue();
        assertThat(vmaLock.tryReadLock(writer, mmapLock)).isTrue();

        vmaLock.readUnlock(reader);
        vmaLock.readUnlock(writer);
    }

    @Test
    void shouldAdmitReadersWhileAWriterHasNotMarkedThisVma() {
        mmapLock.writeLock(writer);

        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isTrue();
    }

    @Test
    void shouldRefuseReadersUntilTheWriteSectionEnds() {
        mmapLock.writeLock(writer);
        vmaLock.writeLock(writer, mmapLock);

        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isFalse();
        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isFalse();

        mmapLock.writeUnlock(writer);
        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isTrue();
    }

    @Test
    void shouldEndTheMarksOfAllVmasAtOnce() {
        final VmaLock other = new VmaLock();
        mmapLock.writeLock(writer);
        vmaLock.writeLock(writer, mmapLock);
        other.writeLock(writer, mmapLock);
        mmapLock.writeUnlock(writer);

        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isTrue();
        assertThat(other.tryReadLock(reader, mmapLock)).isTrue();
    }

    @Test
    void shouldMarkAgainInALaterSection() {
        for (int i = 0; i < 3; i++) {
            mmapLock.writeLock(writer);
            assertThat(vmaLock.tryReadLock(reader, mmapLock)).isTrue();
            vmaLock.readUnlock(reader);
            vmaLock.writeLock(writer, mmapLock);
            vmaLock.writeLock(writer, mmapLock); // marked already: returns at once
            assertThat(vmaLock.tryReadLock(reader, mmapLock)).isFalse();
            mmapLock.writeUnlock(writer);
        }
    }

    @Test
    void shouldMakeTheWriterWaitForReaders() throws InterruptedException {
        final AtomicInteger marked = new AtomicInteger();
        assertThat(vmaLock.tryReadLock(reader, mmapLock)).isTrue();
        crew.start("writer", () -> {
            mmapLock.writeLock(writer);
            vmaLock.writeLock(writer, mmapLock);
            marked.incrementAndGet();
            mmapLock.writeUnlock(writer);
        });
        writer.awaitAsleep();

        assertThat(marked).hasValue(0);
        // The mark stands already: no newcomer prolongs the wait.
        assertThat(vmaLock.tryReadLock(new Actor(3, "late"), mmapLock)).isFalse();
        vmaLock.readUnlock(reader);

        crew.join();
        assertThat(marked).hasValue(1);
    }

    /** Readers see the two words equal; the writer changes them in a marked section only. */
    @Test
    void shouldExcludeReadersFromMarkedSections() throws InterruptedException {
        final long[] pair = new long[2];
        final AtomicInteger admitted = new AtomicInteger();
        final int sections = 3_000;
        crew.startTogether(4, number -> {
            final Actor actor = new Actor(number + 1, "stress" + number);
            for (int i = 0; i < sections; i++) {
                if (number == 0) {
                    mmapLock.writeLock(actor);
                    vmaLock.writeLock(actor, mmapLock);
                    pair[0]++;
                    pair[1]++;
                    mmapLock.writeUnlock(actor);
                } else if (vmaLock.tryReadLock(actor, mmapLock)) {
                    admitted.incrementAndGet();
                    assertThat(pair[0]).isEqualTo(pair[1]);
                    vmaLock.readUnlock(actor);
                }
            }
        });
        crew.join();

        assertThat(pair[0]).isEqualTo(sections);
        assertThat(admitted).hasPositiveValue();
    }
}
