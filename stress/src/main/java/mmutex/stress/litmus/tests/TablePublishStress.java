package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;

/**
 * {@code ORDER(table-publish)}: whoever reaches a table finds its entries initialised, and all reach the same one. Tables
 * are used again and again here, so an uninitialised one shows what was in it before.
 */
public final class TablePublishStress {
    private static final int INDEX_BITS = 3;
    private static final int LEVELS = 2;
    private static final long EMPTY = 0x77;
    private static final long PAGE = 13;
    private static final TableArena TABLES = new TableArena(INDEX_BITS + 3, 8L * Slab.PLACES);

    private TablePublishStress() {}

    /** One creates, one looks. */
    @JCStressTest
    @Description("A look-up of a page while its leaf table is created.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "no table yet")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "a table, with all its entries empty")
    @Outcome(
            expect = FORBIDDEN,
            desc = "the table was reached before its entries were initialised: ORDER(table-publish)")
    @State
    public static class LookUpAgainstCreate {
        private final RadixTable radix = new RadixTable(TABLES, LEVELS, INDEX_BITS, EMPTY);

        @Actor
        public void walker(final I_Result r) {
            final long slot = radix.slot(PAGE);
            if (slot == RadixTable.NO_SLOT) {
                r.r1 = -1;
            } else {
                r.r1 = TABLES.entries().load(slot) == EMPTY ? 1 : 0;
            }
        }

        @Actor
        public void creator() {
            radix.slotOrCreate(PAGE);
        }

        @Arbiter
        public void dirtyAndFree() {
            TABLES.entries().store(radix.slot(PAGE), 0);
            TABLES.freeChain(radix.detachAll());
        }
    }

    /** Two create the same table. */
    @JCStressTest
    @Description("Two faults create the same leaf table and each stores an entry.")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "one table, both entries in it")
    @Outcome(expect = FORBIDDEN, desc = "two tables, of which one is lost, or one not empty: ORDER(table-publish)")
    @State
    public static class CreateAgainstCreate {
        private final RadixTable radix = new RadixTable(TABLES, LEVELS, INDEX_BITS, EMPTY);

        @Actor
        public void first() {
            store(PAGE, 1);
        }

        @Actor
        public void second() {
            store(PAGE + 1, 2);
        }

        private void store(final long page, final long value) {
            final long slot = radix.slotOrCreate(page);
            TABLES.entries().compareAndSet(slot, EMPTY, value);
        }

        @Arbiter
        public void lookAndFree(final JJ_Result r) {
            r.r1 = TABLES.entries().load(radix.slot(PAGE));
            r.r2 = TABLES.entries().load(radix.slot(PAGE + 1));
            TABLES.freeChain(radix.detachAll());
        }
    }
}
