package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

@HangGuard
class SrcuDomainTest {
    private final SrcuDomain srcu = new SrcuDomain();
    private final PausingActor reader = new PausingActor(1);
    private final PausingActor writer = new PausingActor(2);
    private final Crew crew = new Crew();

    @Test
    void shouldNotWaitWithoutReaders() {
        srcu.synchronize(writer);
        srcu.synchronize(writer);

        assertThat(writer.pauses()).isZero();
    }

    @Test
    void shouldNotWaitForSectionsThatAreOver() {
        for (int i = 0; i < 5; i++) {
            final int section = srcu.readLock(reader);
            srcu.readUnlock(reader, section);
            srcu.synchronize(writer);
        }

        assertThat(writer.pauses()).isZero();
    }

    @Test
    void shouldWaitForAllEarlierSections() throws InterruptedException {
        final AtomicBoolean done = new AtomicBoolean();
        final int outer = srcu.readLock(reader);
        final int inner = srcu.readLock(reader);
        crew.start("writer", () -> {
            srcu.synchronize(writer);
            done.set(true);
        });
        writer.awaitPauses(20);
        srcu.readUnlock(reader, inner);
        writer.awaitAsleep();
        assertThat(done).isFalse();
        srcu.readUnlock(reader, outer);

        crew.join();
        assertThat(done).isTrue();
    }

    /** Two readers, one of which is always inside: a writer that waited for later sections would never return. */
    @Test
    void shouldNotWaitForLaterSectionsForEver() throws InterruptedException {
        final AtomicBoolean done = new AtomicBoolean();
        final AtomicBoolean stop = new AtomicBoolean();
        final CyclicBarrier relay = new CyclicBarrier(2, () -> stop.set(done.get()));
        final int first = srcu.readLock(reader);
        for (int i = 0; i < 2; i++) {
            final int number = i;
            crew.start("reader" + i, () -> {
                final Actor actor = new Actor(10 + number, "reader" + number);
                int section = srcu.readLock(actor);
                relay.await();
                for (int turn = 0; !stop.get(); turn++) { // ends when the writer has returned
                    if (turn % 2 == number) {
                        srcu.readUnlock(actor, section);
                        section = srcu.readLock(actor);
                    }
                    relay.await();
                }
                srcu.readUnlock(actor, section);
            });
        }
        crew.start("writer", () -> {
            srcu.synchronize(writer);
            done.set(true);
        });
        writer.awaitWaiting();
        assertThat(done).isFalse();
        srcu.readUnlock(reader, first);

        crew.join();
    }

    /** The use: unlink, wait for the grace period, destroy. No reader may meet a destroyed object. */
    @Test
    void shouldProtectUnlinkedObjects() throws InterruptedException {
        final int objects = 1_500;
        final AtomicReference<Integer> published = new AtomicReference<>(0);
        final AtomicIntegerArray destroyed = new AtomicIntegerArray(objects + 1);
        final AtomicBoolean over = new AtomicBoolean();
        crew.startTogether(4, number -> {
            final Actor actor = new Actor(10 + number, "actor" + number);
            if (number == 0) {
                for (int i = 0; i < objects; i++) {
                    published.set(i + 1);
                    srcu.synchronize(actor);
                    destroyed.set(i, 1);
                }
                over.set(true);
                return;
            }
            while (!over.get()) {
                final int section = srcu.readLock(actor);
                final int object = published.get();
                for (int look = 0; look < 3; look++) {
                    assertThat(destroyed.get(object)).isZero();
                }
                srcu.readUnlock(actor, section);
            }
        });
        crew.join();
    }
}
