package mmutex.layout;

/** The Linux versions whose rules are emulated. They differ in the numbers of swap types and in what is carried over. */
public enum KernelGeneration {
    /** 6.12: a readable and a writable device-exclusive type, two marker bits, devmap entries. */
    V6_12("6.12"),
    /** 7.3, and in these matters 6.15 and later: one device-exclusive type, three marker bits, no devmap. */
    V7_3("7.3");

    private final String label;

    KernelGeneration(final String label) {
        this.label = label;
    }

    /** The version number as it ends an encoding's name. */
    public String label() {
        return label;
    }
}
