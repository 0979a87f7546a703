package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.layout.Encodings;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@HangGuard
class AddressSpaceTest {
    private final MmFixture mm = new MmFixture();
    private final AtomicInteger calls = new AtomicInteger();
    private final IntervalSubscription subscription = new IntervalSubscription((actor, hit, range, sequence) -> {
        hit.setSeq(sequence);
        calls.incrementAndGet();
        return true;
    });

    @Test
    void shouldBeAliveUntilTheLastUserLeaves() {
        assertThat(mm.space.isAlive()).isTrue();
        assertThat(mm.space.tryPinUsers()).isTrue();

        assertThat(mm.space.unpinUsers()).isFalse();
        assertThat(mm.space.isAlive()).isTrue();
        assertThat(mm.space.unpinUsers()).isTrue();
        assertThat(mm.space.isAlive()).isFalse();
        assertThat(mm.space.tryPinUsers()).isFalse();
    }

    @Test
    void shouldReportAnUnpinTooMany() {
        mm.space.unpinUsers();

        assertThatThrownBy(mm.space::unpinUsers)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("user count underflow: space=1");
    }

    /** Exactly one of many is the last, and nobody pins after that. */
    @Test
    void shouldTellExactlyOneThatItWasTheLast() throws InterruptedException {
        final AtomicInteger last = new AtomicInteger();
        for (int round = 0; round < 300; round++) {
            final AddressSpace space = new AddressSpace(2, mm.platform);
            space.tryPinUsers();
            space.tryPinUsers();
            last.set(0);
            final Crew crew = new Crew();
            crew.startTogether(3, number -> {
                final boolean pinned = space.tryPinUsers();
                if (space.unpinUsers()) {
                    last.incrementAndGet();
                }
                if (pinned && space.unpinUsers()) {
                    last.incrementAndGet();
                }
            });
            crew.join();
            assertThat(last).hasValue(1);
            assertThat(space.isAlive()).isFalse();
            mm.platform.tables().freeChain(space.pageTable().radix().detachAll());
        }
    }

    @Test
    void shouldSpanHalfOfWhatTheTablesMap() {
        assertThat(mm.space.addressLimit()).isEqualTo(1L << 47);
        assertThat(mm.space.pageSize()).isEqualTo(4096);
    }

    @Test
    void shouldSayThatThereIsNoRoomForItsRootTable() {
        final Platform full = new Platform(Encodings.byName("x86-64-6.12"), SemanticProfile.K612, 16, 2, 1);

        assertThat(new AddressSpace(1, full).pageTable().radix().hasRoot()).isTrue();
        assertThat(new AddressSpace(2, full).pageTable().radix().hasRoot()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x1000, OK",
        "0, 0x7fffffffffffffff, OK",
        "0x1000, 0, EOVERFLOW",
        "-1, 1, OK",
        "-1, 2, EOVERFLOW",
        "-4096, 4096, OK",
        "-4096, 4097, EOVERFLOW"
    })
    void shouldCheckTheRangeOfASubscription(final String start, final String length, final Errno expected) {
        assertThat(mm.space.insert(mm.task, subscription, Long.decode(start), Long.decode(length)))
                .isEqualTo(expected);
        if (expected == Errno.OK) {
            assertThat(subscription.start()).isEqualTo(Long.decode(start));
            assertThat(subscription.last()).isEqualTo(Long.decode(start) + Long.decode(length) - 1);
        }
    }

    @Test
    void shouldRefuseASubscriptionToADeadSpace() {
        mm.space.unpinUsers();

        assertThat(mm.space.insert(mm.task, subscription, 0, PAGE)).isEqualTo(Errno.EINVAL);
        assertThat(mm.space.insert(mm.task, subscription, 0, 0)).isEqualTo(Errno.EOVERFLOW);
    }

    @Test
    void shouldCallASubscriptionItHasInserted() {
        mm.space.insert(mm.task, subscription, 0, PAGE);
        final NotifierRange range = new NotifierRange().init(NotifierEvent.CLEAR, 0, PAGE);

        mm.space.notifiers().start(mm.task, range);
        mm.space.notifiers().end(mm.task, range);

        assertThat(calls).hasValue(1);
    }

