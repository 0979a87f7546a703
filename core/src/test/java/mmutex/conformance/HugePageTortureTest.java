package mmutex.conformance;

import static mmutex.conformance.FolioCounters.BASE;
import static mmutex.conformance.FolioCounters.PAGE;
import static mmutex.conformance.FolioCounters.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.change.Collapser;
import mmutex.check.InvariantChecker;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Counters in the pages of a huge page: CPUs and a device count on them while others split the page, put it together again
 * and fork. No increment may be lost and every invariant holds. Without the profiles that take one page of a large folio
 * for another, and lose increments by design.
 *
 * <p>The seed is printed; {@code -Dmmutex.torture.seed=N} repeats it.
 */
class HugePageTortureTest {
    /** The last page holds nothing that matters: discarding it splits the huge page. */
    private static final long SCRATCH = BASE + (PAGES - 1) * PAGE;

    private static final int COUNTERS = 4;
    private static final int CPUS = 2;
    private static final int OPERATIONS = 1500;

    private final AtomicInteger collapses = new AtomicInteger();
    private FolioCounters counters;

    static Stream<Arguments> profilesAndDeliveries() {
        return SemanticProfile.ALL.stream()
                .filter(profile -> !profile.makeConfusesSubpages())
                .flatMap(profile -> Stream.of(Delivery.values()).map(delivery -> Arguments.of(profile, delivery)));
    }

    @ParameterizedTest
    @MethodSource("profilesAndDeliveries")
    @Timeout(240)
    void shouldLoseNothing(final SemanticProfile profile, final Delivery delivery) throws Exception {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("huge torture " + profile + " " + delivery + " -Dmmutex.torture.seed=" + seed);
        final Machine machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(delivery)
                .withFrames(1 << 14)
                .withCpus(CPUS + 1));
        counters = new FolioCounters(machine, COUNTERS);
        final Crew crew = new Crew();
        // Until the work is done, and the page has been put together at least once.
        counters.count(crew, seed, done -> done < OPERATIONS || collapses.get() == 0, (cpu, random, done) -> {});
        crew.start("splitter", () -> split(machine.newTask("splitter")));
        crew.start("collapser", () -> collapse(machine.newTask("collapser")));
        crew.start("forker", () -> counters.fork(machine.newTask("forker")));
        crew.start("checker", () -> counters.check(machine.newTask("checker")));
        crew.join();

        counters.judge(new InvariantChecker(machine), seed);
        assertThat(collapses.get()).as("collapses").isPositive();
        counters.exit(0);
    }

    private void split(final Task task) {
        while (!counters.stop.get()) {
            assertThat(counters.process.madvise(task, SCRATCH, PAGE, Advice.DONTNEED))
                    .isEqualTo(Errno.OK);
            Thread.yield();
        }
    }

    private void collapse(final Task task) {
        while (!counters.stop.get()) {
            if (Collapser.tryCollapse(task, counters.process.space(), BASE)) {
                collapses.incrementAndGet();
            }
            Thread.yield();
            final Errno errno = counters.process.madvise(task, BASE, PAGES * PAGE, Advice.COLLAPSE);
            assertThat(errno).isIn(Errno.OK, Errno.EAGAIN, Errno.EINVAL, Errno.ENOMEM);
            Thread.yield();
        }
    }
}
