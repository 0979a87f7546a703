package mmutex.bench.run;

import java.util.Arrays;
import java.util.List;

/**
 * Notices that an actor no longer completes operations (I33): each gets {@value #PATIENCE_S} seconds for its next one.
 * Used by one thread.
 */
final class Watchdog {
    static final long PATIENCE_S = 10;

    private static final long PATIENCE_NS = PATIENCE_S * 1_000_000_000L;

    private final List<ActorThread> actors;
    private final long[] operations;
    private final long[] since;

    Watchdog(final List<ActorThread> actors, final long now) {
        this.actors = actors;
        this.operations = new long[actors.size()];
        this.since = new long[actors.size()];
        Arrays.fill(since, now);
    }

    /** Looks at all actors. An actor that is stuck fails the run, with the stack of its thread. */
    void look(final StopSignal stop, final long now) {
        for (int i = 0; i < operations.length; i++) {
            final ActorThread actor = actors.get(i);
            final long done = actor.progress().operations();
            if (done != operations[i] || actor.isDone()) {
                operations[i] = done;
                since[i] = now;
            } else if (now - since[i] > PATIENCE_NS) {
                stop.fail(actor.name(), stuck(actor));
            }
        }
    }

    /** As an exception that shows where the actor's thread is. */
    static Throwable stuck(final ActorThread actor) {
        final IllegalStateException stuck =
                new IllegalStateException("no operation completed within " + PATIENCE_S + " s");
        stuck.setStackTrace(actor.thread().getStackTrace());
        return stuck;
    }
}
