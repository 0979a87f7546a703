package mmutex.bench.run;

import java.util.concurrent.locks.LockSupport;

/** Has the invariants checked while others work. A thread of its own: whoever hangs may hold a lock that a check needs. */
final class RefereeActor extends ActorThread {
    private static final long PAUSE_NS = 20_000_000;

    private final Referee referee;
    private final long intervalNs;

    RefereeActor(final Referee referee, final long intervalNs, final StopSignal stop, final StartingLine line) {
        super("referee", stop, line);
        this.referee = referee;
        this.intervalNs = intervalNs;
    }

    @Override
    protected void prepare() {}

    /** A violation ends the run: what happens afterwards explains nothing. */
    @Override
    protected void work() {
        long last = System.nanoTime();
        for (long looks = 1; !stop().isSet(); looks++) {
            if (System.nanoTime() - last >= intervalNs) {
                last = System.nanoTime();
                if (!referee.checkNow()) {
                    stop().set();
                }
            }
            progress().operations(looks);
            LockSupport.parkNanos(PAUSE_NS);
        }
    }
}
