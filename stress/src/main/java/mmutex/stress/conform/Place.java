package mmutex.stress.conform;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An address as a recording writes it.
 *
 * <pre>
 *   A, B         first page of a region; the regions are 1 TiB apart
 *   A+3          a page of a region
 *   A+3.5        half a page further
 *   null         address 0
 *   0x7f0000     itself
 * </pre>
 *
 * @param text as written
 * @param address in bytes; addresses are unsigned
 */
record Place(String text, long address) {
    static final int PAGE_SHIFT = 12;
    static final long PAGE_SIZE = 1L << PAGE_SHIFT;

    private static final long FIRST_REGION = 0x1000_0000_0000L;
    private static final long REGION_DISTANCE = 0x100_0000_0000L;
    private static final Pattern IN_REGION = Pattern.compile("([AB])(?:\\+(0|[1-9][0-9]{0,7})(\\.5)?)?");
    private static final Pattern LITERAL = Pattern.compile("0x([0-9a-fA-F]{1,16})");

    static Place parse(final String name, final String text) throws BadRecording {
        final Matcher inRegion = IN_REGION.matcher(text);
        if (inRegion.matches()) {
            final long page = inRegion.group(2) == null ? 0 : Long.parseLong(inRegion.group(2));
            final long half = inRegion.group(3) == null ? 0 : PAGE_SIZE / 2;
            return new Place(text, ofPage(inRegion.group(1).charAt(0), page) + half);
        }
        if (text.equals("null")) {
            return new Place(text, 0);
        }
        final Matcher literal = LITERAL.matcher(text);
        if (literal.matches()) {
            return new Place(text, Long.parseUnsignedLong(literal.group(1), 16));
        }
        throw new BadRecording(
                "'" + name + "' must be an address such as \"A+2\", \"null\" or \"0x1000\", was \"" + text + "\"");
    }

    /** Address of a page of region A or B. */
    static long ofPage(final char region, final long page) {
        return FIRST_REGION + (region - 'A') * REGION_DISTANCE + (page << PAGE_SHIFT);
    }

    /** How a recording writes the address of a page: {@code A+2}, or hexadecimal outside the regions. */
    static String nameOf(final long address) {
        final long region = (address - FIRST_REGION) / REGION_DISTANCE;
        if (address < FIRST_REGION || region > 1) {
            return "0x" + Long.toHexString(address);
        }
        return (char) ('A' + region) + "+" + ((address - FIRST_REGION) % REGION_DISTANCE >>> PAGE_SHIFT);
    }

    @Override
    public String toString() {
        return text;
    }
}
