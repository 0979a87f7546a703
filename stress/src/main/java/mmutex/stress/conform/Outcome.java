package mmutex.stress.conform;

import java.util.HashMap;
import java.util.Map;
import mmutex.fault.Signal;
import mmutex.mm.Errno;

/** What a step came to in the emulator: result fields by the recording's names. */
final class Outcome {
    private static final long FAILED = -1;
    private static final int BUS_ADRERR = 2;
    private static final int BUS_MCEERR_AR = 4;

    private final Map<String, Object> fields = new HashMap<>();

    private Outcome() {}

    /** A call that returned a value. */
    static Outcome returned(final long ret) {
        return new Outcome().with("ret", ret);
    }

    /** A call that returned -1 with an errno. */
    static Outcome failed(final String errno) {
        return returned(FAILED).with("errno", errno);
    }

    /** A call that returned 0, or -1 with an errno. */
    static Outcome of(final Errno errno) {
        return errno == Errno.OK ? returned(0) : failed(errno.name());
    }

    /** An access that was performed, or ended with a signal; the recorder then makes up an errno. */
    static Outcome of(final Signal signal) {
        switch (signal) {
            case NONE:
                return returned(0);
            case SEGV_MAPERR:
                return signalled("SIGSEGV", 1);
            case SEGV_ACCERR:
                return signalled("SIGSEGV", 2);
            case BUS_ADRERR:
                return signalled("SIGBUS", BUS_ADRERR);
            case BUS_MCEERR_AR:
                return signalled("SIGBUS", BUS_MCEERR_AR);
            default:
                return signalled("SIGKILL", 0);
        }
    }

    private static Outcome signalled(final String signal, final long code) {
        return failed("EFAULT").with("sig", signal).with("si_code", code);
    }

    /** Adds a field. */
    Outcome with(final String name, final Object value) {
        fields.put(name, value);
        return this;
    }

    /** A field's value, null if there is none. */
    Object get(final String name) {
        return fields.get(name);
    }

    /** Whether the call succeeded. */
    boolean isSuccess() {
        return !fields.containsKey("errno");
    }

    /** All fields. */
    Map<String, Object> fields() {
        return fields;
    }
}
