package mmutex.stress.conform;

/**
 * Where the emulator departed from the recording.
 *
 * @param step number of the step
 * @param field by name; elements and pages as in {@code data.2}, {@code rss.anon}, {@code pm.A.0}
 * @param expected what was recorded: Long, String, or null for nothing
 * @param actual what the emulator came to, likewise
 */
record Difference(long step, String field, Object expected, Object actual) {}
