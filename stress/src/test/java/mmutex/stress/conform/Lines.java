package mmutex.stress.conform;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Recordings written down in tests; apostrophes stand for quotation marks. */
final class Lines {
    static final String FILE = "test.jsonl";

    private Lines() {}

    /** A scenario of Linux 6.12 with these steps. */
    static String scenario(final String name, final String... steps) {
        return "{'name':'" + name + "','profile':'K612','tags':[],'description':'','steps':[" + String.join(",", steps)
                + "]}";
    }

    /** A step of p. {@code more} continues the object after its return value 0, as in {@code ,'val':1}. */
    static String step(final int number, final String operation, final String arguments, final String more) {
        return recorded(number, "p", operation, arguments, "'ret':0" + more);
    }

    static String recorded(
            final int number, final String who, final String operation, final String arguments, final String results) {
        return "{'i':" + number + ",'who':'" + who + "','op':'" + operation + "','args':{" + arguments + "}," + results
                + "}";
    }

    static List<Scenario> read(final String... lines) {
        final String text = String.join("\n", lines).replace('\'', '"');
        try {
            return RecordingReader.read(FILE, new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Verdict replay(final String... steps) {
        return new Replayer(false).replay(read(scenario("written", steps)).get(0));
    }
}
