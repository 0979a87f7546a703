package mmutex.stress.conform;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The recordings in the jar; {@code index.txt} beside them lists their names. */
final class Recordings {
    /** Begins the names of shipped files in messages. */
    static final String SHIPPED = "shipped:";

    private static final String FOLDER = "/recordings/";

    private Recordings() {}

    /** Names of the shipped files, without folder, in the order in which they are replayed. */
    static List<String> names() throws IOException {
        try (InputStream index = open("index.txt")) {
            return new String(index.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .toList();
        }
    }

    /** All scenarios of a shipped file. */
    static List<Scenario> read(final String name) throws IOException {
        try (InputStream in = open(name)) {
            return RecordingReader.read(SHIPPED + name, in);
        }
    }

    /** All shipped scenarios. */
    static List<Scenario> readAll() throws IOException {
        final List<Scenario> scenarios = new ArrayList<>();
        for (final String name : names()) {
            scenarios.addAll(read(name));
        }
        return scenarios;
    }

    private static InputStream open(final String name) throws IOException {
        final InputStream in = Recordings.class.getResourceAsStream(FOLDER + name);
        if (in == null) {
            throw new IOException("this build lacks the recording " + name);
        }
        return in;
    }
}
