package mmutex.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;

/** What the build wrote into the jar about itself. */
final class Build {
    private static final String UNKNOWN = "unknown";
    private static final Properties PROPERTIES = properties();

    private Build() {}

    static String version() {
        return value("version", UNKNOWN);
    }

    /** The abbreviated commit, with {@code -dirty} if the tree had changes; {@code unknown} outside git. */
    static String commit() {
        final String commit = resource("commit.txt").strip();
        return commit.isEmpty() ? UNKNOWN : commit;
    }

    /** The flags that the libraries need in a VM without our manifest, on every JDK. */
    static List<String> jvmFlags() {
        final String flags = value("jvm.flags", "");
        return flags.isEmpty() ? List.of() : List.of(flags.split(" "));
    }

    /** An IDE may copy the file without filling it in; a placeholder is no value. */
    private static String value(final String key, final String otherwise) {
        final String value = PROPERTIES.getProperty(key, otherwise);
        return value.startsWith("${") ? otherwise : value;
    }

    private static Properties properties() {
        final Properties properties = new Properties();
        try {
            properties.load(new StringReader(resource("build.properties")));
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }

    private static String resource(final String name) {
        try (InputStream in = Build.class.getResourceAsStream(name)) {
            return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
