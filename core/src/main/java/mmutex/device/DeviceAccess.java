package mmutex.device;

/** Kinds of device access, in the order of their number in a fault buffer (nouveau_svm.c). */
public enum DeviceAccess {
    READ(DevicePte.VALID),
    WRITE(DevicePte.VALID | DevicePte.WRITE),
    ATOMIC(DevicePte.VALID | DevicePte.WRITE | DevicePte.ATOMIC),
    /** A hint: map what is there, fault nothing in. */
    PREFETCH(DevicePte.VALID);

    private final long needs;

    DeviceAccess(final long needs) {
        this.needs = needs;
    }

    /** Flags that a device entry must have for this access. */
    long needs() {
        return needs;
    }
}
