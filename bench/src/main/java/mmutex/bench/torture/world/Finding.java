package mmutex.bench.torture.world;

/** An oracle was contradicted: the emulator has lost or leaked something. */
public final class Finding extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Finding(final String message) {
        super(message);
    }

    public static void require(final boolean expected, final String format, final Object... args) {
        if (!expected) {
            throw new Finding(String.format(format, args));
        }
    }
}