    /** Spans run under the mmap lock, a VMA lock or a family's lock: the first subscriber waits for all of them. */
    @Test
    void shouldInsertTheFirstSubscriptionOnlyWhileNoSpanRuns() throws InterruptedException {
        final Vma vma = mm.map(10, 20, READ_WRITE);
        final AnonVma anonVma = mm.prepare(vma);
        final PausingTask inserter = new PausingTask(5);
        final AtomicBoolean inserted = new AtomicBoolean();
        mm.space.mmapLock().readLock(mm.task);
        assertThat(vma.lock().tryReadLock(mm.task, mm.space.mmapLock())).isTrue();
        anonVma.lock().readLock(mm.task);
        final Crew crew = new Crew();
        crew.start("inserter", () -> {
            mm.space.insert(inserter, subscription, 0, PAGE);
            inserted.set(true);
        });

        inserter.awaitPauses(3);
        mm.space.mmapLock().readUnlock(mm.task);
        inserter.awaitPauses(inserter.pauses() + 3);
        assertThat(inserted).isFalse();
        vma.lock().readUnlock(mm.task);
        inserter.awaitPauses(inserter.pauses() + 3);
        assertThat(inserted).isFalse();
        assertThat(mm.space.notifiers().needsPublishForIntervals()).isTrue();
        anonVma.lock().readUnlock(mm.task);

        crew.join();
        assertThat(inserted).isTrue();
        assertThat(anonVma.lock().isHeld()).isFalse();
        assertThat(mm.space.mmapLock().isHeld()).isFalse();
    }

    @Test
    void shouldInsertLaterSubscriptionsWithoutLocks() {
        mm.space.insert(mm.task, subscription, 0, PAGE);
        mm.space.mmapLock().writeLock(mm.task);

        final IntervalSubscription second = new IntervalSubscription((actor, hit, range, sequence) -> true);
        assertThat(mm.space.insert(new Task(7, "other"), second, 0, PAGE)).isEqualTo(Errno.OK);
    }

    @Test
    void shouldRegisterAListSubscriber() {
        final AtomicInteger starts = new AtomicInteger();
        mm.prepare(mm.map(10, 20, READ_WRITE));
        mm.space.register(mm.task, new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                starts.incrementAndGet();
                return true;
            }
        });

        mm.space.notifiers().start(mm.task, new NotifierRange().init(NotifierEvent.UNMAP, 0, 1));

        assertThat(starts).hasValue(1);
        assertThat(mm.space.mmapLock().isHeld()).isFalse();
    }

    /** B53: an end whose start was not counted. Spans race with the first subscription of either kind. */
    @Test
    void shouldCountBothEndsOfASpanOrNeither() throws InterruptedException {
        for (int round = 0; round < 60; round++) {
            final AddressSpace space = new AddressSpace(3, mm.platform);
            mm.map(space, 10, 20, READ_WRITE, 10);
            final Crew crew = new Crew();
            crew.startTogether(3, number -> {
                final Task task = new Task(10 + number, "task" + number);
                if (number == 0) {
                    space.insert(
                            task, new IntervalSubscription((actor, hit, range, sequence) -> true), 0, Long.MAX_VALUE);
                    space.register(task, new NotifierSubscriber() {});
                    return;
                }
                final NotifierRange range = new NotifierRange();
                for (int i = 0; i < 100; i++) {
                    space.mmapLock().readLock(task);
                    range.init(NotifierEvent.CLEAR, 0, PAGE);
                    space.notifiers().start(task, range);
                    space.notifiers().end(task, range);
                    space.mmapLock().readUnlock(task);
                }
            });
            crew.join();
            assertThat(space.notifiers().snapshot(mm.task).activeSpans()).isZero();
            mm.platform.tables().freeChain(space.pageTable().radix().detachAll());
        }
    }
}
