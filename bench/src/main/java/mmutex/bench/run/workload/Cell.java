package mmutex.bench.run.workload;

/** The kinds of words in {@code svm-ops}, in the order of their slots in a page. */
enum Cell {
    /** 1 is added: the sum must be there at the end. */
    ADD_64("add 64", true),
    ADD_32("add 32", false),
    /** A ticket is exchanged for the one that lies there: none may vanish, none may come back twice. */
    EXCHANGE_64("tickets 64", true),
    EXCHANGE_32("tickets 32", false),
    /** A maximum is raised by a compare-and-exchange loop: the raises must add up to the final value. */
    MAX_64("max 64", true),
    MAX_32("max 32", false);

    private static final Cell[] ALL = values();

    final String label;
    final boolean isLong;

    Cell(final String label, final boolean isLong) {
        this.label = label;
        this.isLong = isLong;
    }

    static int count() {
        return ALL.length;
    }

    /** The kind of a counter of a {@link Walk}. */
    static Cell of(final int counter) {
        return ALL[counter % Walk.SLOTS];
    }
}
