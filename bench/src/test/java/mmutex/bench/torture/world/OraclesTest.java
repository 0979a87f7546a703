package mmutex.bench.torture.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import mmutex.bench.run.Referee;
import mmutex.bench.torture.op.Operations;
import mmutex.bench.torture.op.common.UseNursery;
import mmutex.bench.torture.op.plot.UsePlot;
import mmutex.change.Advisor.Advice;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The oracles of torture, each contradicted on purpose. */
class OraclesTest {
    private final Machine machine = new Machine(
            MachineSpec.defaults().withDelivery(Delivery.INLINE).withCpus(2).withFrames(8192));
    private final World world = new World(machine, machine.newTask("test"), 1, 1);
    private final Cpu cpu = machine.cpu(0);
    private final Hand hand = new Hand(world, 0, cpu, new SplittableRandom(1));
    private final Cpu intruder = machine.cpu(1);

    OraclesTest() {
        intruder.run(world.root());
    }

    private void intrude(final long addr, final long value) {
        assertThat(intruder.storeLong(addr, value)).isEqualTo(Signal.NONE);
    }

    private Member fork() {
        final Process child = world.root().fork(cpu).child();
        return hand.root().child(child, world.tags().newLineage(), world.tags().now());
    }

    @Test
    void shouldNoticeAForeignValueInAPlot() {
        UsePlot.write(hand, hand.root(), hand.root().plot, 3);
        hand.checkPlotPage(hand.root(), hand.root().plot, 3);

        intrude(hand.root().plot.addr(3) + World.PAGE - Long.BYTES, 7);

        assertThatThrownBy(() -> hand.checkPlotPage(hand.root(), hand.root().plot, 3))
                .isInstanceOf(Finding.class)
                .hasMessageContaining("page 3 of process 0 holds 0x7, expected 0xa7ff");
    }

    @Test
    void shouldNoticeAPageThatShouldNotBeReadable() {
        hand.root().plot.page(3).protection = 0;
        assertThatThrownBy(() -> hand.checkPlotPage(hand.root(), hand.root().plot, 3))
                .isInstanceOf(Finding.class);
        hand.root().plot.page(4).mapped = false;
        assertThatThrownBy(() -> hand.checkPlotPage(hand.root(), hand.root().plot, 4))
                .isInstanceOf(Finding.class);
    }

    @Test
    void shouldAdmitWhatMayBeThereAndThenNothingElse() {
        final Plot.Page page = hand.root().plot.page(0);
        page.holds(5);
        page.mayHold(6);
        page.mayHold(7);
        assertThat(page.admits(8)).isFalse();
        assertThat(page.admits(6)).isTrue();
        assertThat(page.admits(5)).isFalse();
        assertThat(page.expected()).isEqualTo("0x6");
    }

    @Test
    void shouldKeepAChildsPlotAsItWasAtTheFork() {
        UsePlot.write(hand, hand.root(), hand.root().plot, 0);
        hand.root().plot.page(1).inherited = false;
        hand.root().plot.page(2).holds(9);
        hand.root().plot.page(2).wiped = true;

        final Plot child = hand.root().plot.forChild();

        hand.root().plot.page(0).holds(1);
        assertThat(child.page(0).admits(1)).isFalse();
        assertThat(child.page(1).mapped).isFalse();
        assertThat(child.page(2).admits(0)).isTrue();
    }

    @Test
    void shouldMoveWhatIsKnownWithThePages() {
        hand.root().plot.page(0).holds(5);
        hand.root().plot.page(1).protection = World.READ;

        hand.root().plot.move(0, 2, 6, true);

        assertThat(hand.root().plot.page(6).admits(5)).isTrue();
        assertThat(hand.root().plot.page(7).protection).isEqualTo(World.READ);
        assertThat(hand.root().plot.page(0).admits(0)).isTrue();
        assertThat(hand.root().plot.page(1).protection).isEqualTo(World.READ);
        hand.root().plot.move(6, 1, 0, false);
        assertThat(hand.root().plot.page(6).mapped).isFalse();
    }

    @Test
    void shouldAcceptTagsOfAncestorsOnlyFromBeforeTheFork() {
        final long before = world.tags().make(2, Tags.ROOT_LINEAGE);
        final Member child = fork();
        final long after = world.tags().make(2, Tags.ROOT_LINEAGE);
        final long own = world.tags().make(2, child.lineage);

        assertThatCode(() -> child.checkCommon(2, before, "test")).doesNotThrowAnyException();
        assertThatCode(() -> child.checkCommon(2, own, "test")).doesNotThrowAnyException();
        assertThatCode(() -> child.checkCommon(2, 0, "test")).doesNotThrowAnyException();
        assertThatThrownBy(() -> child.checkCommon(2, after, "test")).hasMessageContaining("after the fork");
        assertThatThrownBy(() -> child.checkCommon(3, before, "test")).hasMessageContaining("nobody wrote there");
        assertThatThrownBy(() -> hand.root().checkCommon(2, own, "test")).hasMessageContaining("no ancestor");
        assertThatThrownBy(() -> child.checkCommon(2, 77, "test")).hasMessageContaining("nobody wrote there");
        child.process.exit(cpu);
    }

