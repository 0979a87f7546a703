package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MappedWalkTest {
    private static final long PFN = 9;

    private final MmFixture mm = new MmFixture();
    private final PteEncoding encoding = mm.platform.encoding();
    private final MappedWalk walk = new MappedWalk();
    private Vma vma;
    private long slot;

    @BeforeEach
    void map() {
        vma = mm.map(10, 20, READ_WRITE);
        slot = mm.space.pageTable().slotOrCreate(12 * PAGE);
    }

    private boolean find() {
        return walk.find(mm.task, vma, PFN, 12);
    }

    private void assertNothingIsHeld() {
        assertThat(mm.platform.pteLock().isLocked(slot)).isFalse();
    }

    @Test
    void shouldFindAPresentEntryAndHoldItsLock() {
        final long pte = encoding.present(PFN, vma.protection());
        mm.space.pageTable().store(slot, pte);

        assertThat(find()).isTrue();

        assertThat(walk.addr()).isEqualTo(12 * PAGE);
        assertThat(walk.slot()).isEqualTo(slot);
        assertThat(walk.pte()).isEqualTo(pte);
        assertThat(mm.platform.pteLock().isLocked(slot)).isTrue();
        walk.release(mm.task);
        assertNothingIsHeld();
    }

    @ParameterizedTest
    @EnumSource(
            value = PteKind.class,
            names = {"DEVICE_EXCLUSIVE_WRITE", "DEVICE_EXCLUSIVE_READ", "DEVICE_PRIVATE_WRITE", "DEVICE_PRIVATE_READ"})
    void shouldFindSpecialEntriesThatMapTheFrame(final PteKind kind) {
        mm.space.pageTable().store(slot, encoding.frameEntry(kind, PFN));
        assertThat(find()).isTrue();
        walk.release(mm.task);

        mm.space.pageTable().store(slot, encoding.frameEntry(kind, PFN + 1));
        assertThat(find()).isFalse();
        assertNothingIsHeld();
    }

    @ParameterizedTest
    @EnumSource(
            value = PteKind.class,
            names = {"MIGRATION_WRITE", "MIGRATION_READ", "HWPOISON"})
    void shouldPassOverEntriesThatOnlyNameTheFrame(final PteKind kind) {
        mm.space.pageTable().store(slot, encoding.frameEntry(kind, PFN));

        assertThat(find()).isFalse();
        assertNothingIsHeld();
    }

    @ParameterizedTest
    @EnumSource(
            value = PteKind.class,
            names = {"MIGRATION_WRITE", "MIGRATION_READ_EXCLUSIVE", "MIGRATION_READ"})
    void shouldFindMigrationEntriesIfAskedForThem(final PteKind kind) {
        mm.space.pageTable().store(slot, encoding.frameEntry(kind, PFN));
        assertThat(walk.findMigration(mm.task, vma, PFN, 12)).isTrue();
        assertThat(walk.pte()).isEqualTo(encoding.frameEntry(kind, PFN));
        walk.release(mm.task);

        mm.space.pageTable().store(slot, encoding.frameEntry(kind, PFN + 1));
        assertThat(walk.findMigration(mm.task, vma, PFN, 12)).isFalse();
        assertNothingIsHeld();
    }

    /** Up to 6.14 exclusive entries pass for migration entries; mappings never do. */
    @Test
    void shouldTakeExclusiveEntriesForMigrationEntriesAsTheProfileDoes() {
        mm.space.pageTable().store(slot, encoding.frameEntry(PteKind.DEVICE_EXCLUSIVE_WRITE, PFN));
        assertThat(walk.findMigration(mm.task, vma, PFN, 12))
                .isEqualTo(mm.platform.profile().migrationWalkAcceptsExclusive())
                .isTrue();
        walk.release(mm.task);

        mm.space.pageTable().store(slot, encoding.present(PFN, vma.protection()));
        assertThat(walk.findMigration(mm.task, vma, PFN, 12)).isFalse();
        mm.space.pageTable().store(slot, encoding.frameEntry(PteKind.DEVICE_PRIVATE_WRITE, PFN));
        assertThat(walk.findMigration(mm.task, vma, PFN, 12)).isFalse();
        assertNothingIsHeld();
    }

    @Test
    void shouldPassOverOtherFramesEmptyEntriesAndMissingTables() {
        assertThat(find()).isFalse();
        mm.space.pageTable().store(slot, encoding.present(PFN + 1, vma.protection()));
        assertThat(find()).isFalse();
        assertThat(walk.find(mm.task, mm.map(100_000, 100_010, READ_WRITE), PFN, 100_000))
                .isFalse();
        assertNothingIsHeld();
    }
}
