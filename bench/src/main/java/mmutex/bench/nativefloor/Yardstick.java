package mmutex.bench.nativefloor;

/**
 * How good a C baseline has to be: what a straight C version of the protocol takes, in locked adds of the same machine. It
 * was measured once, with 5.3 ns a locked add: 90 ns a restore, 100 ns a make, 186 ns the pair. A C program that is slower
 * than that, in the same proportion, makes us look better than we are.
 */
public final class Yardstick {
    private static final double LOCKED_ADD_NS = 5.3;

    /** Locked adds that a restore of one page takes. */
    public static final double RESTORE = 90 / LOCKED_ADD_NS;

    /** Locked adds that a make of one page takes. */
    public static final double MAKE = 100 / LOCKED_ADD_NS;

    /** Locked adds that a make and a restore take, page by page. */
    public static final double PAIR = 186 / LOCKED_ADD_NS;

    private Yardstick() {}

    /**
     * What it comes to on this machine, in ns.
     *
     * @param lockedAdds one of the constants
     * @param protocol a result of the program {@code protocol}, which times a locked add; NaN if it could not
     */
    public static double ns(final double lockedAdds, final NativeResult protocol) {
        return lockedAdds * protocol.row("locked-add").median();
    }
}
