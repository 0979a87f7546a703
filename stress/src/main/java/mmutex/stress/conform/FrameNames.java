package mmutex.stress.conform;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Which frame of the emulator is which number of the recording: a one-to-one renaming that grows as frames are first
 * seen, and forgets frames as the recorder forgot them.
 */
final class FrameNames {
    private final Map<Long, Long> frameByNumber = new HashMap<>();
    private final Map<Long, Long> numberByFrame = new HashMap<>();

    /**
     * Whether a number can be the name of a frame. If neither is known, they become each other's.
     *
     * @param number in the recording
     * @param frame in the emulator
     */
    boolean match(final long number, final long frame) {
        final Long known = frameByNumber.get(number);
        if (known != null) {
            return known == frame;
        }
        if (numberByFrame.containsKey(frame)) {
            return false;
        }
        frameByNumber.put(number, frame);
        numberByFrame.put(frame, number);
        return true;
    }

    /** The recording's name of a frame; {@code ?} if it has none. */
    String nameOf(final long frame) {
        final Long number = numberByFrame.get(frame);
        return number == null ? "?" : number.toString();
    }

    /** Forgets all frames but these: what may come back gets a new number. */
    void retain(final Set<Long> frames) {
        numberByFrame.keySet().retainAll(frames);
        frameByNumber.values().retainAll(frames);
    }
}
