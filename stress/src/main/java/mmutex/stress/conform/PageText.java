package mmutex.stress.conform;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a recording says of a watched page.
 *
 * <pre>
 *   P S F U X D  [:type]  [#Z or #frame [m mapcount]]
 *
 *   P present   S swap form   F file or shared page   U uffd-wp   X mapped exactly once   D soft-dirty
 * </pre>
 *
 * @param flags letters, in the order above
 * @param type of the swap form, or empty
 * @param zero whether the frame is the zero page
 * @param frame number by which the recording, or the emulator, knows the frame; {@link #NONE} if the page shows none
 * @param mapCount mappings of the frame; {@link #NONE} if not told
 */
record PageText(String flags, String type, boolean zero, long frame, long mapCount) {
    static final long NONE = -1;

    private static final Pattern SYNTAX = Pattern.compile("(P?S?F?U?X?D?)"
            + "(?::(exw|exr|exc|dpw|dpr|swapfile|migr|migrx|migw|mark))?"
            + "(?:#(?:(Z)|([0-9]{1,9})(?:m([0-9]{1,9}))?))?");

    static PageText parse(final String name, final String text) throws BadRecording {
        final Matcher match = SYNTAX.matcher(text);
        if (!match.matches()) {
            throw new BadRecording(
                    "'" + name + "' must be a page state such as \"PXD#1m1\" or \"SD:exw#1m0\", was \"" + text + "\"");
        }
        return new PageText(
                match.group(1),
                match.group(2) == null ? "" : match.group(2),
                match.group(3) != null,
                number(match.group(4)),
                number(match.group(5)));
    }

    private static long number(final String digits) {
        return digits == null ? NONE : Long.parseLong(digits);
    }

    /** Whether all but the frame's identity is equal. */
    boolean looksLike(final PageText other) {
        return flags.equals(other.flags)
                && type.equals(other.type)
                && zero == other.zero
                && (frame == NONE) == (other.frame == NONE)
                && mapCount == other.mapCount;
    }

    /** The text, with the frame called {@code frameName}. */
    String toText(final String frameName) {
        final StringBuilder text = new StringBuilder(flags);
        if (!type.isEmpty()) {
            text.append(':').append(type);
        }
        if (zero) {
            text.append("#Z");
        } else if (frame != NONE) {
            text.append('#').append(frameName);
        }
        return mapCount == NONE
                ? text.toString()
                : text.append('m').append(mapCount).toString();
    }

    @Override
    public String toString() {
        return toText(Long.toString(frame));
    }
}
