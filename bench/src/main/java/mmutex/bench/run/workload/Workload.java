package mmutex.bench.run.workload;

/**
 * A workload of {@code mmutex run}: what CPUs and devices do to the same memory, and how to tell afterwards whether an
 * update was lost. {@link Workloads} lists them; a new one is a class and a line there.
 *
 * <p>Immutable; any thread.
 */
public interface Workload {
    /** As typed by the user. */
    String name();

    /** What it shows, for {@code --help}: a few words. */
    String summary();

    /** CPUs without which it makes no sense. */
    default int cpusMin() {
        return 1;
    }

    /** CPUs unless asked for others. */
    default int cpusDefault() {
        return 2;
    }

    /** Devices without which it makes no sense. */
    default int devicesMin() {
        return 0;
    }

    /** Devices unless asked for others. */
    default int devicesDefault() {
        return 1;
    }

    /** Pages that it maps when asked for {@code pages}. */
    default long pagesMapped(final int pages, final int devices) {
        return pages;
    }

    /** Maps its memory. Called once per run by the thread that sets up, before any actor starts. */
    Scene prepare(Stage stage);
}
