package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.sync.MmapLock;
import mmutex.sync.VmaLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * {@code ORDER(vma-lock)}: a reader that got in and a writer that went on see each other. {@code ORDER(vma-unmark)}: a
 * reader that finds the mark ended sees all that the writer did.
 */
@JCStressTest
@Description(
        "A fault reads two fields of a VMA under its lock; a writer marks the VMA, changes both and ends the mark.")
@Outcome(id = "-1, -1", expect = ACCEPTABLE, desc = "the VMA was marked: the fault falls back to the mmap lock")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the fault came first, the writer waited for it")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the mark had ended")
@Outcome(
        expect = FORBIDDEN,
        desc = "the fault used the VMA while it was changed: ORDER(vma-lock) if both were in at once,"
                + " ORDER(vma-unmark) if the mark had ended")
@State
public class VmaLockStress {
    private static final mmutex.sync.Actor FAULT = new mmutex.sync.Actor(1, "fault");
    private static final mmutex.sync.Actor WRITER = new mmutex.sync.Actor(2, "writer");

    private final MmapLock mmapLock = new MmapLock();
    private final VmaLock lock = new VmaLock();
    private int start;
    private int end;

    @Actor
    public void fault(final II_Result r) {
        if (lock.tryReadLock(FAULT, mmapLock)) {
            r.r1 = start;
            Thread.onSpinWait(); // gives the writer time to be wrong
            r.r2 = end;
            lock.readUnlock(FAULT);
        } else {
            r.r1 = -1;
            r.r2 = -1;
        }
    }

    @Actor
    public void writer() {
        mmapLock.writeLock(WRITER);
        lock.writeLock(WRITER, mmapLock);
        start = 1;
        end = 1;
        mmapLock.writeUnlock(WRITER);
    }
}
