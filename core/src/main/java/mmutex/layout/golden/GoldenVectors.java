package mmutex.layout.golden;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One file of golden values: comma-separated, a header line, no quoting. The constants of a target have the same form.
 *
 * @param file name for messages
 * @param columns the header
 * @param rows everything below it, in order
 */
public record GoldenVectors(String file, List<String> columns, List<GoldenRow> rows) {

    /**
     * Reads a file to its end; the caller opens and closes it.
     *
     * @throws IllegalArgumentException if a line does not have as many fields as the header, or there is no header
     */
    public static GoldenVectors read(final String file, final Reader reader) throws IOException {
        final BufferedReader lines = new BufferedReader(reader);
        final String header = lines.readLine();
        if (header == null) {
            throw new IllegalArgumentException("empty: file=" + file);
        }
        final List<String> columns = List.of(header.split(",", -1));
        final Map<String, Integer> indexes = new HashMap<>();
        for (final String column : columns) {
            if (indexes.put(column, indexes.size()) != null) {
                throw new IllegalArgumentException("column twice: file=" + file + ", column=" + column);
            }
        }
        final List<GoldenRow> rows = new ArrayList<>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            final String[] cells = line.split(",", -1);
            if (cells.length != columns.size() || line.indexOf('"') >= 0) {
                throw new IllegalArgumentException("malformed: file=" + file + ", line=" + line);
            }
            rows.add(new GoldenRow(file, indexes, cells));
        }
        return new GoldenVectors(file, columns, List.copyOf(rows));
    }
}
