package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

/** Huge entries in a tree of 3 levels of 9 bits, and the tables put aside for them. */
@HangGuard
class HugeEntryTest {
    private static final long HUGE = 0x70001;
    private static final long PAGE = 3 * 512 + 17;

    private final TableArena arena = new TableArena(12, 64);
    private final RadixTable radix = new RadixTable(arena, 3, 9, 0);

    private long install() {
        final long upper = radix.upperSlotOrCreate(PAGE);
        assertThat(arena.entries().compareAndSet(upper, 0, HUGE)).isTrue();
        return upper;
    }

    @Test
    void shouldReportAHugeEntryByItsSlot() {
        final long upper = install();

        for (final long page : new long[] {3 * 512, PAGE, 4 * 512 - 1}) {
            final long slot = radix.slot(page);
            assertThat(RadixTable.isHuge(slot)).isTrue();
            assertThat(RadixTable.hugeSlot(slot)).isEqualTo(upper);
            assertThat(radix.slotOrCreate(page)).isEqualTo(slot);
        }
        assertThat(radix.slot(4 * 512)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(RadixTable.isHuge(RadixTable.NO_SLOT)).isFalse();
        assertThat(RadixTable.isHuge(radix.slotOrCreate(4 * 512))).isFalse();
    }

    @Test
    void shouldWalkOverHugeEntriesAsOverTables() {
        install();

        assertThat(radix.nextPopulated(0, 1 << 20)).isEqualTo(3 * 512);
        assertThat(radix.nextPopulated(PAGE, 1 << 20)).isEqualTo(PAGE);
        assertThat(radix.isPopulated(PAGE, 1)).isTrue();
        assertThat(radix.isPopulated(PAGE + 512, 1)).isFalse();
    }

    @Test
    void shouldFindNoUpperSlotWithoutTables() {
        assertThat(radix.upperSlot(PAGE)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(arena.inUse()).isEqualTo(1);
    }

    @Test
    void shouldLeaveANeighboursHugeEntryWhenTablesAreDetached() {
        install();
        radix.slotOrCreate(0);

        arena.freeChain(radix.detachRange(0, 3 * 512));

        assertThat(radix.slot(0)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(RadixTable.isHuge(radix.slot(PAGE))).isTrue();
    }

    @Test
    void shouldRunOutOfTables() {
        while (arena.allocate(0) != TableArena.NO_TABLE) {
            // all of them
        }

        assertThat(radix.upperSlotOrCreate(PAGE)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(radix.allocateLeaf()).isEqualTo(TableArena.NO_TABLE);
    }

    @Test
    void shouldKeepTablesPerUpperTable() {
        final long near = radix.upperSlotOrCreate(PAGE);
        final long far = radix.upperSlotOrCreate(1 << 18);
        final long first = radix.allocateLeaf();
        final long second = radix.allocateLeaf();
        final long third = radix.allocateLeaf();
        arena.deposit(near, first);
        arena.deposit(far, second);
        arena.deposit(near + 8, third);

        assertThat(arena.withdraw(far)).isEqualTo(second);
        assertThat(new long[] {arena.withdraw(near), arena.withdraw(near)}).containsExactlyInAnyOrder(first, third);
        assertThatThrownBy(() -> arena.withdraw(near)).hasMessageContaining("no table deposited");
    }

    /** Whoever wants a leaf gets one, or is told of the huge entry, but never that there is no room. */
    @Test
    void shouldPublishTablesWhileHugeEntriesComeAndGo() throws InterruptedException {
        final long upper = radix.upperSlotOrCreate(PAGE);
        final Crew crew = new Crew();
        crew.startTogether(2, number -> {
            for (int i = 0; i < 50_000; i++) {
                if (number == 0) {
                    if (arena.entries().compareAndSet(upper, 0, HUGE)) {
                        arena.entries().compareAndSet(upper, HUGE, 0);
                    }
                } else {
                    final long slot = radix.slotOrCreate(PAGE);
                    assertThat(slot).isNotEqualTo(RadixTable.NO_SLOT);
                    if (!RadixTable.isHuge(slot)) {
                        arena.entries().storeRelease(upper, 0);
                        arena.free(slot & -4096);
                    }
                }
            }
        });
        crew.join();

        assertThat(arena.inUse()).isEqualTo(2);
    }
}
