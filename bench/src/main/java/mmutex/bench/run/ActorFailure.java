package mmutex.bench.run;

/** An actor could not go on; the cause says why. The run has no result. */
public final class ActorFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ActorFailure(final String actor, final Throwable cause) {
        super(actor + ": " + cause, cause);
    }
}
