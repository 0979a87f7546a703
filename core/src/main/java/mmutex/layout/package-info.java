/**
 * The bits of page-table entries: pure functions over {@code long}, no state, no memory.
 *
 * <p>Three levels of meaning, each with its own type:
 *
 * <ol>
 *   <li>a <b>word</b> as it stands in a table, a {@code long} called {@code pte}. {@link mmutex.layout.PteEncoding} reads
 *       and makes words; there is one subclass per architecture, and {@link mmutex.layout.Encodings} finds it by name;
 *   <li>a <b>swap entry</b>, a {@code long} called {@code entry}: the architecture-independent value behind a word that is
 *       neither empty nor present. {@link mmutex.layout.SwapEntry} splits it into type and offset,
 *       {@link mmutex.layout.SwapTypes} knows what the types are called in one kernel and what their offsets mean;
 *   <li>a <b>kind</b>, {@link mmutex.layout.PteKind}: what the word says, decoded.
 * </ol>
 *
 * <p>Words and entries are both {@code long}; they are kept apart by parameter names and by the two conversions
 * {@code fromSwapEntry} and {@code toSwapEntry}. Three flags (soft-dirty, uffd-wp, swap-exclusive) exist in the word
 * only.
 *
 * <p>Things that surprise, and that callers must not assume away:
 *
 * <ul>
 *   <li>an empty entry is {@code empty()}, which is not 0 everywhere;
 *   <li>accessors of one state return rubbish on another: test the state first;
 *   <li>a modifier may move more than the bit it is named after ({@code mkDirty} sets soft-dirty, {@code wrProtect}
 *       moves dirty, {@code mkUffdWp} write-protects);
 *   <li>a flag that an architecture lacks reads as false, and setting it changes nothing;
 *   <li>what does not fit is cut silently, as in the kernel;
 *   <li>words are often negative as a {@code long}: shift with {@code >>>}, compare fields and not words.
 * </ul>
 *
 * <p>Correctness rests on golden values computed by the kernel's own headers; see {@link mmutex.layout.golden}.
 * To add an architecture: subclass {@code PteEncoding}, add a line to {@code Encodings}, add its vectors to the tests.
 */
package mmutex.layout;
