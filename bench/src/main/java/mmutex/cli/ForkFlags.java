package mmutex.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * JVM flags for the VMs that JMH and jcstress fork: these run with {@code -cp} and never see the jar's manifest. The
 * list itself stands in the parent POM.
 */
public final class ForkFlags {
    /** The first JDK that knows the option; those before reject it and don't start. */
    private static final int UNSAFE_OPTION_SINCE = 23;

    private ForkFlags() {}

    /** The flags for forks of the running JDK. */
    public static List<String> forThisJdk() {
        return forJdk(Runtime.version().feature());
    }

    static List<String> forJdk(final int feature) {
        final List<String> flags = new ArrayList<>(Build.jvmFlags());
        if (feature >= UNSAFE_OPTION_SINCE) {
            // Not behind -XX:+IgnoreUnrecognizedVMOptions: jcstress probes which options a VM accepts.
            flags.add("--sun-misc-unsafe-memory-access=allow");
        }
        return List.copyOf(flags);
    }
}
