package mmutex.layout.golden;

/**
 * A cell that the encoding under test computes differently.
 *
 * @param file file of the row
 * @param row its {@code id}, or the name of a constant
 * @param column the column
 * @param expected the cell
 * @param actual what was computed, in the notation of the cell
 */
public record GoldenMismatch(String file, String row, String column, String expected, String actual) {
    @Override
    public String toString() {
        return file + " row " + row + " " + column + ": expected=" + expected + ", actual=" + actual;
    }
}
