package mmutex.bench.run;

/** One actor and the thread that drives it. */
public abstract class ActorThread implements Runnable {
    private final String name;
    private final StopSignal stop;
    private final StartingLine line;
    private final Progress progress = new Progress();
    private final Thread thread;

    protected ActorThread(final String name, final StopSignal stop, final StartingLine line) {
        this.name = name;
        this.stop = stop;
        this.line = line;
        this.thread = new Thread(this, "mmutex-" + name);
        // After a failure others may wait for ever for what the failed one holds.
        thread.setDaemon(true);
    }

    public final String name() {
        return name;
    }

    public final StopSignal stop() {
        return stop;
    }

    public final Progress progress() {
        return progress;
    }

    public final Thread thread() {
        return thread;
    }

    /** Whether its thread has ended. */
    public final boolean isDone() {
        return !thread.isAlive();
    }

    /** In the actor's thread, before the start. */
    protected abstract void prepare();

    /** In the actor's thread, from the start to the end. */
    protected abstract void work();

    @Override
    public final void run() {
        try {
            prepare();
            line.arrive();
            line.awaitStart();
            work();
        } catch (final Throwable failure) {
            stop.fail(name, failure);
        } finally {
            line.arrive();
        }
    }
}
