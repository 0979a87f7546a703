package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLongArray;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class RadixTableTest {
    private static final int LEVELS = 4;
    private static final int BITS = 9;
    private static final long LEAF = 1L << BITS;
    private static final long LIMIT = 1L << LEVELS * BITS;
    private static final long EMPTY = 0x55;

    private final TableArena arena = new TableArena(BITS + 3, 512);
    private final RadixTable radix = new RadixTable(arena, LEVELS, BITS, EMPTY);

    @Test
    void shouldDescribeItsShape() {
        assertThat(radix.levels()).isEqualTo(LEVELS);
        assertThat(radix.pageLimit()).isEqualTo(LIMIT);
        assertThat(radix.pagesPerEntry(0)).isEqualTo(1);
        assertThat(radix.pagesPerEntry(1)).isEqualTo(512);
        assertThat(radix.pagesPerEntry(3)).isEqualTo(1L << 27);
    }

    @Test
    void shouldHaveNoSlotBeforeOneIsCreated() {
        assertThat(radix.slot(0)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(radix.slot(LIMIT - 1)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(arena.inUse()).isEqualTo(1);
    }

    @Test
    void shouldCreateOneTablePerLevelAndFindTheSlotAgain() {
        final long slot = radix.slotOrCreate(12345);

        assertThat(arena.inUse()).isEqualTo(LEVELS);
        assertThat(radix.slot(12345)).isEqualTo(slot);
        assertThat(radix.slotOrCreate(12345)).isEqualTo(slot);
        assertThat(arena.inUse()).isEqualTo(LEVELS);
        assertThat(arena.entries().load(slot)).isEqualTo(EMPTY);
    }

    @Test
    void shouldRememberALeafTableUntilATableLeaves() {
        final LeafHint hint = new LeafHint();
        assertThat(radix.slot(LEAF, hint)).isEqualTo(RadixTable.NO_SLOT);
        final long slot = radix.slotOrCreate(LEAF);
        assertThat(radix.slot(LEAF, hint)).isEqualTo(slot);
        assertThat(radix.slot(LEAF + 5, hint)).isEqualTo(slot + 5 * Long.BYTES);
        assertThat(radix.slot(0, hint)).as("another table's page").isEqualTo(RadixTable.NO_SLOT);

        // Elsewhere, then here.
        radix.slotOrCreate(4 * LEAF);
        arena.freeChain(radix.detachRange(4 * LEAF, 5 * LEAF));
        assertThat(radix.slot(LEAF, hint)).isEqualTo(slot);
        arena.freeChain(radix.detachRange(LEAF, 2 * LEAF));
        assertThat(radix.slot(LEAF, hint)).isEqualTo(RadixTable.NO_SLOT);
    }

    @Test
    void shouldNotTakeAnotherTreesHint() {
        final RadixTable other = new RadixTable(arena, LEVELS, BITS, EMPTY);
        final LeafHint hint = new LeafHint();
        final long slot = radix.slotOrCreate(7);
        assertThat(radix.slot(7, hint)).isEqualTo(slot);
        assertThat(other.slot(7, hint)).isEqualTo(RadixTable.NO_SLOT);
        final long otherSlot = other.slotOrCreate(7);
        assertThat(other.slot(7, hint)).isEqualTo(otherSlot).isNotEqualTo(slot);
        assertThat(radix.slot(7, hint)).isEqualTo(slot);
    }

    @Test
    void shouldPutNeighbouringPagesBesideEachOther() {
        final long slot = radix.slotOrCreate(LEAF);

        assertThat(radix.slot(LEAF + 1)).isEqualTo(slot + Long.BYTES);
        assertThat(radix.slot(2 * LEAF - 1)).isEqualTo(slot + (LEAF - 1) * Long.BYTES);
        assertThat(radix.slot(LEAF - 1)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(radix.slot(2 * LEAF)).isEqualTo(RadixTable.NO_SLOT);
    }

    @Test
    void shouldMapTheFirstAndTheLastPage() {
        final long first = radix.slotOrCreate(0);
        final long last = radix.slotOrCreate(LIMIT - 1);

        assertThat(first).isNotEqualTo(last);
        assertThat(radix.slot(LIMIT - 1)).isEqualTo(last);
        assertThat(arena.inUse()).isEqualTo(2 * LEVELS - 1);
    }

    @Test
    void shouldReportAFullArenaAndStayUsable() {
        final TableArena small = new TableArena(BITS + 3, LEVELS + 2); // table 0 and room for one path and one table
        final RadixTable tree = new RadixTable(small, LEVELS, BITS, EMPTY);
        final long slot = tree.slotOrCreate(0);

        assertThat(slot).isNotEqualTo(RadixTable.NO_SLOT);
        assertThat(tree.slotOrCreate(LIMIT - 1)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(tree.slot(LIMIT - 1)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(tree.slot(0)).isEqualTo(slot);

        small.freeChain(tree.detachAll());
        assertThat(small.inUse()).isZero();
    }

    @Test
    void shouldStayEmptyWithoutRoomForItsRoot() {
        final TableArena full = new TableArena(BITS + 3, 2);
        final long other = full.allocate(0);

        final RadixTable rootless = new RadixTable(full, LEVELS, BITS, EMPTY);

        assertThat(rootless.hasRoot()).isFalse();
        assertThat(rootless.slot(0)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(rootless.slotOrCreate(0)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(rootless.nextPopulated(0, rootless.pageLimit())).isEqualTo(rootless.pageLimit());
        assertThat(rootless.detachAll()).isEqualTo(TableArena.NO_TABLE);
        full.free(other);
        assertThat(full.inUse()).isZero();
        // Now there is room for a root, if for nothing else.
        assertThat(rootless.slotOrCreate(0)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(rootless.hasRoot()).isTrue();
        full.freeChain(rootless.detachAll());
        assertThat(full.inUse()).isZero();
    }

    @Test
    void shouldFindTheNextPopulatedLeaf() {
        radix.slotOrCreate(5 * LEAF + 17);

        assertThat(radix.nextPopulated(0, LIMIT)).isEqualTo(5 * LEAF);
        assertThat(radix.nextPopulated(5 * LEAF, LIMIT)).isEqualTo(5 * LEAF);
        assertThat(radix.nextPopulated(5 * LEAF + 100, LIMIT)).isEqualTo(5 * LEAF + 100);
        assertThat(radix.nextPopulated(6 * LEAF, LIMIT)).isEqualTo(LIMIT);
        assertThat(radix.nextPopulated(0, 5 * LEAF)).isEqualTo(5 * LEAF);
        assertThat(radix.nextPopulated(0, 3)).isEqualTo(3);
        assertThat(radix.nextPopulated(9, 9)).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource({"0, 512", "511, 512", "512, 1000", "999, 1000"})
    void shouldEndALeafAtItsBoundaryOrAtTheEnd(final long vpn, final long expected) {
        assertThat(radix.leafEnd(vpn, 1000)).isEqualTo(expected);
    }

    @Test
    void shouldEndAnEntryAtItsBoundaryOrAtTheEnd() {
        assertThat(radix.entryEnd(5, 0, LIMIT)).isEqualTo(6);
        assertThat(radix.entryEnd(5, 1, LIMIT)).isEqualTo(512);
        assertThat(radix.entryEnd(512, 1, LIMIT)).isEqualTo(1024);
        assertThat(radix.entryEnd(1, 2, LIMIT)).isEqualTo(1L << 18);
        assertThat(radix.entryEnd(1, 2, 77)).isEqualTo(77);
        assertThat(radix.entryEnd(LIMIT - 1, 3, LIMIT)).isEqualTo(LIMIT);
    }

    @Test
    void shouldTellPopulationOfEachLevel() {
        radix.slotOrCreate(0);

        assertThat(radix.isPopulated(1, 1)).isTrue();
        assertThat(radix.isPopulated(LEAF, 1)).isFalse();
        assertThat(radix.isPopulated(LEAF, 2)).isTrue();
        assertThat(radix.isPopulated(1L << 18, 2)).isFalse();
        assertThat(radix.isPopulated(1L << 18, 3)).isTrue();
        assertThat(radix.isPopulated(1L << 27, 3)).isFalse();
    }

    @Test
    void shouldDetachOnlyTablesThatLieWhollyInside() {
        radix.slotOrCreate(0);
        radix.slotOrCreate(LEAF);
        radix.slotOrCreate(2 * LEAF);
        final long before = arena.inUse();

        arena.freeChain(radix.detachRange(1, 3 * LEAF - 1)); // cuts the first and the last leaf

        assertThat(arena.inUse()).isEqualTo(before - 1);
        assertThat(radix.slot(0)).isNotEqualTo(RadixTable.NO_SLOT);
        assertThat(radix.slot(LEAF)).isEqualTo(RadixTable.NO_SLOT);
        assertThat(radix.slot(2 * LEAF)).isNotEqualTo(RadixTable.NO_SLOT);
    }

    @Test
    void shouldDetachUpperTablesToo() {
        final long middle = 1L << 18; // its level-1 table covers [2^18, 2^19)
        radix.slotOrCreate(0);
        radix.slotOrCreate(middle);
        final long before = arena.inUse();

        arena.freeChain(radix.detachRange(middle, 2 * middle));

        assertThat(arena.inUse()).isEqualTo(before - 2);
        assertThat(radix.isPopulated(middle, 2)).isFalse();
        assertThat(radix.slot(0)).isNotEqualTo(RadixTable.NO_SLOT);
    }

    @Test
    void shouldDetachNothingFromAnEmptyRange() {
        radix.slotOrCreate(0);

        assertThat(radix.detachRange(LEAF, LIMIT)).isEqualTo(TableArena.NO_TABLE);
        assertThat(radix.detachRange(0, 0)).isEqualTo(TableArena.NO_TABLE);
        assertThat(radix.detachRange(0, LEAF - 1)).isEqualTo(TableArena.NO_TABLE);
        assertThat(radix.slot(0)).isNotEqualTo(RadixTable.NO_SLOT);
    }

    @Test
    void shouldDetachEverythingAndTheRoot() {
        radix.slotOrCreate(0);
        radix.slotOrCreate(LIMIT - 1);
        radix.slotOrCreate(LIMIT / 2);

        arena.freeChain(radix.detachAll());

        assertThat(arena.inUse()).isZero();
    }

    /** Random inserts, stores and detaches against a map of pages and a set of leaf tables. */
    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void shouldBehaveLikeAMap(final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final TreeMap<Long, Long> model = new TreeMap<>();
        final TreeSet<Long> leaves = new TreeSet<>();
        for (int i = 0; i < 1_500; i++) {
            final long vpn = randomPage(random);
            final int choice = random.nextInt(100);
            if (choice < 60) {
                if (leaves.size() < 100) {
                    final long value = random.nextLong();
                    arena.entries().store(radix.slotOrCreate(vpn), value);
                    model.put(vpn, value);
                    leaves.add(vpn / LEAF);
                }
            } else if (choice < 65) {
                final long other = randomPage(random);
                final long floor = Math.min(vpn, other);
                final long ceiling = Math.max(vpn, other) + 1;
                arena.freeChain(radix.detachRange(floor, ceiling));
                leaves.removeIf(leaf -> leaf * LEAF >= floor && (leaf + 1) * LEAF <= ceiling);
                model.keySet().removeIf(page -> !leaves.contains(page / LEAF));
            } else if (choice < 90) {
                final long slot = radix.slot(vpn);
                if (leaves.contains(vpn / LEAF)) {
                    assertThat(arena.entries().load(slot))
                            .as("seed=%d, step=%d, vpn=%d", seed, i, vpn)
                            .isEqualTo(model.getOrDefault(vpn, EMPTY));
                } else {
                    assertThat(slot)
                            .as("seed=%d, step=%d, vpn=%d", seed, i, vpn)
                            .isEqualTo(RadixTable.NO_SLOT);
                }
            } else {
                final long end = Math.min(LIMIT, vpn + random.nextLong(1L << 20));
                final Long leaf = leaves.ceiling(vpn / LEAF);
                final long expected = leaf == null ? end : Math.min(end, Math.max(vpn, leaf * LEAF));
                assertThat(radix.nextPopulated(vpn, end))
                        .as("seed=%d, step=%d, vpn=%d", seed, i, vpn)
                        .isEqualTo(expected);
            }
        }
        arena.freeChain(radix.detachAll());
        assertThat(arena.inUse()).isZero();
    }

    /** Mostly in clusters, so that tables are shared; sometimes anywhere. */
    private static long randomPage(final SplittableRandom random) {
        switch (random.nextInt(3)) {
            case 0:
                return random.nextLong(4 * LEAF);
            case 1:
                return (1L << 27) - 2 * LEAF + random.nextLong(4 * LEAF);
            default:
                return random.nextLong(LIMIT);
        }
    }

    /** ORDER(table-publish): whoever comes second uses the first one's table; no table is lost or doubled. */
    @Test
    void shouldAgreeOnOneTableWhenThreadsCreateItTogether() throws InterruptedException {
        final int threads = 4;
        final int pages = 60;
        final AtomicLongArray slots = new AtomicLongArray(threads * pages);
        final Crew crew = new Crew();
        crew.startTogether(threads, number -> {
            for (int i = 0; i < pages; i++) {
                final long slot = radix.slotOrCreate(i * LEAF + number);
                assertThat(arena.entries().loadAcquire(slot)).isEqualTo(EMPTY);
                slots.set(number * pages + i, slot);
            }
        });
        crew.join();

        for (int i = 0; i < pages; i++) {
            for (int number = 1; number < threads; number++) {
                assertThat(slots.get(number * pages + i)).isEqualTo(slots.get(i) + (long) number * Long.BYTES);
            }
        }
        assertThat(arena.inUse()).isEqualTo(LEVELS - 1 + pages);
    }
}