    @Test
    void shouldNoticeACounterThatRunsBackwards() {
        hand.sawCounter(1, 5, "test");
        hand.sawCounter(1, 5, "test");
        assertThatThrownBy(() -> hand.sawCounter(1, 4, "test")).hasMessageContaining("ran backwards");
        hand.sawShared(3);
        assertThatThrownBy(() -> hand.sawShared(2)).hasMessageContaining("ran backwards");
    }

    @Test
    void shouldNoticeAForeignValueInALargeFolio() {
        final Plot field = hand.root().field;
        UsePlot.write(hand, hand.root(), field, 700);
        assertThat(hand.isHuge(hand.root(), field.addr(700))).isTrue();
        hand.checkPlotPage(hand.root(), field, 701);

        intrude(field.addr(701), 7);

        assertThatThrownBy(() -> hand.checkPlotPage(hand.root(), field, 701))
                .hasMessageContaining("field of cpu0: page 701 of process 0 holds 0x7, expected 0x0");
    }

    @Test
    void shouldNoticeForeignAndStaleValuesInAFile() {
        final Member child = fork();
        hand.scroll().contents(1, Possible.of(5));
        assertThatThrownBy(() -> hand.checkScrollPage(hand.root(), 1, true)).hasMessageContaining("holds 0x0");
        assertThatThrownBy(() -> hand.checkScrollPage(hand.root(), 1, false)).hasMessageContaining("expected 0x5");
        hand.wroteScroll(hand.root(), 2, false, 6);
        assertThatThrownBy(() -> hand.checkScrollPage(hand.root(), 2, false)).hasMessageContaining("expected 0x6");
        assertThatCode(() -> hand.checkScrollPage(hand.root(), 2, true)).doesNotThrowAnyException();
        hand.scroll().truncated(2);
        assertThatThrownBy(() -> hand.checkScrollPage(hand.root(), 2, true)).hasMessageContaining("BUS_ADRERR");
        child.process.exit(cpu);
    }

    @Test
    void shouldKnowWhatPrivateCopiesMayHold() {
        final Scroll.Copies copies = new Scroll.Copies();
        copies.mayBeCopied(0, Possible.of(1));
        assertThat(copies.seen(0, Possible.of(2)).admits(1)).isTrue();
        assertThat(copies.seen(0, Possible.of(2)).admits(2)).isTrue();
        copies.copied(0, Possible.of(3));
        copies.mayBeCopied(0, Possible.of(1));
        final Scroll.Copies child = copies.forChild();
        copies.dropped(0, 1);
        assertThat(copies.seen(0, Possible.of(2)).toString()).isEqualTo("0x2");
        assertThat(child.seen(0, Possible.of(2)).toString()).isEqualTo("0x3");
    }

    /** A page that the kernel fills in behind the handler's back. */
    @Test
    void shouldNoticeAPageThatItsHandlerHasNotFilled() {
        world.nursery().faults().unregister(cpu, Nursery.addr(0), 8L * World.PAGE);

        assertThatThrownBy(() -> {
                    for (int i = 0; i < 1000; i++) {
                        new UseNursery().perform(hand);
                        world.root().madvise(cpu, Nursery.addr(0), World.PAGE, Advice.DONTNEED);
                    }
                })
                .isInstanceOf(Finding.class)
                .hasMessageContaining("has come back without its handler");
    }

    /** Each operation alone, often enough to take each of its ways, on a machine where nobody disturbs it but the handler. */
    @ParameterizedTest
    @EnumSource(Delivery.class)
    void shouldPerformEachOperation(final Delivery delivery) throws InterruptedException {
        final Set<String> happened = new HashSet<>();
        for (final SemanticProfile profile : SemanticProfile.ALL) {
            final Machine quiet = new Machine(MachineSpec.defaults()
                    .withProfile(profile)
                    .withDelivery(delivery)
                    .withCpus(1)
                    .withFrames(32768));
            final World alone = new World(quiet, quiet.newTask("test"), 1, 1);
            final Hand worker = new Hand(alone, 0, quiet.cpu(0), new SplittableRandom(7));
            final AtomicBoolean done = new AtomicBoolean();
            final Thread handler = new Thread(() -> {
                final Task task = quiet.newTask("handler");
                final SplittableRandom dice = new SplittableRandom(8);
                while (!done.get()) {
                    if (!alone.nursery().handle(task, dice)) {
                        Thread.yield();
                    }
                }
            });
            handler.start();
            try {
                for (int round = 0; round < 12; round++) {
                    for (final TortureOperation operation : Operations.of(profile)) {
                        operation.perform(worker);
                    }
                }
            } finally {
                done.set(true);
                handler.join();
            }
            happened.addAll(worker.outcomes().keySet());
            worker.finish();
            alone.end(quiet.newTask("end"));
            final Referee referee = new Referee(quiet, quiet.newTask("referee"));
            referee.checkNothingLeft();
            assertThat(referee.outcome().violations()).isEmpty();
        }
        assertThat(happened)
                .contains("large folio by fault", "large folio by MADV_COLLAPSE", "large folio of counters");
    }
}
