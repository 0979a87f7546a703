package mmutex.layout;

/** How a CPU or a device touches a page. */
public enum Access {
    READ,
    WRITE,
    /** Read-modify-write: needs the permission of a write and returns the old value. */
    ATOMIC;

    /** True if the access needs write permission and makes the entry dirty. */
    public boolean writes() {
        return this != READ;
    }
}
