package mmutex.bench.run;

import java.util.Arrays;
import java.util.List;

/**
 * Notices that an actor no longer completes operations (I33). Used by one thread.
 */
public final class Watchdog {
    private static final long SECOND_NS = 1_000_000_000;

    private final List<ActorThread> actors;
    private final long patienceS;
    private final long[] operations;
    private final long[] since;

    /** A watchdog that gives each actor so many seconds for its next operation. */
    public Watchdog(final List<ActorThread> actors, final long patienceS, final long now) {
        this.actors = actors;
        this.patienceS = patienceS;
        this.operations = new long[actors.size()];
        this.since = new long[actors.size()];
        Arrays.fill(since, now);
    }

    /** Looks at all actors. An actor that is stuck fails the run, with the stack of its thread. */
    public void look(final StopSignal stop, final long now) {
        for (int i = 0; i < operations.length; i++) {
            final ActorThread actor = actors.get(i);
            final long done = actor.progress().operations();
            if (done != operations[i] || actor.isDone()) {
                operations[i] = done;
                since[i] = now;
            } else if (now - since[i] > patienceS * SECOND_NS) {
                stop.fail(actor.name(), stuck(actor, patienceS));
            }
        }
    }

    /** As an exception that shows where the actor's thread is. */
    public static Throwable stuck(final ActorThread actor, final long patienceS) {
        final IllegalStateException stuck =
                new IllegalStateException("no operation completed within " + patienceS + " s");
        stuck.setStackTrace(actor.thread().getStackTrace());
        return stuck;
    }
}
