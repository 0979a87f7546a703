package mmutex.stress.conform;

/** A recording breaks its format. The message says what is wrong; who catches it knows file, line and step. */
final class BadRecording extends Exception {
    private static final long serialVersionUID = 1L;

    BadRecording(final String message) {
        super(message, null, false, false);
    }
}
