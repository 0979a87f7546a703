package mmutex.stress.conform;

import java.util.Map;
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
    private static final Map<String, Advice> ADVICE = Map.of(
            "DONTNEED", Advice.DONTNEED,
            "DONTFORK", Advice.DONTFORK,
            "WIPEONFORK", Advice.WIPEONFORK,
            "HUGEPAGE", Advice.HUGEPAGE,
            "COLLAPSE", Advice.COLLAPSE);

    private MemoryActions() {}

    static Outcome mmap(final World world, final Party party, final Step step) throws NotEmulated {
        final Process process = party.process();
        switch (step.text("kind")) {
            case "anon_private":
                return Outcome.of(process.mmap(party.cpu(), step.at(), step.length(), protection(step)));
            case "anon_private_fixed_over":
                return Outcome.of(process.mmapOver(party.cpu(), step.at(), step.length(), protection(step)));
            default:
                throw new NotEmulated("mmap " + step.text("kind"));
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

    private static long protection(final Step step) {
        return PROTECTION.get(step.text("prot"));
    }
}
