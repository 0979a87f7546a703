package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerArray;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

@HangGuard
class TableArenaTest {
    private static final int TABLE_SHIFT = 12;
    private static final long TABLE = 1L << TABLE_SHIFT;
    private static final int TABLES = 16;
    /** Table 0 is never handed out. */
    private static final int USABLE = TABLES - 1;

    private final TableArena arena = new TableArena(TABLE_SHIFT, TABLES);

    @Test
    void shouldHandOutEveryTableOnceAndThenNone() {
        final Set<Long> seen = new HashSet<>();
        for (int i = 0; i < USABLE; i++) {
            final long table = arena.allocate(0);
            assertThat(table % TABLE).isZero();
            assertThat(table).isBetween(TABLE, (TABLES - 1) * TABLE);
            assertThat(seen.add(table)).isTrue();
        }

        assertThat(arena.allocate(0)).isEqualTo(TableArena.NO_TABLE);
        assertThat(arena.inUse()).isEqualTo(USABLE);
    }

    @Test
    void shouldFillATableWithItsEmptyEntry() {
        final long table = arena.allocate(7);
        final long neighbour = arena.allocate(0);

        for (long slot = table; slot < table + TABLE; slot += Long.BYTES) {
            assertThat(arena.entries().load(slot)).isEqualTo(7);
        }
        assertThat(arena.entries().load(neighbour)).isZero();
        assertThat(arena.entries().load(neighbour + TABLE - Long.BYTES)).isZero();
    }

    @Test
    void shouldEmptyARecycledTable() {
        final long table = arena.allocate(0);
        arena.entries().store(table + 8, -1);
        arena.free(table);

        assertThat(arena.allocate(0)).isEqualTo(table);
        assertThat(arena.entries().load(table + 8)).isZero();

        arena.free(table);
        assertThat(arena.allocate(5)).isEqualTo(table);
        assertThat(arena.entries().load(table + 8)).isEqualTo(5);
    }

    @Test
    void shouldKeepEntriesReadableWhileChained() {
        final long first = arena.allocate(1);
        final long second = arena.allocate(2);

        final long chain = arena.chain(first, arena.chain(second, TableArena.NO_TABLE));

        assertThat(chain).isEqualTo(first);
        assertThat(arena.entries().load(first)).isEqualTo(1);
        assertThat(arena.entries().load(second)).isEqualTo(2);
        assertThat(arena.inUse()).isEqualTo(2);

        arena.freeChain(chain);
        assertThat(arena.inUse()).isZero();
    }

    @Test
    void shouldFreeAnEmptyChain() {
        arena.freeChain(TableArena.NO_TABLE);

        assertThat(arena.inUse()).isZero();
    }

    @Test
    void shouldGiveEachTableALockWordOfItsOwn() {
        final long first = arena.allocate(0);
        final long second = arena.allocate(0);

        assertThat(arena.lockWord(first)).isEqualTo(arena.lockWord(first + TABLE - Long.BYTES));
        // Two cache lines apart, so that adjacent-line prefetching doesn't couple them.
        assertThat(Math.abs(arena.lockWord(second) - arena.lockWord(first))).isGreaterThanOrEqualTo(128);
    }

    @Test
    void shouldNeverHandATableToTwoThreads() throws InterruptedException {
        final AtomicIntegerArray holder = new AtomicIntegerArray(TABLES);
        final Crew crew = new Crew();
        crew.startTogether(4, number -> {
            final long[] mine = new long[5];
            for (int i = 0; i < 8_000; i++) {
                final int at = i % mine.length;
                if (mine[at] != TableArena.NO_TABLE) {
                    assertThat(holder.getAndSet((int) (mine[at] / TABLE), 0)).isEqualTo(number + 1);
                    arena.free(mine[at]);
                }
                mine[at] = arena.allocate(0);
                if (mine[at] != TableArena.NO_TABLE) {
                    assertThat(holder.getAndSet((int) (mine[at] / TABLE), number + 1))
                            .isZero();
                }
            }
            for (final long table : mine) {
                if (table != TableArena.NO_TABLE) {
                    holder.set((int) (table / TABLE), 0);
                    arena.free(table);
                }
            }
        });
        crew.join();

        assertThat(arena.inUse()).isZero();
        for (int i = 0; i < USABLE; i++) {
            assertThat(arena.allocate(0)).isNotEqualTo(TableArena.NO_TABLE);
        }
        assertThat(arena.allocate(0)).isEqualTo(TableArena.NO_TABLE);
    }
}
