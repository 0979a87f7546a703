package mmutex.stress.conform;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import mmutex.stress.conform.Step.WatchedPage;

/** Reads the result fields of a recorded step. */
final class ResultReader {
    private static final Pattern ERRNO = Pattern.compile("E[A-Z0-9]+");
    private static final Pattern SIGNAL = Pattern.compile("SIG[A-Z0-9]+");
    private static final Pattern PERMISSION = Pattern.compile("0x[0-9a-f]{2}");
    private static final Pattern PAGE_INDEX = Pattern.compile("0|[1-9][0-9]{0,7}");
    private static final long WORD_MAX = 0xffff_ffffL;

    /** Reads one value. */
    private interface Reader {
        Object read(String name, JsonNode value) throws BadRecording;
    }

    /** In the order in which they are compared: what a program sees first comes first. */
    private static final Map<String, Reader> READERS = new LinkedHashMap<>();

    static {
        READERS.put("ret", (name, value) -> Fields.integer(name, value, Long.MIN_VALUE, Long.MAX_VALUE));
        READERS.put("errno", (name, value) -> matching(ERRNO, "an errno such as EBUSY", name, value));
        READERS.put("sig", (name, value) -> matching(SIGNAL, "a signal such as SIGSEGV", name, value));
        READERS.put("si_code", (name, value) -> Fields.integer(name, value, 0, Integer.MAX_VALUE));
        READERS.put("val", ResultReader::word);
        READERS.put("cpages", ResultReader::count);
        READERS.put("faults", ResultReader::count);
        READERS.put("data", (name, value) -> list(name, value, ResultReader::word));
        READERS.put("perm", (name, value) -> list(name, value, ResultReader::permission));
        READERS.put("vec", (name, value) -> list(name, value, (n, bit) -> Fields.integer(n, bit, 0, 1)));
        READERS.put("events", (name, value) -> list(name, value, Fields::text));
        READERS.put("status", (name, value) -> Fields.integer(name, value, 0, Integer.MAX_VALUE));
        READERS.put("minflt", ResultReader::count);
        READERS.put("majflt", ResultReader::count);
        READERS.put("rss", ResultReader::memory);
    }

    private ResultReader() {}

    /** Everything but the watched pages, by field name. Memory counts become {@code rss.anon} and so on. */
    static Map<String, Object> results(final Operation operation, final Fields step) throws BadRecording {
        final Map<String, Object> results = new LinkedHashMap<>();
        for (final Map.Entry<String, Reader> entry : READERS.entrySet()) {
            final String name = entry.getKey();
            if (!operation.mayHave(name) || !step.has(name)) {
                continue;
            }
            final Object value = entry.getValue().read(name, step.required(name));
            if (value instanceof final Map<?, ?> parts) {
                parts.forEach((part, count) -> results.put(name + "." + part, count));
            } else {
                results.put(name, value);
            }
        }
        return results;
    }

    /** The watched pages in ascending order. */
    static List<WatchedPage> pages(final Operation operation, final Fields step) throws BadRecording {
        final List<WatchedPage> pages = new ArrayList<>();
        if (!operation.mayHave("pm") || !step.has("pm")) {
            return pages;
        }
        final JsonNode regions = step.required("pm");
        final Fields byRegion = new Fields(regions, "'pm'");
        for (final String region : List.of("A", "B")) {
            final JsonNode byIndex = byRegion.optional(region);
            if (byIndex != null) {
                new Fields(byIndex, "'pm." + region + "'");
                for (final Map.Entry<String, JsonNode> entry : byIndex.properties()) {
                    pages.add(page(region, entry.getKey(), entry.getValue()));
                }
            }
        }
        byRegion.finish();
        pages.sort(Comparator.comparing(WatchedPage::address));
        return pages;
    }

    private static WatchedPage page(final String region, final String index, final JsonNode state) throws BadRecording {
        final String name = "pm." + region + "." + index;
        if (!PAGE_INDEX.matcher(index).matches()) {
            throw new BadRecording("'pm." + region + "' must have page numbers for keys, had \"" + index + "\"");
        }
        return new WatchedPage(region.charAt(0), Long.parseLong(index), PageText.parse(name, Fields.text(name, state)));
    }

    private static Object word(final String name, final JsonNode value) throws BadRecording {
        return Fields.integer(name, value, 0, WORD_MAX);
    }

    private static Object count(final String name, final JsonNode value) throws BadRecording {
        return Fields.integer(name, value, 0, Long.MAX_VALUE);
    }

    private static Object permission(final String name, final JsonNode value) throws BadRecording {
        return matching(PERMISSION, "a byte such as \"0x02\"", name, value);
    }

    private static Object matching(final Pattern pattern, final String what, final String name, final JsonNode value)
            throws BadRecording {
        final String text = Fields.text(name, value);
        if (!pattern.matcher(text).matches()) {
            throw new BadRecording("'" + name + "' must be " + what + ", was " + Fields.shown(value));
        }
        return text;
    }

    private static List<Object> list(final String name, final JsonNode value, final Reader reader) throws BadRecording {
        final List<Object> list = new ArrayList<>();
        for (final JsonNode element : Fields.array(name, value)) {
            list.add(reader.read(name + "." + list.size(), element));
        }
        return list;
    }

    private static Map<String, Object> memory(final String name, final JsonNode value) throws BadRecording {
        final Fields parts = new Fields(value, "'" + name + "'");
        final Map<String, Object> memory = new LinkedHashMap<>();
        for (final String part : List.of("anon", "file", "shmem")) {
            final JsonNode count = parts.required(part);
            memory.put(part, Fields.integer(name + "." + part, count, Long.MIN_VALUE, Long.MAX_VALUE));
        }
        parts.finish();
        return memory;
    }
}
