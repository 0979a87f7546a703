package mmutex.bench.run.workload;

import mmutex.fault.Signal;

/** Checks how accesses ended. */
final class Signals {
    private Signals() {}

    /** An access to memory that is mapped and permitted has to succeed. */
    static void requireNone(final Signal signal, final long addr) {
        if (signal != Signal.NONE) {
            throw new IllegalStateException("access failed: signal=" + signal + ", addr=0x" + Long.toHexString(addr));
        }
    }
}
