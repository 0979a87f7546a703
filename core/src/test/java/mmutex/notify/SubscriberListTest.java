package mmutex.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import mmutex.sync.SrcuDomain;
import org.junit.jupiter.api.Test;

/** Counted registrations: get, put, free after the grace period. */
@HangGuard
class SubscriberListTest {
    private final Actor actor = new Actor(1, "test");
    private final SrcuDomain srcu = new SrcuDomain();
    private final SubscriberList list = new SubscriberList(srcu);
    private final NotifierRange span = new NotifierRange().init(NotifierEvent.CLEAR, 0, 1);
    private final List<String> log = new ArrayList<>();

    private class Shared implements NotifierSubscriber {
        @Override
        public boolean invalidateStart(final Actor caller, final NotifierRange range) {
            log.add("start");
            return true;
        }

        @Override
        public void invalidateEnd(final Actor caller, final NotifierRange range) {
            log.add("end");
        }

        @Override
        public void release(final Actor caller) {
            log.add("release");
        }

        @Override
        public void free() {
            log.add("free");
        }
    }

    private final SubscriberOps ops = Shared::new;

    private NotifierSubscriber get() {
        NotifierSubscriber subscriber = list.find(actor, ops);
        if (subscriber == null) {
            subscriber = ops.allocate();
            list.add(actor, subscriber, ops);
        }
        return subscriber;
    }

    @Test
    void shouldSendEndsToThoseThatWantThem() {
        final NotifierSubscriber starts = new Shared() {
            @Override
            public boolean wantsEnds() {
                return false;
            }
        };
        list.add(actor, starts, null);
        list.start(actor, span);
        list.end(actor, span);
        assertThat(log).containsExactly("start");

        list.add(actor, new Shared(), null);
        list.start(actor, span);
        list.end(actor, span);
        assertThat(log).containsExactly("start", "start", "start", "end");

        list.release(actor);
        list.end(actor, span);
        assertThat(log).containsExactly("start", "start", "start", "end", "release", "release");
    }

    @Test
    void shouldShareOneObjectAmongItsUsers() {
        final NotifierSubscriber first = get();
        assertThat(get()).isSameAs(first);
        assertThat(list.find(actor, Shared::new)).isNull(); // other operations

        list.put(actor, first);
        list.start(actor, span);
        list.end(actor, span);
        assertThat(log).containsExactly("start", "end");
        list.put(actor, first);
        list.start(actor, span);
        assertThat(log).containsExactly("start", "end");
        assertThat(get()).isNotSameAs(first);
    }

    @Test
    void shouldFreeOnlyAfterTheGracePeriodAndNotRelease() throws InterruptedException {
        final NotifierSubscriber subscriber = get();
        final CountDownLatch inside = new CountDownLatch(1);
        final CountDownLatch goOn = new CountDownLatch(1);
        list.add(
                actor,
                new NotifierSubscriber() {
                    @Override
                    public boolean invalidateStart(final Actor caller, final NotifierRange range) {
                        inside.countDown();
                        try {
                            goOn.await();
                        } catch (final InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                        return true;
                    }
                },
                null);
        final Crew crew = new Crew();
        crew.start("span", () -> list.start(new Actor(2, "span"), span));
        inside.await();

        list.put(actor, subscriber); // returns at once, although a section that has seen it runs
        assertThat(log).containsExactly("start");
        final AtomicBoolean over = new AtomicBoolean();
        crew.start("barrier", () -> {
            srcu.barrier(new Actor(3, "barrier"));
            over.set(true);
        });
        for (int i = 0; i < 500; i++) {
            Thread.yield();
        }
        assertThat(over).isFalse();
        assertThat(log).doesNotContain("free");

        goOn.countDown();
        crew.join();
        assertThat(log).containsExactly("start", "free");
    }

    @Test
    void shouldReleaseOnceAndFreeAfterwards() {
        final NotifierSubscriber subscriber = get();
        list.release(actor);
        list.release(actor);
        assertThat(log).containsExactly("release");
        assertThat(list.find(actor, ops)).isNull(); // nobody joins a subscriber of an address space that is gone
        list.start(actor, span);
        list.put(actor, subscriber);
        srcu.barrier(actor);
        assertThat(log).containsExactly("release", "free");
    }

    @Test
    void shouldNotReleaseTwiceWhenUnregisteredAfterExit() {
        final NotifierSubscriber subscriber = get();
        list.release(actor);
        list.unregister(actor, subscriber);
        assertThat(log).containsExactly("release");
    }

    @Test
    void shouldReportAPutTooMany() {
        final NotifierSubscriber subscriber = get();
        list.put(actor, subscriber);
        assertThatThrownBy(() -> list.put(actor, subscriber)).isInstanceOf(IllegalStateException.class);
    }
}
