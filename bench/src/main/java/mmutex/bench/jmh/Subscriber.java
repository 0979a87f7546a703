package mmutex.bench.jmh;

/** Who has to give a page up before a CPU gets it back. */
public enum Subscriber {
    /** Nobody: the address space has no subscribers, a span costs one load. */
    NONE,
    /** One device; its callback runs on the CPU's thread. */
    INLINE,
    /** One device; its own thread runs the callback and acknowledges. */
    RING
}
