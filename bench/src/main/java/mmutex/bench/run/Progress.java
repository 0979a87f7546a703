package mmutex.bench.run;

import java.util.concurrent.atomic.AtomicLongArray;

/** Operations of one actor so far, for others to look at. Written by the actor, alone on its cache lines. */
public final class Progress {
    private static final int WORDS = 32;
    private static final int AT = WORDS / 2;

    private final AtomicLongArray words = new AtomicLongArray(WORDS);

    public void operations(final long operations) {
        words.setRelease(AT, operations);
    }

    public long operations() {
        return words.getAcquire(AT);
    }
}
