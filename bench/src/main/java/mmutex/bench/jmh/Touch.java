package mmutex.bench.jmh;

/** How a CPU touches a page. */
public enum Touch {
    ATOMIC,
    WRITE,
    READ
}
