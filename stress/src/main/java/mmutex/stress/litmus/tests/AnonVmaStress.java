package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.change.Mapper;
import mmutex.change.SpaceTeardown;
import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(anon-vma-publish)}, {@code ORDER(anon-vma-recheck)}: the way to the reverse map of anonymous memory. */
public final class AnonVmaStress {
    private static final Task FIRST = new Task(1, "first");
    private static final Task SECOND = new Task(2, "second");
    private static final long START = 0x10000;
    private static final long LENGTH = 0x1000;
    private static final long OTHER_START = 0x40000;
    private static final long ACCESS = VmFlags.READ | VmFlags.WRITE;

    private AnonVmaStress() {}

    private static Vma map(final AddressSpace space, final long start) {
        Mapper.mapAnonymous(World.task(), space, start, LENGTH, ACCESS);
        return space.vmas().lookup(start);
    }

    /** Two faults in a fresh VMA: one gives it its anon_vma, the other looks whether there is one. */
    @JCStressTest
    @Description("A fault prepares a VMA's anon_vma while another one looks for it.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "none yet")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "there, and linked to the VMA")
    @Outcome(expect = FORBIDDEN, desc = "there, but not linked: pages would not be found. ORDER(anon-vma-publish)")
    @State
    public static class PrepareAgainstLook {
        private final AddressSpace space = new AddressSpace(1, World.PLATFORM);
        private final Vma vma = map(space, START);

        @Actor
        public void prepare() {
            space.mmapLock().readLock(FIRST);
            space.reverseMap().prepare(FIRST, vma);
            space.mmapLock().readUnlock(FIRST);
        }

        @Actor
        public void look(final I_Result r) {
            final AnonVma found = vma.anonVma();
            if (found == null) {
                r.r1 = -1;
            } else {
                r.r1 = found.vmas().contains(vma) ? 1 : 0;
            }
        }

        @Arbiter
        public void free() {
            SpaceTeardown.unpin(World.task(), space);
        }
    }

    /** From a frame to the anon_vma that its record names by id, while the frame and the id change hands. */
    @JCStressTest
    @Description("A walker locks a frame's anon_vma while the frame is unmapped, its VMA removed, and both used again.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "not mapped at that moment")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "locked an anon_vma with VMAs, the former or the new one")
    @Outcome(expect = FORBIDDEN, desc = "locked a dead anon_vma: ORDER(anon-vma-recheck)")
    @State
    public static class LockAgainstReuse {
        private final AddressSpace space = new AddressSpace(1, World.PLATFORM);
        private final Vma former = map(space, START);
        private final Vma next = map(space, OTHER_START);
        private final long pfn = World.PLATFORM.allocator().allocate();

        public LockAgainstReuse() {
            space.reverseMap().prepare(World.task(), former);
            space.reverseMap().addNewAnon(pfn, former, START);
        }

        @Actor
        public void walker(final I_Result r) {
            final AnonVma found = space.reverseMap().lockAnonVma(FIRST, pfn);
            if (found == null) {
                r.r1 = -1;
            } else {
                r.r1 = found.vmas().isEmpty() ? 0 : 1;
                found.lock().readUnlock(FIRST);
            }
        }

        @Actor
        public void owner() {
            space.mmapLock().writeLock(SECOND);
            space.reverseMap().remove(pfn);
            space.editor().remove(SECOND, former);
            space.reverseMap().prepare(SECOND, next);
            space.reverseMap().addNewAnon(pfn, next, OTHER_START);
            space.mmapLock().writeUnlock(SECOND);
        }

        @Arbiter
        public void free() {
            space.reverseMap().remove(pfn);
            World.PLATFORM.allocator().put(pfn);
            SpaceTeardown.unpin(World.task(), space);
        }
    }
}
