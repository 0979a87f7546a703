package mmutex.hmm;

import static mmutex.hmm.HmmFlags.ERROR;
import static mmutex.hmm.HmmFlags.REQ_FAULT;
import static mmutex.hmm.HmmFlags.REQ_WRITE;
import static mmutex.hmm.HmmFlags.VALID;
import static mmutex.hmm.HmmFlags.WRITE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.change.DeviceMigration;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class RangeFaulterTest {
    private static final long PAGE = Emulation.PAGE;
    private static final int PAGES_MAX = 16;
    private static final long NO_REQUEST = 0;
    private static final long FAULT = REQ_FAULT;
    private static final long FAULT_WRITE = REQ_FAULT | REQ_WRITE;

    private final Emulation emulation = new Emulation();
    private final Task task = emulation.machine.newTask("driver");
    private final HmmRange range = new HmmRange(PAGES_MAX);
    private final IntervalSubscription subscription = new IntervalSubscription((actor, hit, notified, sequence) -> {
        hit.setSeq(sequence);
        return true;
    });

    @BeforeEach
    void subscribe() {
        emulation.space.insert(task, subscription, 0, emulation.space.addressLimit());
    }

    private Errno once(final long first, final long count, final long request, final long mask) {
        range.init(emulation.space, subscription, addr(first), addr(first + count), request, mask);
        range.sequence(subscription.readBegin(task));
        emulation.space.mmapLock().readLock(task);
        final Errno result = RangeFaulter.fault(task, range);
        emulation.space.mmapLock().readUnlock(task);
        return result;
    }

    private Errno once(final long first, final long count, final long request) {
        return once(first, count, request, 0);
    }

    // ---- the table of semantics 3.19
    // ----------------------------------------------------------------------------------

    /** Where a page can be. */
    private enum Place {
        NO_VMA,
        NO_ACCESS,
        DEVICE_MEMORY,
        NO_TABLE,
        NO_TABLE_READ_ONLY,
        UNTOUCHED,
        UNTOUCHED_READ_ONLY,
        PRESENT,
        PRESENT_READ_ONLY,
        PRESENT_SHARED,
        ZERO_PAGE,
        ZERO_PAGE_READ_ONLY,
        EXCLUSIVE,
        EXCLUSIVE_READ_ONLY,
        POISONED
    }

    private void arrange(final Place place) {
        switch (place) {
            case NO_VMA:
                break;
            case NO_ACCESS:
                emulation.mapWritten(0, 1).protect(0, 1, 0);
                break;
            case DEVICE_MEMORY:
                emulation.mapWritten(0, 1);
                addFlags(VmFlags.PFNMAP);
                break;
            case NO_TABLE:
                emulation.map(0, 1, READ_WRITE);
                break;
            case NO_TABLE_READ_ONLY:
                emulation.map(0, 1, READ);
                break;
            case UNTOUCHED:
                emulation.map(0, 2, READ_WRITE).store(1, 1);
                break;
            case UNTOUCHED_READ_ONLY:
                emulation.map(0, 2, READ).load(1);
                break;
            case PRESENT:
                emulation.mapWritten(0, 1);
                break;
            case PRESENT_READ_ONLY:
                emulation.mapWritten(0, 1).protect(0, 1, READ);
                break;
            case PRESENT_SHARED:
                emulation.mapWritten(0, 1).fork();
                break;
            case ZERO_PAGE:
                emulation.map(0, 1, READ_WRITE).load(0);
                break;
            case ZERO_PAGE_READ_ONLY:
                emulation.map(0, 1, READ).load(0);
                break;
            case EXCLUSIVE:
                makeExclusive();
                break;
            case EXCLUSIVE_READ_ONLY:
                makeExclusive();
                emulation.protect(0, 1, READ);
                break;
            default:
                emulation.mapWritten(0, 1);
                emulation
                        .space
                        .pageTable()
                        .store(
                                emulation.space.pageTable().slot(addr(0)),
                                emulation.encoding.frameEntry(PteKind.HWPOISON, 9));
        }
    }

    private void makeExclusive() {
        emulation.mapWritten(0, 1);
        emulation.open(0).exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[4096]));
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
    }

    private void addFlags(final long flags) {
        final Vma vma = emulation.space.vmas().lookup(addr(0));
        emulation.space.mmapLock().writeLock(task);
        emulation.space.editor().modify(task, vma, vma.start(), vma.end(), vma.flags() | flags);
        emulation.space.mmapLock().writeUnlock(task);
    }

    /** An outcome: flags if the request succeeds (EBUSY rounds not counted), else the errno. */
    private record Outcome(Errno errno, long flags) {}

    private static Outcome flags(final long flags) {
        return new Outcome(Errno.OK, flags);
    }

    private static final Outcome EFAULT = new Outcome(Errno.EFAULT, 0);
    private static final Outcome EPERM = new Outcome(Errno.EPERM, 0);

    private static Arguments row(final Place place, final Outcome none, final Outcome fault, final Outcome write) {
        return Arguments.of(place, none, fault, write);
    }

    // spotless:off
    private static Stream<Arguments> table() {
        return Stream.of(
            //  place                       no request            fault                 fault to write
            row(Place.NO_VMA,               flags(ERROR),         EFAULT,               EFAULT),
            row(Place.NO_ACCESS,            flags(ERROR),         EFAULT,               EFAULT),
            row(Place.DEVICE_MEMORY,        flags(ERROR),         EFAULT,               EFAULT),
            row(Place.NO_TABLE,             flags(0),             flags(VALID),         flags(VALID | WRITE)),
            row(Place.NO_TABLE_READ_ONLY,   flags(0),             flags(VALID),         EPERM),
            row(Place.UNTOUCHED,            flags(0),             flags(VALID),         flags(VALID | WRITE)),
            row(Place.UNTOUCHED_READ_ONLY,  flags(0),             flags(VALID),         EPERM),
            row(Place.PRESENT,              flags(VALID | WRITE), flags(VALID | WRITE), flags(VALID | WRITE)),
            row(Place.PRESENT_READ_ONLY,    flags(VALID),         flags(VALID),         EPERM),
            row(Place.PRESENT_SHARED,       flags(VALID),         flags(VALID),         flags(VALID | WRITE)),
            row(Place.ZERO_PAGE,            flags(VALID),         flags(VALID),         flags(VALID | WRITE)),
            row(Place.ZERO_PAGE_READ_ONLY,  flags(VALID),         flags(VALID),         EPERM),
            row(Place.EXCLUSIVE,            flags(0),             flags(VALID | WRITE), flags(VALID | WRITE)),
            row(Place.EXCLUSIVE_READ_ONLY,  flags(0),             flags(VALID),         EPERM),
            row(Place.POISONED,             flags(0),             EFAULT,               EFAULT));
    }
    // spotless:on

    @ParameterizedTest(name = "{0}")
    @MethodSource("table")
    void shouldAnswerAsTheTableSays(final Place place, final Outcome none, final Outcome fault, final Outcome write) {
        final long[] requests = {NO_REQUEST, FAULT, FAULT_WRITE};
        final Outcome[] outcomes = {none, fault, write};
        arrange(place);
        for (int i = 0; i < requests.length; i++) {
            final long before = emulation.pte(0);
            Errno result = once(0, 1, requests[i]);
            if (result == Errno.EBUSY) { // a copy or a restore moved the own sequence
                result = once(0, 1, requests[i]);
            }

            assertThat(result).as("request %d", i).isEqualTo(outcomes[i].errno());
            if (result == Errno.OK) {
                assertThat(range.pfn(0) & (VALID | WRITE | ERROR))
                        .as("request %d", i)
                        .isEqualTo(outcomes[i].flags());
                final boolean valid = (range.pfn(0) & VALID) != 0;
                assertThat(HmmFlags.frameNumber(range.pfn(0))).isEqualTo(valid ? emulation.frame(0) : 0);
            }
            if (requests[i] == NO_REQUEST || result != Errno.OK) {
                assertThat(emulation.pte(0)).as("request %d changes nothing", i).isEqualTo(before);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Place.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"POISONED", "DEVICE_MEMORY"})
    void shouldLeaveEverythingSoundWhateverIsAsked(final Place place) {
        for (final long request : new long[] {NO_REQUEST, FAULT, FAULT_WRITE}) {
            arrange(place);
            once(0, 1, request);
            emulation.assertSound();
            emulation.process.munmap(emulation.cpu, addr(0), 2 * PAGE);
        }
    }

    @Test
    void shouldReportTheZeroFrameAsItself() {
        arrange(Place.ZERO_PAGE);

        once(0, 1, NO_REQUEST);

        assertThat(HmmFlags.frameNumber(range.pfn(0))).isEqualTo(FrameAllocator.ZERO_FRAME);
    }

    // ---- the sequence
    // ---------------------------------------------------------------------------------------------------

    @Test
    void shouldSayBusyWhenTheRangeWasInvalidatedSinceTheSample() {
        emulation.mapWritten(0, 1);
        range.init(emulation.space, subscription, addr(0), addr(1), FAULT, 0);
        range.sequence(subscription.readBegin(task));
        final NotifierRange span = new NotifierRange().init(NotifierEvent.CLEAR, addr(0), addr(1));
        emulation.space.notifiers().start(task, span);
        emulation.space.notifiers().end(task, span);
        emulation.space.mmapLock().readLock(task);

        assertThat(RangeFaulter.fault(task, range)).isEqualTo(Errno.EBUSY);
        range.sequence(subscription.readBegin(task));
        assertThat(RangeFaulter.fault(task, range)).isEqualTo(Errno.OK);
        emulation.space.mmapLock().readUnlock(task);
    }

    /** R17: a fault on an exclusive entry moves the caller's own sequence: one round lost, the second succeeds. */
    @Test
    void shouldLoseOneRoundToARestore() {
        arrange(Place.EXCLUSIVE);
        final List<Event> events = emulation.record();

        assertThat(once(0, 1, FAULT)).isEqualTo(Errno.EBUSY);
        assertThat(events).containsExactly(new Event(NotifierEvent.EXCLUSIVE, 0, 1, 0));
        assertThat(once(0, 1, FAULT)).isEqualTo(Errno.OK);
        assertThat(emulation.isWritable(0)).isTrue();
    }

    /** First touches send no event, so they cost no round. */
    @Test
    void shouldLoseNoRoundToAFirstTouch() {
        emulation.map(0, 4, READ_WRITE);

        assertThat(once(0, 4, FAULT_WRITE)).isEqualTo(Errno.OK);
        emulation.assertCounts(3, 1, 1);
    }

    // ---- ranges
    // ---------------------------------------------------------------------------------------------------------

    @Test
    void shouldWalkOverMappingsAndHolesAlike() {
        emulation.mapWritten(0, 1);
        emulation.map(2, 2, READ);
        emulation.load(3);

        assertThat(once(0, 5, NO_REQUEST)).isEqualTo(Errno.OK);

        assertThat(range.pfn(0)).isEqualTo(emulation.frame(0) | VALID | WRITE);
        assertThat(range.pfn(1)).isEqualTo(ERROR);
        assertThat(range.pfn(2)).isZero();
        assertThat(range.pfn(3)).isEqualTo(FrameAllocator.ZERO_FRAME | VALID);
        assertThat(range.pfn(4)).isEqualTo(ERROR);
    }

    @Test
    void shouldCrossFromOneLeafTableIntoTheNext() {
        final long boundary = 512 - Emulation.BASE / PAGE % 512;
        emulation.map(boundary - 2, 4, READ_WRITE);
        emulation.store(boundary - 1, 1);

        assertThat(once(boundary - 2, 4, FAULT_WRITE)).isEqualTo(Errno.OK);

        for (int i = 0; i < 4; i++) {
            assertThat(range.pfn(i)).isEqualTo(emulation.frame(boundary - 2 + i) | VALID | WRITE);
        }
    }

    @Test
    void shouldFailAtTheFirstPageThatCannotBeHad() {
        emulation.map(0, 2, READ_WRITE);

        assertThat(once(0, 3, FAULT)).isEqualTo(Errno.EFAULT);

        assertThat(emulation.frame(0)).isEqualTo(FrameAllocator.ZERO_FRAME); // what came before was faulted in
    }

    /** Per page: the request of the page counts as far as the mask lets it, besides the default. */
    @Test
    void shouldHonourRequestsOfSinglePages() {
        emulation.mapWritten(0, 3);
        emulation.fork(); // all read-only now
        range.request(0, 0);
        range.request(1, FAULT_WRITE);
        range.request(2, 0);

        Errno result = once(0, 3, NO_REQUEST, FAULT_WRITE);
        assertThat(result).isEqualTo(Errno.EBUSY); // the copy
        range.request(0, 0);
        range.request(1, FAULT_WRITE);
        range.request(2, 0);
        result = once(0, 3, NO_REQUEST, FAULT_WRITE);

        assertThat(result).isEqualTo(Errno.OK);
        assertThat(range.pfn(0) & WRITE).isZero();
        assertThat(range.pfn(1) & WRITE).isEqualTo(WRITE);
    }

    @Test
    void shouldMaskRequestsOfSinglePages() {
        emulation.map(0, 1, READ_WRITE);
        range.request(0, FAULT_WRITE);
        assertThat(once(0, 1, NO_REQUEST, 0)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isZero();

        range.request(0, FAULT_WRITE);
        assertThat(once(0, 1, NO_REQUEST, FAULT)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isEqualTo(FrameAllocator.ZERO_FRAME | VALID);
    }

    /** Q12: everything from the failing page to the end of the chunk is faulted in with that page's request. */
    @Test
    void shouldOverFaultToTheEndOfTheChunk() {
        emulation.map(0, 6, READ_WRITE);
        emulation.store(0, 1);
        for (int i = 0; i < 4; i++) {
            range.request(i, i == 1 ? FAULT_WRITE : 0);
        }

        assertThat(once(0, 4, NO_REQUEST, FAULT_WRITE)).isEqualTo(Errno.OK);

        for (int page = 1; page < 4; page++) {
            assertThat(emulation.isWritable(page)).as("page %d", page).isTrue();
        }
        assertThat(emulation.pte(4)).isEqualTo(emulation.encoding.empty()); // outside of the range
        assertThat(task.minorFaults()).isEqualTo(3);
    }

    @Test
    void shouldReportExhaustedFramesAsAFault() {
        final Emulation small = new Emulation(SemanticProfile.K612, 16, 64);
        final Task driver = small.machine.newTask("driver");
        small.map(0, 16, READ_WRITE);
        small.space.insert(driver, subscription, 0, small.space.addressLimit());
        range.init(small.space, subscription, addr(0), addr(16), FAULT_WRITE, 0);
        range.sequence(subscription.readBegin(driver));
        small.space.mmapLock().readLock(driver);

        assertThat(RangeFaulter.fault(driver, range)).isEqualTo(Errno.EFAULT);
        small.space.mmapLock().readUnlock(driver);
        small.space.notifiers().remove(driver, subscription);
        small.assertNothingIsLeft();
    }

    // ---- pages in devices' memory, and on their way
    // --------------------------------------------------------------------

    private MirrorHandle inDevice(final long protection) {
        final MirrorHandle handle = emulation.open(0);
        emulation.mapWritten(0, 1);
        assertThat(handle.migrateToDevice(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
        if (protection != READ_WRITE) {
            emulation.protect(0, 1, protection);
        }
        return handle;
    }

    /** Q12: as it is, whatever was asked for. */
    @ParameterizedTest
    @ValueSource(longs = {NO_REQUEST, FAULT, FAULT_WRITE})
    void shouldReportPagesOfTheCallersDevice(final long request) {
        range.devicePrivateOwner(inDevice(READ_WRITE).device().owner());
        final long pfn = emulation.frame(0);

        assertThat(once(0, 1, request)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isEqualTo(pfn | VALID | WRITE);

        emulation.protect(0, 1, READ);
        assertThat(once(0, 1, request)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isEqualTo(pfn | VALID);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        emulation.space.notifiers().remove(task, subscription);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldBringBackPagesOfOtherDevices() {
        range.devicePrivateOwner(inDevice(READ_WRITE).device().owner() + 1);

        assertThat(once(0, 1, NO_REQUEST)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isZero();
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);

        assertThat(once(0, 1, FAULT)).isEqualTo(Errno.EBUSY); // its own sequence has moved
        assertThat(once(0, 1, FAULT)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isEqualTo(emulation.frame(0) | VALID | WRITE);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        emulation.space.notifiers().remove(task, subscription);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldRefuseToWriteAnotherDevicesPageInReadOnlyMemory() {
        inDevice(READ);

        assertThat(once(0, 1, FAULT_WRITE)).isEqualTo(Errno.EPERM);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        emulation.space.notifiers().remove(task, subscription);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldWaitForAPageOnItsWay() throws InterruptedException {
        emulation.mapWritten(0, 1);
        final Task mover = emulation.machine.newTask("mover");
        final DeviceMigration migration = new DeviceMigration(1);
        emulation.space.mmapLock().readLock(mover);
        final Vma vma = emulation.space.vmas().lookup(addr(0));
        assertThat(migration.setup(mover, vma, addr(0), addr(1), 9, DeviceMigration.Selection.SYSTEM))
                .isEqualTo(Errno.OK);

        assertThat(once(0, 1, NO_REQUEST)).isEqualTo(Errno.OK);
        assertThat(range.pfn(0)).isZero();
        final Crew crew = new Crew();
        crew.start("hmm", () -> assertThat(once(0, 1, FAULT)).isEqualTo(Errno.OK));
        while (!emulation.frames.has(migration.source(0), FrameTable.WAITERS)) {
            Thread.yield();
        }
        migration.commit(mover);
        migration.finish(mover);
        emulation.space.mmapLock().readUnlock(mover);
        crew.join();

        assertThat(range.pfn(0)).isEqualTo(emulation.frame(0) | VALID | WRITE);
        emulation.space.notifiers().remove(task, subscription);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldKnowItsCapacity() {
        assertThat(range.pagesMax()).isEqualTo(PAGES_MAX);
        range.sequence(7);
        assertThat(range.sequence()).isEqualTo(7);
    }
}
