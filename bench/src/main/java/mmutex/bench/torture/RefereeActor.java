package mmutex.bench.torture;

import java.util.concurrent.locks.LockSupport;
import mmutex.bench.run.ActorThread;
import mmutex.bench.run.Referee;
import mmutex.bench.run.StartingLine;
import mmutex.bench.run.StopSignal;

/** Checks now and then while all work, and, with everybody stopped for a moment, what holds only then. */
final class RefereeActor extends ActorThread {
    private static final long NAP_NS = 2_000_000;
    /** And so many times as long as the look took: it must not keep a core from those it looks at. */
    private static final int NAP_LOOKS = 3;

    private static final long NAP_NS_MAX = 40_000_000;

    /** Looks between two pauses. */
    private static final int LOOKS = 10;

    private final Referee referee;
    private final Gate gate;
    private int pauses;

    RefereeActor(final Referee referee, final Gate gate, final StopSignal stop, final StartingLine line) {
        super("referee", stop, line);
        this.referee = referee;
        this.gate = gate;
    }

    @Override
    protected void prepare() {}

    /** A violation ends the round: what happens afterwards explains nothing. */
    @Override
    protected void work() {
        for (long looks = 1; !stop().isSet(); looks++) {
            final long start = System.nanoTime();
            if (looks % LOOKS == 0 ? !pause() : !referee.checkNow()) {
                stop().set();
            }
            progress().operations(looks);
            final long took = System.nanoTime() - start;
            LockSupport.parkNanos(Math.min(NAP_NS_MAX, Math.max(NAP_NS, NAP_LOOKS * took)));
        }
    }

    private boolean pause() {
        if (!gate.closeAndAwaitAll()) {
            return true;
        }
        pauses++;
        referee.checkAtEnd();
        gate.open();
        return referee.outcome().violations().isEmpty();
    }

    /** Times that everybody was stopped. */
    int pauses() {
        return pauses;
    }
}
