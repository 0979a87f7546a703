package mmutex.exclusive;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.Stream;
import mmutex.check.InvariantChecker;
import mmutex.check.MomentChecks;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.HugePmd;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Make and restore of the pages of a large folio, as each generation does it: Q9, and section 7 of the evolution. */
class LargeFolioTest {
    private static final long OWNER = 7;

    private final byte[] mirror = new byte[PAGES * (int) PAGE];

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    /** Up to 6.14, as merged: tails are refused. */
    static Stream<SemanticProfile> headOnly() {
        return Stream.of(SemanticProfile.K514, SemanticProfile.K612);
    }

    private Errno exclusive(final Emulation emulation, final MirrorHandle device, final int first, final int count) {
        return device.exclusive(emulation.cpu, addr(first), count, DeviceBuffer.ofArray(mirror))
                .errno();
    }

    private long mirrored(final int page) {
        return ByteBuffer.wrap(mirror).order(ByteOrder.nativeOrder()).getLong(page * (int) PAGE);
    }

    private static long make(final Emulation emulation, final int page) {
        final long[] pages = new long[1];
        emulation.space.mmapLock().readLock(emulation.cpu);
        if (emulation.platform.profile().makeOnePage()) {
            pages[0] = ExclusiveMaker.makeOne(emulation.cpu, emulation.space, addr(page), OWNER);
        } else {
            assertThat(ExclusiveMaker.makeRange(emulation.cpu, emulation.space, addr(page), 1, OWNER, pages))
                    .isEqualTo(1);
        }
        emulation.space.mmapLock().readUnlock(emulation.cpu);
        return pages[0];
    }

    private static void giveBack(final Emulation emulation, final long pfn) {
        emulation.platform.unlockPage(emulation.cpu, pfn);
        emulation.platform.putPage(pfn);
    }

    // ---- CX-10 ------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void cx10MakesAllPagesOrOnlyTheFirst(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle device = emulation.open(0);

        final Errno errno = exclusive(emulation, device, 0, PAGES);

