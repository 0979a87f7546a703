package mmutex.device;

/** What a device atomic does with the old value. */
public enum DeviceOperation {
    /** old + operand. */
    ADD,
    /** operand. */
    EXCHANGE,
    /** max(old, operand), signed. */
    MAX,
    /** operand if old equals the comparand, else old. */
    COMPARE_EXCHANGE;

    long apply(final long old, final long operand, final long comparand) {
        switch (this) {
            case ADD:
                return old + operand;
            case EXCHANGE:
                return operand;
            case MAX:
                return Math.max(old, operand);
            default:
                return old == comparand ? operand : old;
        }
    }
}
