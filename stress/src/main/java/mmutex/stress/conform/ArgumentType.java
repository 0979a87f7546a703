package mmutex.stress.conform;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.util.List;

/** What an argument of an operation may be, and what it is read as. */
enum ArgumentType {
    /** An address: {@link Place}. */
    PLACE {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            return Place.parse(name, Fields.text(name, value));
        }
    },
    /** A number of pages, 0 to 2^64 - 1: a long, unsigned. */
    PAGES {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            final BigInteger pages = value.isIntegralNumber() ? value.bigIntegerValue() : null;
            if (pages == null) {
                throw new BadRecording("'" + name + "' must be an integer, was " + Fields.shown(value));
            }
            if (pages.signum() < 0 || pages.bitLength() > Long.SIZE) {
                throw new BadRecording("'" + name + "' must not be negative or above 2^64 - 1, was " + value);
            }
            return pages.longValue();
        }
    },
    /** The number of a handle, or of a device. */
    DEVICE {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            return Fields.integer(name, value, 0, 1);
        }
    },
    /** A 32-bit word. */
    WORD {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            return Fields.integer(name, value, 0, 0xffff_ffffL);
        }
    },
    /** Bytes, nanoseconds. */
    AMOUNT {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            return Fields.integer(name, value, 0, Long.MAX_VALUE);
        }
    },
    /** 0 or 1. */
    SWITCH {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            return Fields.integer(name, value, 0, 1);
        }
    },
    TRUTH {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            if (!value.isBoolean()) {
                throw new BadRecording("'" + name + "' must be true or false, was " + Fields.shown(value));
            }
            return value.booleanValue();
        }
    },
    TEXT {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            return Fields.text(name, value);
        }
    },
    KIND(
            "anon_private",
            "anon_shared",
            "tmpfs_file_private",
            "tmpfs_file_shared",
            "device_file_private",
            "hugetlb_private_2M",
            "anon_private_fixed_over"),
    PROT("none", "r", "w", "rw", "rwx"),
    ADVICE(
            "DONTNEED",
            "FREE",
            "HUGEPAGE",
            "MERGEABLE",
            "DONTFORK",
            "WIPEONFORK",
            "COLD",
            "PAGEOUT",
            "POPULATE_READ",
            "POPULATE_WRITE",
            "COLLAPSE"),
    REMAP_FLAGS("MAYMOVE|FIXED", "MAYMOVE|FIXED|DONTUNMAP"),
    CHILD("c", "g"),
    TARGET("self"),
    DISK("virtio disk"),
    UNMAPPED("unmapped"),
    /** Where the result buffer is: {@code unmapped}, or a {@link Place}. */
    BUFFER {
        @Override
        Object parse(final String name, final JsonNode value) throws BadRecording {
            final String text = Fields.text(name, value);
            return text.equals("unmapped") ? text : Place.parse(name, text);
        }
    },
    SCAN("merged", "settled"),
    SEE_VAL("see val");

    private final List<String> choices;

    ArgumentType(final String... choices) {
        this.choices = List.of(choices);
    }

    /** The words that it can be, empty if it is no word. */
    List<String> choices() {
        return choices;
    }

    /**
     * Reads an argument; unless a type says otherwise, one of its choices.
     *
     * @return a Long, Boolean, String or {@link Place}
     */
    Object parse(final String name, final JsonNode value) throws BadRecording {
        final String text = Fields.text(name, value);
        if (!choices.contains(text)) {
            throw new BadRecording(
                    "'" + name + "' must be one of " + String.join(", ", choices) + ", was \"" + text + "\"");
        }
        return text;
    }
}
