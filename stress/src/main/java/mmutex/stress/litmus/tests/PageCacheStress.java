package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.mm.FileMapping;
import mmutex.mm.Task;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(page-cache)}: a page that is found in a page cache is locked until it is initialised. */
@JCStressTest
@Description("A fault puts a page into a page cache and fills it, while a fault-around looks for it there.")
@Outcome(id = "-1", expect = ACCEPTABLE, desc = "not there yet, or still locked")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "there, with its contents")
@Outcome(expect = FORBIDDEN, desc = "found and locked before it was filled: ORDER(page-cache)")
@State
public class PageCacheStress {
    private static final Task FIRST = new Task(1, "first");
    private static final Task SECOND = new Task(2, "second");
    private static final FrameData DATA = World.PLATFORM.data();

    private final FileMapping file = World.PLATFORM.createFile(World.task(), FileMapping.Kind.SHMEM, 1);

    @Actor
    public void filler() {
        final long pfn = file.lockPage(FIRST, 0);
        DATA.storeInt(DATA.position(pfn, 0), 1);
        file.unlockPage(FIRST, pfn);
    }

    @Actor
    public void finder(final I_Result r) {
        final long pfn = file.tryLockPage(SECOND, 0);
        if (pfn == FrameAllocator.NONE) {
            r.r1 = -1;
        } else {
            r.r1 = DATA.loadInt(DATA.position(pfn, 0));
            file.unlockPage(SECOND, pfn);
        }
    }

    @Arbiter
    public void free() {
        file.release(World.task());
    }
}
