package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.conformance.Contest.Width;
import mmutex.device.CancelReason;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceOperation;
import mmutex.device.DriverSpec;
import mmutex.device.RetryPolicy;
import mmutex.layout.VmFlags;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The OpenCL program of the cover letter, CO-1 to CO-5: atomics of a device on shared memory are atomic with respect to those
 * of CPUs. In every profile; small in each build, in full size under tag slow.
 */
@Timeout(value = 900, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SvmAtomicsTest {
    private static final int QUICK = 300;
    private static final int FULL = 100_000;
    /** Of a driver's clock that counts rounds: a fault's 1000 ms are 200 of them. */
    private static final long NS_PER_ROUND = 5_000_000;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    /** K counters, T CPUs, G lanes; the corners of what the case names. */
    static Stream<Arguments> quick() {
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(
                        Arguments.of(profile, Delivery.INLINE, 1, 1, 1),
                        Arguments.of(profile, Delivery.INLINE, 1, 8, 32),
                        Arguments.of(profile, Delivery.RING, 8, 2, 32),
                        Arguments.of(profile, Delivery.INLINE, 512, 8, 32)));
    }

    static Stream<Arguments> full() {
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(Delivery.values())
                        .flatMap(delivery -> IntStream.of(1, 8, 512)
                                .boxed()
                                .flatMap(k -> IntStream.of(1, 2, 8)
                                        .boxed()
                                        .flatMap(t -> IntStream.of(1, 32)
                                                .mapToObj(g -> Arguments.of(profile, delivery, k, t, g))))));
    }

    // ---- CO-1 ------------------------------------------------------------------------------------------------------

    @ParameterizedTest(name = "{0}, {1}, K={2}, T={3}, G={4}")
    @MethodSource("quick")
    void co1SharedCounter(final SemanticProfile profile, final Delivery delivery, final int k, final int t, final int g)
            throws InterruptedException {
        sharedCounter(profile, delivery, k, t, g, QUICK);
    }

    @ParameterizedTest(name = "{0}, {1}, K={2}, T={3}, G={4}")
    @MethodSource("full")
    @Tag("slow")
    void co1SharedCounterInFull(
            final SemanticProfile profile, final Delivery delivery, final int k, final int t, final int g)
            throws InterruptedException {
        sharedCounter(profile, delivery, k, t, g, FULL);
    }

    private static void sharedCounter(
            final SemanticProfile profile, final Delivery delivery, final int k, final int t, final int g, final int n)
            throws InterruptedException {
        final Contest contest = new Contest(profile, delivery, t, g);
        contest.map(Contest.BASE, 1);
        final long[] sums = new long[k];
        for (int actor = 0; actor < t + g; actor++) {
            for (int i = 0; i < n; i++) {
                sums[(actor + i) % k]++;
            }
        }
        for (int cpu = 0; cpu < t; cpu++) {
            final int first = cpu;
            contest.cpu(
                    cpu,
                    n,
                    (c, i) -> Contest.requireNone(
                            c.fetchAddLong(Contest.BASE + (long) ((first + i) % k) * Long.BYTES, 1)));
        }
        for (int lane = 0; lane < g; lane++) {
            final int first = t + lane;
            contest.lane(
                    lane,
                    n,
                    (l, i) -> l.modifyLong(
                            Contest.BASE + (long) ((first + i) % k) * Long.BYTES,
                            DeviceAccess.ATOMIC,
                            DeviceOperation.ADD,
                            1,
                            0));
        }

        contest.run();

        for (int counter = 0; counter < k; counter++) {
            assertThat(contest.loadLong(Contest.BASE + (long) counter * Long.BYTES))
                    .as("counter %d", counter)
                    .isEqualTo(sums[counter]);
        }
        assertThat(contest.deviceFaults()).isPositive();
        contest.end();
    }

    // ---- CO-2 ------------------------------------------------------------------------------------------------------

    /** Pages of CPUs and pages of the device take turns; after each has been touched nobody disturbs anybody. */
    @ParameterizedTest
    @MethodSource("profiles")
    void co2NeighbouringPages(final SemanticProfile profile) throws InterruptedException {
        final int pages = 8;
        final Contest contest = new Contest(profile, Delivery.INLINE, 2, 4);
        contest.map(Contest.BASE, pages);
        for (int cpu = 0; cpu < 2; cpu++) {
            contest.cpu(
                    cpu,
                    QUICK,
                    (c, i) -> Contest.requireNone(
                            c.fetchAddLong(Contest.BASE + (long) (2 * i % pages) * Contest.PAGE, 1)));
        }
        for (int lane = 0; lane < 4; lane++) {
            contest.lane(
                    lane,
                    QUICK,
                    (l, i) -> l.modifyLong(
                            Contest.BASE + (long) ((2 * i + 1) % pages) * Contest.PAGE,
                            DeviceAccess.ATOMIC,
                            DeviceOperation.ADD,
                            1,
                            0));
        }

        contest.run();

        assertThat(contest.cpuFaults()).isBetween(pages / 2L, 2L * pages / 2);
        // One fault a page; lanes that run into it together are queued before it is resolved.
        assertThat(contest.mappedPages()).isEqualTo(pages / 2);
        for (int page = 0; page < pages; page++) {
            assertThat(contest.loadLong(Contest.BASE + (long) page * Contest.PAGE))
                    .isEqualTo((page % 2 == 0 ? 2L : 4L) * QUICK / (pages / 2));
        }
        contest.end();
    }

    // ---- CO-3 ------------------------------------------------------------------------------------------------------

    /** The negative control: on a plain mapping updates are lost, so the other cases could see it. */
    @ParameterizedTest
    @MethodSource("profiles")
    void co3PlainMappingLosesUpdates(final SemanticProfile profile) throws InterruptedException {
        final int n = 50_000;
        int run = 0;
        long lost = 0;
        for (; run < 20 && lost == 0; run++) {
            final Contest contest = new Contest(profile, Delivery.INLINE, 2, 4);
            contest.map(Contest.BASE, 1);
            for (int cpu = 0; cpu < 2; cpu++) {
                contest.cpu(cpu, n, (c, i) -> Contest.requireNone(c.fetchAddLong(Contest.BASE, 1)));
            }
            for (int lane = 0; lane < 4; lane++) {
                contest.lane(
                        lane, n, (l, i) -> l.modifyLong(Contest.BASE, DeviceAccess.WRITE, DeviceOperation.ADD, 1, 0));
            }
            contest.run();
            lost = 6L * n - contest.loadLong(Contest.BASE);
            contest.end();
        }
        assertThat(lost).as("updates lost in run %d", run).isPositive();
    }

    // ---- CO-4 ------------------------------------------------------------------------------------------------------

    static Stream<Arguments> profilesAndWidths() {
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(Width.values()).map(width -> Arguments.of(profile, width)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("profilesAndWidths")
    void co4Add(final SemanticProfile profile, final Width width) throws InterruptedException {
        final Contest contest = new Contest(profile, Delivery.INLINE, 2, 4);
        contest.map(Contest.BASE, 1);
        contest.cpus(QUICK, (c, i) -> Contest.requireNone(width.add(c, Contest.BASE)));
        contest.lanes(QUICK, (l, i) -> width.modify(l, Contest.BASE, DeviceOperation.ADD, 1, 0));

        contest.run();

        assertThat(width.load(contest, Contest.BASE)).isEqualTo(6L * QUICK);
        contest.end();
    }

    /** Everybody puts his tickets down and picks up what lay there: in the end all have been picked up, but for the last. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("profilesAndWidths")
    void co4Exchange(final SemanticProfile profile, final Width width) throws InterruptedException {
        final Contest contest = new Contest(profile, Delivery.INLINE, 2, 4);
        contest.map(Contest.BASE, 1);
        final long[][] picked = new long[6][QUICK];
        for (int cpu = 0; cpu < 2; cpu++) {
            final int actor = cpu;
            contest.cpu(cpu, QUICK, (c, i) -> {
                Contest.requireNone(width.exchange(c, Contest.BASE, ticket(actor, i)));
                picked[actor][i] = c.value();
            });
        }
        for (int lane = 0; lane < 4; lane++) {
            final int actor = 2 + lane;
            contest.lane(lane, QUICK, (l, i) -> {
                final boolean hit = width.modify(l, Contest.BASE, DeviceOperation.EXCHANGE, ticket(actor, i), 0);
                if (hit) {
                    picked[actor][i] = l.value();
                }
                return hit;
            });
        }

        contest.run();

        final Set<Long> all = new TreeSet<>();
        for (final long[] of : picked) {
            for (final long ticket : of) {
                assertThat(all.add(ticket))
                        .as("ticket %d picked up once", ticket)
                        .isTrue();
            }
        }
        assertThat(all.add(width.load(contest, Contest.BASE))).isTrue();
        assertThat(all).hasSize(6 * QUICK + 1).contains(0L);
        contest.end();
    }

    private static int ticket(final int actor, final int i) {
        return 1 + actor * QUICK + i;
    }

    /** Compare-and-exchange loops raise a maximum: the raises that succeeded lead from 0 to the greatest number offered. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("profilesAndWidths")
    void co4CompareExchange(final SemanticProfile profile, final Width width) throws InterruptedException {
        final Contest contest = new Contest(profile, Delivery.INLINE, 2, 4);
        contest.map(Contest.BASE, 1);
        contest.cpus(QUICK, (c, i) -> {
            boolean done = false;
            while (!done) {
                Contest.requireNone(width.load(c, Contest.BASE));
                final long seen = c.value();
                done = seen >= i + 1;
                if (!done) {
                    Contest.requireNone(width.compareAndSet(c, Contest.BASE, seen, i + 1));
                    done = c.value() == 1;
                }
            }
        });
        contest.lanes(QUICK, (l, i) -> width.modify(l, Contest.BASE, DeviceOperation.COMPARE_EXCHANGE, i + 1, i));

        contest.run();

        assertThat(width.load(contest, Contest.BASE)).isEqualTo(QUICK);
        contest.end();
    }

    // ---- CO-5 ------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void co5Oversubscription(final SemanticProfile profile) throws InterruptedException {
        oversubscribed(profile, 2 * QUICK);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    @Tag("slow")
    void co5OversubscriptionInFull(final SemanticProfile profile) throws InterruptedException {
        oversubscribed(profile, FULL);
    }

    private static void oversubscribed(final SemanticProfile profile, final int n) throws InterruptedException {
        final Contest contest = new Contest(profile, Delivery.INLINE, 2, 8);
        oversubscribe(contest, n);

        contest.run();

        assertThat(contest.loadLong(Contest.BASE)).isEqualTo(10L * n);
        contest.end();
    }

    /**
     * Q1 on: the kernel's loop, which collides with itself where no CPU helps, and which a page locked by others ends. Then
     * lanes are cancelled, and what they had done by then is all there: nobody hangs (I33), nothing is lost (I7).
     */
    @ParameterizedTest
    @MethodSource("profiles")
    void co5OversubscriptionOfTheKernelsLoop(final SemanticProfile profile) throws InterruptedException {
        final int n = 2 * QUICK;
        final AtomicLong rounds = new AtomicLong();
        final Contest contest = new Contest(
                profile,
                Delivery.INLINE,
                2,
                8,
                DriverSpec.defaults().withRetryPolicy(RetryPolicy.KERNEL_LOOP),
                () -> rounds.addAndGet(NS_PER_ROUND));
        oversubscribe(contest, n);

        contest.runWithCancellations();

        assertThat(contest.loadLong(Contest.BASE)).isEqualTo(2L * n + contest.deviceOperations());
        assertThat(contest.cancelReasons()).isSubsetOf(CancelReason.TIME_OVER, CancelReason.NO_PAGE);
        contest.end();
    }

    private static void oversubscribe(final Contest contest, final int n) {
        final long discarded = Contest.BASE + 4L * Contest.PAGE;
        final long toggled = Contest.BASE + 8L * Contest.PAGE;
        contest.map(Contest.BASE, 1);
        contest.map(discarded, 1);
        contest.map(toggled, 1);
        contest.cpus(n, (c, i) -> {
            Contest.requireNone(c.fetchAddLong(Contest.BASE, 1));
            if (i % 16 == 0) {
                Contest.requireNone(c.storeLong(discarded, i));
            }
        });
        contest.lanes(n, (l, i) -> l.modifyLong(Contest.BASE, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0));
        contest.disturb(task -> contest.process().madvise(task, discarded, Contest.PAGE, Advice.DONTNEED));
        contest.disturb(task -> fork(contest.process(), task));
        contest.disturb(task -> {
            contest.process().mprotect(task, toggled, Contest.PAGE, VmFlags.READ);
            contest.process().mprotect(task, toggled, Contest.PAGE, VmFlags.READ | VmFlags.WRITE);
        });
    }

    private static void fork(final Process process, final Task task) {
        final Process.Forked forked = process.fork(task);
        if (forked.errno() == Errno.OK) {
            forked.child().exit(task);
        } else {
            assertThat(forked.errno()).isEqualTo(Errno.ENOMEM); // a page was in the driver's hands
        }
    }
}
