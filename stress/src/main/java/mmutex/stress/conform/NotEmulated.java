package mmutex.stress.conform;

/** A step needs something that the emulator lacks. The message names it, as briefly as the recording does. */
final class NotEmulated extends Exception {
    private static final long serialVersionUID = 1L;

    NotEmulated(final String what) {
        super(what, null, false, false);
    }
}
