package mmutex.bench.jmh;

/** What every forked VM of the suite needs, for {@code @Fork} lines. */
final class Forks {
    /**
     * Agrona's demand. {@code ./mmutex bench} hands its forks all flags anyway; this makes the classes run under any other
     * JMH runner, too.
     */
    static final String EXPORTS = "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED";

    private Forks() {}
}
