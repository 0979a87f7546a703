package mmutex.bench.anatomy;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;

/** Which phases a path has, and what they are called. */
public final class Phases {
    private static final Map<Phase, Name> NAMES = new EnumMap<>(Phase.class);

    static {
        name(Phase.FAULT_ENTRY, "fault entry", "faultEntry");
        name(Phase.PAGE_LOCK, "page lock", "pageLock");
        name(Phase.NOTIFY, "notify -> acknowledged", "notify");
        name(Phase.PTE_RESTORE, "restore entry", "pteRestore");
        name(Phase.NOTIFY_END, "notify end", "notifyEnd");
        name(Phase.BEGIN, "begin", "begin");
        name(Phase.GET_PAGE, "get page", "getPage");
        name(Phase.CONVERT, "conversion", "convert");
        name(Phase.FLUSH, "flush", "flush");
        name(Phase.PROGRAM, "programming", "program");
    }

    private static final List<Phase> RESTORE =
            List.of(Phase.FAULT_ENTRY, Phase.PAGE_LOCK, Phase.NOTIFY, Phase.PTE_RESTORE, Phase.NOTIFY_END);
    private static final List<Phase> MAKE =
            List.of(Phase.BEGIN, Phase.GET_PAGE, Phase.CONVERT, Phase.FLUSH, Phase.PROGRAM);

    /** What comes behind the last mark: back through the fault handler, or out of the driver's loop. */
    private static final String EXIT = "exit";

    private Phases() {}

    /** A path's phases, in order. */
    public static List<Phase> of(final Path path) {
        return path == Path.RESTORE ? RESTORE : MAKE;
    }

    /** The path that a phase belongs to. */
    public static Path pathOf(final Phase phase) {
        return phase.ordinal() <= Phase.NOTIFY_END.ordinal() ? Path.RESTORE : Path.MAKE;
    }

    /** For people. */
    public static String label(final Phase phase) {
        return NAMES.get(phase).label();
    }

    /** In JSON. */
    public static String key(final Phase phase) {
        return NAMES.get(phase).key();
    }

    /** For people: the label of a path's n-th phase from 0, or of the exit behind the last. */
    public static String labelAt(final Path path, final int place) {
        return place < of(path).size() ? label(of(path).get(place)) : EXIT;
    }

    /** The same in JSON. */
    public static String keyAt(final Path path, final int place) {
        return place < of(path).size() ? key(of(path).get(place)) : EXIT;
    }

    private static void name(final Phase phase, final String label, final String key) {
        NAMES.put(phase, new Name(label, key));
    }

    private record Name(String label, String key) {}
}
