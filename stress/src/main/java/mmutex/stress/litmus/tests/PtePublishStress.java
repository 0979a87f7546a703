package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.layout.PteEncoding;
import mmutex.memory.Words;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(pte-publish)}: what an entry leads to is initialised before the entry can be seen (O1, O2). */
public final class PtePublishStress {
    private static final int PAGE_SHIFT = 12;
    private static final AddressSpace SPACE = new AddressSpace(1, World.PLATFORM);
    private static final PageTable TABLE = SPACE.pageTable();
    private static final PteEncoding ENCODING = SPACE.encoding();
    private static final long ENTRY = World.presentEntry(1);
    private static final Words CONTENTS = Slab.words();

    private PtePublishStress() {}

    private static int contentsSeen(final long slot, final long word) {
        return ENCODING.isPresent(TABLE.load(slot)) ? (int) CONTENTS.loadOpaque(word) : -1;
    }

    /** An entry that is stored over an empty one. */
    @JCStressTest
    @Description("A first touch fills a frame and stores the entry; another CPU walks there.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "no entry yet")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the entry, and the frame's contents")
    @Outcome(expect = FORBIDDEN, desc = "the entry was seen before the contents: ORDER(pte-publish)")
    @State
    public static class Store {
        private final int place = Slab.next();
        private final long slot = TABLE.slotOrCreate((long) place << PAGE_SHIFT);
        private final long word = Slab.offset(place);

        public Store() {
            TABLE.store(slot, ENCODING.empty());
        }

        @Actor
        public void toucher() {
            CONTENTS.storeOpaque(word, 1);
            TABLE.store(slot, ENTRY);
        }

        @Actor
        public void walker(final I_Result r) {
            r.r1 = contentsSeen(slot, word);
        }
    }

    /** An entry that is changed by compare-and-set. */
    @JCStressTest
    @Description("As above, but the entry is changed by compare-and-set.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "no entry yet")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the entry, and the frame's contents")
    @Outcome(expect = FORBIDDEN, desc = "the entry was seen before the contents: ORDER(pte-publish)")
    @State
    public static class CompareAndSet {
        private final int place = Slab.next();
        private final long slot = TABLE.slotOrCreate((long) place << PAGE_SHIFT);
        private final long word = Slab.offset(place);

        public CompareAndSet() {
            TABLE.store(slot, ENCODING.empty());
        }

        @Actor
        public void toucher() {
            CONTENTS.storeOpaque(word, 1);
            TABLE.compareAndSet(slot, ENCODING.empty(), ENTRY);
        }

        @Actor
        public void walker(final I_Result r) {
            r.r1 = contentsSeen(slot, word);
        }
    }
}
