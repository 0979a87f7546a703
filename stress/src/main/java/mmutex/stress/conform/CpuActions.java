package mmutex.stress.conform;

import mmutex.fault.Signal;
import mmutex.machine.Cpu;

/** Accesses of the CPU: 32-bit words. */
final class CpuActions {
    private static final long WORD_MASK = 0xffff_ffffL;

    private CpuActions() {}

    static Outcome read(final World world, final Party party, final Step step) throws NotEmulated {
        return value(party.cpu(), party.cpu().loadInt(aligned(step)));
    }

    static Outcome write(final World world, final Party party, final Step step) throws NotEmulated {
        return Outcome.of(party.cpu().storeInt(aligned(step), (int) step.number("val")));
    }

    static Outcome fetchAdd(final World world, final Party party, final Step step) throws NotEmulated {
        return value(party.cpu(), party.cpu().fetchAddInt(aligned(step), (int) step.number("val")));
    }

    /** One store per page. */
    static Outcome fill(final World world, final Party party, final Step step) throws NotEmulated {
        final long first = aligned(step);
        for (long page = 0; page < step.number("n"); page++) {
            final int word = (int) (step.number("val") + page);
            final Signal signal = party.cpu().storeInt(first + (page << Place.PAGE_SHIFT), word);
            if (signal != Signal.NONE) {
                return Outcome.of(signal);
            }
        }
        return Outcome.returned(0);
    }

    private static Outcome value(final Cpu cpu, final Signal signal) {
        final Outcome outcome = Outcome.of(signal);
        return signal == Signal.NONE ? outcome.with("val", cpu.value() & WORD_MASK) : outcome;
    }

    private static long aligned(final Step step) throws NotEmulated {
        if ((step.at() & Integer.BYTES - 1) != 0) {
            throw new NotEmulated("misaligned " + step.operation());
        }
        return step.at();
    }
}
