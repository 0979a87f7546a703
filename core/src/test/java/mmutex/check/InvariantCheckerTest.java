package mmutex.check;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Field;
import java.util.List;
import java.util.function.LongUnaryOperator;
import mmutex.device.DeviceBuffer;
import mmutex.device.DevicePte;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierState;
import mmutex.sync.AccessWindow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each invariant is broken on purpose, by hand, and must be reported; and nothing else must be. */
class InvariantCheckerTest {
    private final Emulation emulation = new Emulation();
    private final PteEncoding encoding = emulation.encoding;
    private final MirrorHandle device = emulation.open(0);
    private final MirrorHandle other = emulation.open(1);
    private final InvariantChecker checker =
            new InvariantChecker(emulation.machine).with(device).with(other);

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private void edit(final int page, final LongUnaryOperator change) {
        final long slot = emulation.space.pageTable().slot(addr(page));
        emulation.space.pageTable().store(slot, change.applyAsLong(emulation.pte(page)));
    }

    private void exclusive(final int pages) {
        assertThat(device.exclusive(emulation.cpu, BASE, pages, DeviceBuffer.ofArray(new byte[pages * (int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
    }

    private void mapByDevice(final MirrorHandle handle, final int page, final long frame, final long flags) {
        assertThat(handle.table().store(addr(page) / PAGE, DevicePte.of(frame, flags)))
                .isTrue();
    }

    private void assertNow(final String... broken) {
        assertBroken(checker.now(emulation.cpu), broken);
    }

    private void assertAtQuiescence(final String... broken) {
        assertBroken(checker.atQuiescence(emulation.cpu), broken);
    }

    private static void assertBroken(final CheckReport report, final String... broken) {
        assertThat(report.violations().stream()
                        .map(violation -> violation.substring(0, violation.indexOf(':')))
                        .distinct())
                .as("%s", report.violations())
                .containsExactlyInAnyOrder(broken);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFindNothingWrongInASoundMachine(final SemanticProfile profile) {
        final Emulation sound = new Emulation(profile);
        sound.mapWritten(0, 4);
        final MirrorHandle handle = sound.open(0);
        handle.exclusive(sound.cpu, BASE, 2, DeviceBuffer.ofArray(new byte[2 * (int) PAGE]));
        final Process child = sound.fork();

        final CheckReport report =
                new InvariantChecker(sound.machine).with(handle).atQuiescence(sound.cpu);

        assertThat(report.violations()).isEmpty();
        assertThat(report.checkedInvariants())
                .containsExactlyInAnyOrder(
                        "I1", "I2", "I3", "I4", "I5", "I6", "I8", "I9", "I11", "I13", "I14", "I16", "I17", "I18", "I21",
                        "I27", "I30");
        assertThat(report.orThrow()).isSameAs(report);
        child.exit(sound.cpu);
        sound.assertNothingIsLeft();
    }

    /** Its tables have gone to somebody else. */
    @Test
    void shouldNotLookIntoTheTableOfAClosedDevice() {
        final Emulation sound = new Emulation();
        sound.mapWritten(0, 2);
        final MirrorHandle handle = sound.open(0);
        handle.read(sound.cpu, BASE, 2, DeviceBuffer.ofArray(new byte[2 * (int) PAGE]));
        handle.close(sound.cpu);
        for (int i = 1; i < 5; i++) {
            sound.mapWritten(i * 512, 3);
        }

        final CheckReport report =
                new InvariantChecker(sound.machine).with(handle).atQuiescence(sound.cpu);

        assertThat(report.violations()).isEmpty();
        sound.assertNothingIsLeft();
    }

    @Test
    void shouldThrowWhatItFound() {
        emulation.mapWritten(0, 1);
        emulation.frames.get(emulation.frame(0));

        assertThatThrownBy(() -> checker.atQuiescence(emulation.cpu).orThrow())
                .isInstanceOf(InvariantViolation.class)
                .hasMessageContaining("I4: frame ");
    }

    // ---- devices ----------------------------------------------------------------------------------------------------

    /** I1, I2, I13: the CPU's entry was restored without telling the device. */
    @Test
    void shouldReportAnAtomicMappingOfAPresentPage() {
        emulation.mapWritten(0, 1);
        exclusive(1);
        final long pfn = emulation.frame(0);
        edit(0, pte -> encoding.present(pfn, emulation.space.vmas().lookup(BASE).protection()));

        assertNow("I1", "I2");
    }

    /** I2: a CPU whose access a conversion has not waited for. */
    @Test
    void shouldReportAnAccessToAnAtomicallyMappedFrame() {
        emulation.mapWritten(0, 2);
        exclusive(1);
        final AccessWindow window = emulation.platform.windows()[0];
        window.open();
        assertNow();
        window.reached(emulation.frame(1));
        assertNow();
        window.reached(emulation.frame(0));

        assertNow("I2");

        window.reached(0);
        window.close();
        assertNow();
    }

    @Test
    void shouldReportTwoDevicesOnAnAtomicallyMappedFrame() {
        emulation.mapWritten(0, 1);
        exclusive(1);
        mapByDevice(other, 0, emulation.frame(0), DevicePte.VALID);
        assertNow("I3");

        mapByDevice(other, 0, emulation.frame(0), DevicePte.VALID | DevicePte.ATOMIC);
        assertNow("I3");
    }

    @Test
    void shouldReportAMappingOfAnotherFrame() {
        emulation.mapWritten(0, 2);
        mapByDevice(device, 0, emulation.frame(1), DevicePte.VALID);
        assertNow("I13");
    }

    @Test
    void shouldReportAMappingOfNothing() {
        emulation.mapWritten(0, 1);
        mapByDevice(device, 5, emulation.frame(0), DevicePte.VALID);
        assertNow("I13");
    }

    @Test
    void shouldReportADevicesWriteMappingOfAReadOnlyPage() {
        emulation.mapWritten(0, 1);
        emulation.protect(0, 1, READ);
        mapByDevice(device, 0, emulation.frame(0), DevicePte.VALID);
        assertNow();

        mapByDevice(device, 0, emulation.frame(0), DevicePte.VALID | DevicePte.WRITE);
        assertNow("I13");
    }

    @Test
    void shouldReportADevicesMappingOfAFreeFrame() {
        emulation.mapWritten(0, 1);
        final long pfn = emulation.platform.allocator().allocate();
        emulation.platform.putPage(pfn);
        mapByDevice(device, 0, pfn, DevicePte.VALID);
        assertNow("I13", "I14");
    }

    @Test
    void shouldReportAZeroFrameThatADeviceMayWrite() {
        emulation.map(0, 1, Emulation.READ_WRITE);
        emulation.load(0);
        mapByDevice(device, 0, FrameAllocator.ZERO_FRAME, DevicePte.VALID);
        assertNow();

        mapByDevice(device, 0, FrameAllocator.ZERO_FRAME, DevicePte.VALID | DevicePte.WRITE);
        assertNow("I13", "I30");
    }

    // ---- entries ----------------------------------------------------------------------------------------------------

    @Test
    void shouldReportAnEntryOfAFreeFrame() {
        emulation.mapWritten(0, 1);
        final long pfn = emulation.platform.allocator().allocate();
        edit(0, pte -> encoding.present(pfn, READ));
        assertNow();
        emulation.platform.putPage(pfn);
        assertNow("I14");
    }

    @Test
    void shouldReportAWritableEntryOfAReadOnlyMapping() {
        emulation.mapWritten(0, 1);
        emulation.protect(0, 1, READ);
        edit(0, encoding::mkWrite);
        assertNow("I18");
    }

    @Test
    void shouldReportAWritableEntryThatIsWriteProtectedByUserfaultfd() {
        emulation.mapWritten(0, 1);
        edit(0, pte -> encoding.mkWrite(encoding.mkUffdWp(pte)));
        assertNow("I18");
    }

    @Test
    void shouldReportAWritableEntryOfASharedPage() {
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        assertNow();
        edit(0, encoding::mkWrite);
        assertNow("I18");
        edit(0, encoding::wrProtect);
        child.exit(emulation.cpu);
    }

    @Test
    void shouldReportAMigrationEntryOfAnUnlockedFrame() {
        emulation.mapWritten(0, 1);
        final long pfn = emulation.frame(0);
        edit(0, pte -> encoding.frameEntry(PteKind.MIGRATION_WRITE, pfn));
        emulation.platform.pageLock().lock(emulation.cpu, pfn);
        assertNow();
        emulation.platform.pageLock().unlock(emulation.cpu, pfn);
        assertNow("I21");
    }

    @Test
    void shouldReportAnExclusiveEntryOfWhatIsNotAnonymous() {
        emulation.mapWritten(0, 1);
        exclusive(1);
        emulation.frames.clearBits(emulation.frame(0), FrameTable.ANON);
        assertNow("I16");
    }

    @Test
    void shouldReportADirtyOrLockedZeroFrame() {
        emulation.platform.data().storeLong(emulation.platform.data().position(FrameAllocator.ZERO_FRAME, 8), 1);
        assertNow("I30");
        emulation.platform.data().storeLong(emulation.platform.data().position(FrameAllocator.ZERO_FRAME, 8), 0);
        emulation.frames.setBits(FrameAllocator.ZERO_FRAME, FrameTable.LOCKED);
        assertNow("I30");
    }

    @Test
    void shouldReportAnExclusiveEntryThatIsNotTheOnlyOne() {
        emulation.mapWritten(0, 2);
        exclusive(1);
        final long entry = emulation.pte(0);
        edit(1, pte -> entry);
        final CheckReport report = checker.atQuiescence(emulation.cpu);
        assertThat(report.violations()).anyMatch(violation -> violation.startsWith("I17:"));
    }

    @Test
    void shouldReportAnExclusiveEntryOfAFrameThatOthersMayOwn() {
        emulation.mapWritten(0, 1);
        exclusive(1);
        emulation.frames.clearBits(emulation.frame(0), FrameTable.ANON_EXCLUSIVE);
        assertAtQuiescence("I17");
    }

    // ---- counts -----------------------------------------------------------------------------------------------------

    @Test
    void shouldReportMiscountedReferencesAndMappings() {
        emulation.mapWritten(0, 1);
        emulation.frames.get(emulation.frame(0));
        assertAtQuiescence("I4");
        emulation.frames.addMapCount(emulation.frame(0), 1);
        assertAtQuiescence("I4", "I5");
    }

    @Test
    void shouldReportMiscountedPages() {
        emulation.mapWritten(0, 1);
        emulation.space.anonPages().add(1);
        assertAtQuiescence("I6");
    }

    // ---- notifications ----------------------------------------------------------------------------------------------

    @Test
    void shouldReportASpanThatWasNotEnded() {
        final NotifierRange range = new NotifierRange();
        range.init(NotifierEvent.CLEAR, BASE, BASE + PAGE, NotifierRange.NO_OWNER);
        emulation.space.notifiers().start(emulation.cpu, range);
        assertNow();
        assertAtQuiescence("I11");
        emulation.space.notifiers().end(emulation.cpu, range);
        assertAtQuiescence();
    }

    @Test
    void shouldReportASubscriptionWithAnEvenOrFutureSequence() {
        final IntervalSubscription subscription = new IntervalSubscription((actor, hit, range, sequence) -> true);
        assertThat(emulation.space.insert(emulation.cpu, subscription, BASE, PAGE))
                .isEqualTo(Errno.OK);
        final long sound = subscription.seq();
        subscription.setSeq(sound + 1);
        assertNow("I9");
        subscription.setSeq(sound + 100);
        assertNow("I9");
        subscription.setSeq(sound);
        assertNow();
    }

    /** No call leaves the sequence odd without a span, so the state is changed behind the protocol's back. */
    @Test
    void shouldReportAnOddSequenceWithoutASpan() throws ReflectiveOperationException {
        final NotifierRange range = new NotifierRange().init(NotifierEvent.CLEAR, addr(0), addr(1));
        emulation.space.notifiers().start(emulation.cpu, range);
        assertNow(); // odd, and a span runs
        emulation.space.notifiers().end(emulation.cpu, range);
        assertNow(); // even again
        final Field field = NotifierState.class.getDeclaredField("seq");
        field.setAccessible(true);
        final long even = field.getLong(emulation.space.notifiers());
        assertThat(even & 1).isZero();

        field.setLong(emulation.space.notifiers(), even | 1);

        assertNow("I8");
        field.setLong(emulation.space.notifiers(), even);
        assertNow("I9"); // what the checker saw before was greater
    }

    // ---- locks ------------------------------------------------------------------------------------------------------

    @Test
    void shouldReportWhatIsStillHeld() {
        emulation.mapWritten(0, 1);
        final long pfn = emulation.frame(0);
        emulation.platform.pageLock().lock(emulation.cpu, pfn);
        assertAtQuiescence("I27");
        emulation.platform.pageLock().unlock(emulation.cpu, pfn);
        assertAtQuiescence();
        emulation.cpu.loadLong(BASE);
        emulation.platform.windows()[0].open();
        assertAtQuiescence("I27");
        emulation.platform.windows()[0].close();
    }

    // ---- moments ----------------------------------------------------------------------------------------------------

    @Test
    void shouldReportAnExclusiveEntryAfterAFork() {
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        assertThat(MomentChecks.afterFork(emulation.cpu, emulation.space, child.space())
                        .violations())
                .isEmpty();
        final long pfn = emulation.frame(0);
        edit(0, pte -> encoding.frameEntry(PteKind.DEVICE_EXCLUSIVE_READ, pfn));
        assertBroken(MomentChecks.afterFork(emulation.cpu, emulation.space, child.space()), "I20");
        assertThat(MomentChecks.afterFork(emulation.cpu, child.space()).violations())
                .isEmpty();
        final long slot = child.space().pageTable().slot(BASE);
        child.space().pageTable().store(slot, encoding.frameEntry(PteKind.DEVICE_EXCLUSIVE_READ, pfn));
        assertBroken(MomentChecks.afterFork(emulation.cpu, child.space()), "I20");
    }

    @Test
    void shouldReportAMadePageThatIsNotLockedNorHeldNorExclusive() {
        emulation.mapWritten(0, 1);
        final CheckReport report = MomentChecks.afterMake(emulation.cpu, emulation.space, BASE, emulation.frame(0));
        assertThat(report.violations()).hasSize(3).allMatch(violation -> violation.startsWith("I26:"));
    }

    @Test
    void shouldReportAMappingAfterItsCallback() {
        emulation.mapWritten(0, 1);
        exclusive(1);
        final long page = BASE / PAGE;
        assertBroken(MomentChecks.afterCallback(device.table(), page, page + 1), "I28");
        assertThat(MomentChecks.afterCallback(device.table(), page + 1, page + 2)
                        .violations())
                .isEmpty();
    }
}
