package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import mmutex.memory.Words;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Twin of {@code FreeListStress}: a stack of items without the tag that moves with every change. */
public final class WrongFreeList {
    private static final int ITEMS = 8;
    private static final Words WORDS = Slab.words();

    private WrongFreeList() {}

    /** ABA: the head is the same again, what lies under it is not. */
    @JCStressTest
    @Twin(
            breaks = {"frame-free-list", "table-free-list"},
            shows = BY_INTERLEAVING)
    @Description("Pops from a free list whose head carries no tag.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "as it should be")
    @Outcome(
            id = {"0, 0", "0, 1", "1, 0"},
            expect = ACCEPTABLE_INTERESTING,
            desc = "an item had two owners, or was lost")
    @State
    public static class WithoutTag {
        private final long head = Slab.offset(Slab.next());
        private final long links = head + Slab.FAR;
        private final int[] owners = new int[ITEMS + 1];

        public WithoutTag() {
            for (int item = 1; item <= ITEMS; item++) {
                push(item);
            }
        }

        @Actor
        public void first(final II_Result r) {
            r.r1 = turns(1);
        }

        @Actor
        public void second(final II_Result r) {
            r.r2 = turns(2);
        }

        /** Two pops and a push, then a pop again, as in the test of the real lists. */
        private int turns(final int actor) {
            final int a = pop();
            boolean good = take(a, actor);
            final int b = pop();
            good &= take(b, actor);
            good &= release(a, actor);
            push(a);
            final int c = pop();
            good &= take(c, actor);
            good &= release(b, actor);
            push(b);
            good &= release(c, actor);
            push(c);
            return good ? 1 : 0;
        }

        private boolean take(final int item, final int actor) {
            final boolean free = item != 0 && owners[item] == 0;
            owners[item] = actor;
            return free;
        }

        private boolean release(final int item, final int actor) {
            final boolean own = owners[item] == actor;
            owners[item] = 0;
            return own;
        }

        private void push(final int item) {
            long seen;
            do { // bounded: a failure means that the other actor's change succeeded
                seen = WORDS.loadVolatile(head);
                WORDS.storeOpaque(links + (long) item * Long.BYTES, seen);
            } while (!WORDS.compareAndSet(head, seen, item));
        }

        private int pop() {
            long seen;
            do { // as above
                seen = WORDS.loadVolatile(head);
                if (seen == 0) {
                    return 0;
                }
            } while (!WORDS.compareAndSet(head, seen, WORDS.loadOpaque(links + seen * Long.BYTES)));
            return (int) seen;
        }
    }
}
