package mmutex.stress.conform;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import mmutex.change.Advisor.Advice;
import mmutex.layout.VmFlags;
import mmutex.machine.Process;

/** System calls that change a process's mappings. */
final class MemoryActions {
    private static final Map<String, Long> PROTECTION = Map.of(
            "none",
            0L,
            "r",
            VmFlags.READ,
            "w",
            VmFlags.WRITE,
            "rw",
            VmFlags.READ | VmFlags.WRITE,
            "rwx",
            VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC);
    /** Recordings call advice as core does. */
    private static final Map<String, Advice> ADVICE =
            Arrays.stream(Advice.values()).collect(Collectors.toMap(Advice::name, advice -> advice));

    private static final int SHOWN_PAGES = 8;
    private static final long VECTOR_BYTES = 1 << 16;
    private static final long CLEAR_SOFT_DIRTY = 4;

    private MemoryActions() {}

    static Outcome mmap(final World world, final Party party, final Step step) throws NotEmulated {
        final Process process = party.process();
        switch (step.text("kind")) {
            case "anon_private":
                return Outcome.of(process.mmap(party.cpu(), step.at(), step.length(), protection(step)));
            case "anon_private_fixed_over":
                return Outcome.of(process.mmapOver(party.cpu(), step.at(), step.length(), protection(step)));
            default:
                return FileActions.mmap(world, party, step);
        }
    }

    static Outcome munmap(final World world, final Party party, final Step step) {
        return Outcome.of(party.process().munmap(party.cpu(), step.at(), step.length()));
    }

    static Outcome mprotect(final World world, final Party party, final Step step) {
        return Outcome.of(party.process().mprotect(party.cpu(), step.at(), step.length(), protection(step)));
    }

    static Outcome madvise(final World world, final Party party, final Step step) throws NotEmulated {
        final Advice advice = ADVICE.get(step.text("advice"));
        if (advice == null) {
            throw new NotEmulated("madvise " + step.text("advice"));
        }
        return Outcome.of(party.process().madvise(party.cpu(), step.at(), step.length(), advice));
    }

    static Outcome mremap(final World world, final Party party, final Step step) {
        final Place from = (Place) step.arguments().get("from");
        final Place to = (Place) step.arguments().get("to");
        final boolean keepOld = step.text("flags").contains("DONTUNMAP");
        return Outcome.of(party.process().mremap(party.cpu(), from.address(), step.length(), to.address(), keepOld));
    }

    static Outcome mlock(final World world, final Party party, final Step step) {
        return Outcome.of(party.process().mlock(party.cpu(), step.at(), step.length()));
    }

    static Outcome munlock(final World world, final Party party, final Step step) {
        return Outcome.of(party.process().munlock(party.cpu(), step.at(), step.length()));
    }

    /** The recorder's vector is zeroed before; on an error it shows what the kernel had stored by then. */
    static Outcome mincore(final World world, final Party party, final Step step) {
        final long pages = step.length() >>> Place.PAGE_SHIFT;
        final byte[] vec = new byte[(int) Math.min(pages, VECTOR_BYTES)];
        final Outcome outcome = Outcome.of(party.process().mincore(party.cpu(), step.at(), pages, vec));
        final List<Object> shown = new ArrayList<>();
        for (int page = 0; page < Math.min(SHOWN_PAGES, vec.length); page++) {
            shown.add((long) vec[page]);
        }
        return outcome.with("vec", shown);
    }

    /** A write of one byte, "4". */
    static Outcome clearRefs(final World world, final Party party, final Step step) throws NotEmulated {
        if (step.number("val") != CLEAR_SOFT_DIRTY) {
            throw new NotEmulated("clear_refs " + step.number("val"));
        }
        party.process().clearSoftDirty(party.cpu());
        return Outcome.returned(1);
    }

    static long protection(final Step step) {
        return PROTECTION.get(step.text("prot"));
    }
}
