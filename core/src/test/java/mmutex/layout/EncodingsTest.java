package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

class EncodingsTest {
    @Test
    void shouldFindEveryNameItLists() {
        assertThat(Encodings.names()).contains("x86-64-6.12", "x86-64-7.3", "x86-64-l5-6.12", "x86-64-l5-7.3");
        for (final String name : Encodings.names()) {
            assertThat(Encodings.byName(name).name()).isEqualTo(name);
            assertThat(Encodings.byName(name)).hasToString(name);
        }
    }

    @Test
    void shouldFindByArchitectureAndKernel() {
        final PteEncoding encoding = Encodings.forGeneration("x86-64-l5", KernelGeneration.V7_3);

        assertThat(encoding.name()).isEqualTo("x86-64-l5-7.3");
        assertThat(encoding.levels()).isEqualTo(5);
        assertThat(encoding.types().generation()).isEqualTo(KernelGeneration.V7_3);
    }

    @Test
    void shouldListTheNamesIfItKnowsNone() {
        assertThatThrownBy(() -> Encodings.byName("vax"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name=vax")
                .hasMessageContaining(Encodings.names().toString());
        assertThatThrownBy(() -> Encodings.forGeneration("vax", KernelGeneration.V6_12))
                .hasMessageContaining("name=vax-6.12");
        assertThatThrownBy(() -> Encodings.goldenValues("vax")).isInstanceOf(IllegalArgumentException.class);
    }

    /** The calls of an encoding are bound statically only as long as no other subclass is loaded. */
    @Test
    void shouldLoadAClassOnlyWhenAsked() throws ReflectiveOperationException {
        final RecordingLoader loader = new RecordingLoader();
        final Class<?> encodings = Class.forName(Encodings.class.getName(), true, loader);

        encodings.getMethod("names").invoke(null);
        assertThat(loader.hasLoaded(Encodings.class)).isTrue();
        assertThat(loader.hasLoaded(X86_64Encoding.class)).isFalse();

        encodings.getMethod("byName", String.class).invoke(null, "x86-64-6.12");
        assertThat(loader.hasLoaded(X86_64Encoding.class)).isTrue();
    }

    /** Loads the project's classes anew, so that this test does not depend on what other tests have loaded. */
    private static final class RecordingLoader extends ClassLoader {
        RecordingLoader() {
            super(EncodingsTest.class.getClassLoader());
        }

        boolean hasLoaded(final Class<?> type) {
            return findLoadedClass(type.getName()) != null;
        }

        @Override
        protected Class<?> loadClass(final String name, final boolean resolve) throws ClassNotFoundException {
            final Class<?> loaded = findLoadedClass(name);
            if (loaded != null || !name.startsWith("mmutex.")) {
                return loaded != null ? loaded : super.loadClass(name, resolve);
            }
            try (InputStream stream = getResourceAsStream(name.replace('.', '/') + ".class")) {
                final byte[] bytes = stream.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (final IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
