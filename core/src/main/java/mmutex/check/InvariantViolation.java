package mmutex.check;

import java.util.List;

/** An invariant does not hold: the emulator is broken, or somebody broke it on purpose. Never caught inside core. */
public final class InvariantViolation extends RuntimeException {
    private static final long serialVersionUID = 1;

    public InvariantViolation(final List<String> violations) {
        super(String.join("\n", violations));
    }
}
