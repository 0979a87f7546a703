package mmutex.layout.golden;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import mmutex.layout.VmFlags;

/** One line of golden values; cells are read by column name. An empty cell means "not defined here". */
public final class GoldenRow {
    private final String file;
    private final Map<String, Integer> indexes;
    private final String[] cells;

    GoldenRow(final String file, final Map<String, Integer> indexes, final String[] cells) {
        this.file = file;
        this.indexes = indexes;
        this.cells = cells;
    }

    /** The file that the row is from. */
    public String file() {
        return file;
    }

    /** What names the row inside its file: {@code id}, or {@code name} in a file of constants. */
    public String id() {
        return text(indexes.containsKey("id") ? "id" : "name");
    }

    /** True if the cell is not empty. */
    public boolean has(final String column) {
        return !text(column).isEmpty();
    }

    /** The cell as it stands, empty if so. */
    public String text(final String column) {
        final Integer index = indexes.get(column);
        if (index == null) {
            throw problem("no such column", column);
        }
        return cells[index];
    }

    /** The cell as a number: hexadecimal after 0x, else decimal. */
    public long number(final String column) {
        final String text = text(column);
        try {
            return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseLong(text);
        } catch (final NumberFormatException e) {
            throw problem("not a number", column);
        }
    }

    /** The names in {@code in_flags}; each must be one of those allowed. */
    Set<String> flags(final Collection<String> allowed) {
        final Set<String> flags = new LinkedHashSet<>();
        if (has("in_flags")) {
            flags.addAll(Set.of(text("in_flags").split("\\+", -1)));
        }
        if (!allowed.containsAll(flags)) {
            throw problem("unknown flag", "in_flags");
        }
        return flags;
    }

    /** {@link VmFlags} of {@code in_prot}. */
    long vmFlags() {
        return vmFlags(text("in_prot"), "in_prot");
    }

    /**
     * {@link VmFlags} of a protection as in a process's memory map, for example {@code rw-p}.
     *
     * @param column where it stands, for the message
     */
    long vmFlags(final String protection, final String column) {
        if (!protection.matches("[r-][w-][x-][ps]")) {
            throw problem("not a protection", column);
        }
        return (protection.charAt(0) == 'r' ? VmFlags.READ : 0)
                | (protection.charAt(1) == 'w' ? VmFlags.WRITE : 0)
                | (protection.charAt(2) == 'x' ? VmFlags.EXEC : 0)
                | (protection.charAt(3) == 's' ? VmFlags.SHARED : 0);
    }

    /** An exception that says where the row is and what stands in a column. */
    IllegalArgumentException problem(final String what, final String column) {
        final Integer index = indexes.get(column);
        return new IllegalArgumentException(what + ": file=" + file + ", row=" + (index == null ? cells[0] : id())
                + ", column=" + column + ", text=" + (index == null ? "" : cells[index]));
    }
}
