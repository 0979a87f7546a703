package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.Words;
import mmutex.stress.litmus.support.Slab;
import mmutex.sync.SrcuDomain;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(srcu)}: what a read section has found stays until the section is over. */
@JCStressTest
@Description("A read section uses a subscriber while that is unlinked, waited for, and freed.")
@Outcome(id = "-1", expect = ACCEPTABLE, desc = "unlinked before the section looked")
@Outcome(id = "0", expect = ACCEPTABLE, desc = "found, and alive for as long as the section lasted")
@Outcome(expect = FORBIDDEN, desc = "freed while the section used it: ORDER(srcu)")
@State
public class SrcuStress {
    private static final mmutex.sync.Actor READER = new mmutex.sync.Actor(1, "reader");
    private static final mmutex.sync.Actor WRITER = new mmutex.sync.Actor(2, "writer");
    private static final SrcuDomain DOMAIN = new SrcuDomain();
    private static final Words WORDS = Slab.words();

    private final long place = Slab.offset(Slab.next());
    private final long unlinked = place + Slab.NEAR;
    private final long freed = place + Slab.FAR;

    @Actor
    public void reader(final I_Result r) {
        final int section = DOMAIN.readLock(READER);
        if (WORDS.loadOpaque(unlinked) != 0) {
            r.r1 = -1;
        } else {
            r.r1 = (int) WORDS.loadOpaque(freed);
        }
        DOMAIN.readUnlock(READER, section);
    }

    @Actor
    public void writer() {
        WORDS.storeOpaque(unlinked, 1);
        DOMAIN.synchronize(WRITER);
        WORDS.storeOpaque(freed, 1);
    }
}