        assertThat(errno).isEqualTo(profile.makeOnePage() ? Errno.OK : Errno.EBUSY);
        for (int page = 0; page < PAGES; page++) {
            assertThat(emulation.kind(page).isDeviceExclusive())
                    .as("page %d", page)
                    .isTrue();
            assertThat(emulation.frames.mapCount(emulation.frame(page)))
                    .isEqualTo(profile.exclusiveKeepsMapcount() ? 1 : 0);
            final long vpn = addr(page) / PAGE;
            final boolean mapped = device.table().nextValid(vpn, vpn + 1) == vpn;
            // Of the early series' single head, restored and made again, no more than of the later ones' can be mapped.
            assertThat(mapped).as("device maps page %d", page).isEqualTo(profile.makeOnePage() || page == 0);
        }
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
        emulation.assertSound();
        if (!profile.restoreConfusesSubpages()) {
            Huge.assertContents(emulation, 0, PAGES, 0);
        }
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("headOnly")
    void shouldConvertTheWholeFolioWithItsFirstPage(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));

        final long made = make(emulation, 0);

        assertThat(made).isEqualTo(folio);
        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.CLEAR, 0, PAGES, 0),
                        new Event(NotifierEvent.EXCLUSIVE, 0, PAGES, OWNER));
        assertThat(emulation.kind(511)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(emulation.frames.folioMapCount(folio)).isZero();
        assertThat(emulation.frames.refCount(folio)).isEqualTo(PAGES + 1);
        MomentChecks.afterMake(emulation.cpu, emulation.space, addr(0), made).orThrow();
        giveBack(emulation, made);
        emulation.assertSound();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("headOnly")
    void shouldRefuseTheOtherPages(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();

        assertThat(make(emulation, 1)).isEqualTo(ExclusiveMaker.NULL_SLOT);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0)); // the split stays
        assertThat(emulation.kind(1)).isEqualTo(PteKind.PRESENT);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }

    /** The first page again, its neighbours still converted: they have no mapping left that could spoil it. */
    @ParameterizedTest
    @MethodSource("headOnly")
    void shouldMakeTheFirstPageAgainAmongOrphans(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        giveBack(emulation, make(emulation, 0));
        emulation.load(0);

        final long made = make(emulation, 0);

        assertThat(made).isNotEqualTo(ExclusiveMaker.NULL_SLOT);
        giveBack(emulation, made);
        // A neighbour that was restored is mapped again, and behind the first orphan the walk does not reach it.
        emulation.load(0);
        emulation.load(9);
        assertThat(make(emulation, 0)).isEqualTo(ExclusiveMaker.NULL_SLOT);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        emulation.assertSound();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldMakeAnyPageAndLeaveItsNeighbours() {
        final Emulation emulation = Huge.written(SemanticProfile.K615, 1);
        final List<Event> events = emulation.record();
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));

        final long made = make(emulation, 5);

        assertThat(made).isEqualTo(folio + 5);
        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.CLEAR, 0, PAGES, 0), new Event(NotifierEvent.EXCLUSIVE, 5, 6, OWNER));
        assertThat(emulation.kind(4)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.kind(5)).isEqualTo(PteKind.DEVICE_EXCLUSIVE);
        assertThat(emulation.frames.mapCount(made)).isEqualTo(1);
        MomentChecks.afterMake(emulation.cpu, emulation.space, addr(5), made).orThrow();
        // One lock for all of them: that of the folio.
        assertThat(emulation.platform.pageLock().isLocked(folio)).isTrue();
        giveBack(emulation, made);
        Huge.assertContents(emulation, 0, PAGES, 0);
        assertThat(emulation.isWritable(5)).isTrue();
        Huge.assertNothingIsLeft(emulation);
    }

    /** The VMA was cut after the page was mapped: the event ends with the VMA, and each VMA gets one of its own. */
    @ParameterizedTest
    @MethodSource("headOnly")
    void shouldCutTheEventAtTheVma(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        emulation.protect(256, 256, 0);
        emulation.protect(256, 256, READ);
        final List<Event> events = emulation.record();

        final long made = make(emulation, 0);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.EXCLUSIVE, 0, 256, OWNER),
                        new Event(NotifierEvent.EXCLUSIVE, 256, PAGES, OWNER));
        assertThat(emulation.kind(255)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(emulation.kind(256)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
        giveBack(emulation, made);
        emulation.assertSound();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    /** B19's scenario: what another device maps of the folio's other pages goes with the conversion. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRevokeOtherDevicesFromEveryPageItConverts(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle first = emulation.open(0);
        final MirrorHandle second = emulation.open(1);
        assertThat(first.read(emulation.cpu, addr(2), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
        final long vpn = addr(2) / PAGE;
        assertThat(first.table().nextValid(vpn, vpn + 1)).isEqualTo(vpn);

        assertThat(exclusive(emulation, second, 0, 1)).isEqualTo(Errno.OK);

        assertThat(emulation.kind(2).isDeviceExclusive()).isEqualTo(!profile.makeOnePage());
        assertThat(first.table().nextValid(vpn, vpn + 1)).isEqualTo(vpn + 1);
        emulation.assertSound();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestorePagesOneByOneUnderTheFoliosLock(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle device = emulation.open(0);
        exclusive(emulation, device, 0, 1);
        final boolean all = !profile.makeOnePage();
        final List<Event> events = emulation.record();

        assertThat(emulation.load(0)).isZero();

        assertThat(events).containsExactly(new Event(profile.restoreEvent(), 0, 1, 0));
        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.kind(1).isDeviceExclusive()).isEqualTo(all);
        emulation.assertSound();
    }

    @ParameterizedTest
    @MethodSource("headOnly")
    void shouldRestoreAllPagesAtFork(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        giveBack(emulation, make(emulation, 0));

        final Process child = emulation.fork();

        MomentChecks.afterFork(emulation.cpu, emulation.space, child.space()).orThrow();
        assertThat(emulation.frames.mapCount(emulation.frame(100))).isEqualTo(2);
        emulation.assertSound();
        child.exit(emulation.cpu);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldDropExclusivePagesOfALargeFolio(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        giveBack(emulation, make(emulation, 0));

        assertThat(emulation.process.munmap(emulation.cpu, addr(0), PAGES * PAGE))
                .isEqualTo(Errno.OK);

        assertThat(emulation.platform.allocator().inUse()).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- the early series: the head where the page was meant --------------------------------------------------

    /** Make of page 5 hands out page 0: the device reads another page's contents. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldShowTheDeviceTheWrongPageInTheEarlySeries(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        emulation.store(0, 1234);
        final MirrorHandle device = emulation.open(0);

        final Errno errno = exclusive(emulation, device, 5, 1);

        if (profile.makeConfusesSubpages()) {
            assertThat(errno).isEqualTo(Errno.OK);
            assertThat(mirrored(0)).as("page 5 for the device").isEqualTo(1234);
        } else if (profile.makeOnePage()) {
            assertThat(mirrored(0)).isEqualTo(5);
        } else {
            assertThat(errno).isEqualTo(Errno.EBUSY);
        }
    }

    /** Restore of page 5 maps page 0 there: the CPU reads another page's contents, and its own are lost. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestoreTheWrongPageInTheFirstSeries(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        emulation.store(0, 1234);
        giveBack(emulation, make(emulation, 0));

        final long seen = emulation.load(5);

        assertThat(seen).isEqualTo(profile.restoreConfusesSubpages() ? 1234 : 5);
        if (!profile.restoreConfusesSubpages()) {
            Huge.assertNothingIsLeft(emulation);
            return;
        }
        // The referee sees it too: an exclusive page that is mapped elsewhere.
        assertThat(emulation.frame(5)).isEqualTo(emulation.frame(0));
        assertThat(new InvariantChecker(emulation.machine)
                        .atQuiescence(emulation.cpu)
                        .violations())
                .singleElement()
                .asString()
                .contains("I17");
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);
        assertThat(emulation.platform.allocator().inUse())
                .as("the counts balance all the same")
                .isZero();
    }
}
