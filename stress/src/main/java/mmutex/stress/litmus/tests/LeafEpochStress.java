package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.LeafHint;
import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.stress.litmus.support.Slab;
import mmutex.sync.AccessWindow;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * {@code ORDER(leaf-epoch)}: a hint leads to a leaf table only in windows that were opened before the shoot-down which
 * precedes the table's reuse.
 */
@JCStressTest
@Description("A CPU stores through a leaf table that it remembers, while the table is detached and the CPU drained.")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "detached first: the hint was not believed")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the store came first, and was waited for")
@Outcome(expect = FORBIDDEN, desc = "a store into a table that may be in use again: ORDER(leaf-epoch)")
@State
public class LeafEpochStress {
    private static final int INDEX_BITS = 3;
    private static final int LEVELS = 2;
    private static final long EMPTY = 0x77;
    private static final long PAGE = 13;
    private static final TableArena TABLES = new TableArena(INDEX_BITS + 3, 8L * Slab.PLACES);

    private final RadixTable radix = new RadixTable(TABLES, LEVELS, INDEX_BITS, EMPTY);
    private final mmutex.sync.Actor unmapper = new mmutex.sync.Actor(1, "unmapper");
    private final AccessWindow window = new AccessWindow();
    private final AccessWindow[] windows = {window};
    private final LeafHint hint = new LeafHint();
    private final long slot = radix.slotOrCreate(PAGE);
    private long detached;

    public LeafEpochStress() {
        radix.slot(PAGE, hint);
    }

    @Actor
    public void cpu(final II_Result r) {
        window.open();
        final long found = radix.slot(PAGE, hint);
        if (found != RadixTable.NO_SLOT) {
            TABLES.entries().storeOpaque(found, 1);
            r.r1 = 1;
        }
        window.close();
    }

    @Actor
    public void unmapper(final II_Result r) {
        detached = radix.detachRange(0, radix.pageLimit());
        AccessWindow.drainAll(unmapper, windows);
        r.r2 = TABLES.entries().loadOpaque(slot) == EMPTY ? 0 : 1;
    }

    @Arbiter
    public void free() {
        TABLES.freeChain(detached);
        TABLES.freeChain(radix.detachAll());
    }
}
